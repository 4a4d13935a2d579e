/* Module os: environment variables and the operating system's name for this process. Texts are lists of characters, in the
   encoding of file names. (Its clocks are in bif_time.c.) */
#include "base/text.h"
#include "base/utf8.h"
#include "bif/bif.h"
#include "platform/environment.h"
#include "platform/platform.h"

/* A flat list of characters in the user's encoding, zero-terminated; false: it is none, or holds a zero or a forbidden
   character. */
static bool text_arg(Process *p, term t, char forbidden, Text *out) {
    bool utf8 = platform_utf8();
    text_init(out, &process_vm(p)->mem);
    for (; is_cons(t); t = tail(t)) {
        intptr_t c = is_small(head(t)) ? small_value(head(t)) : -1;
        if (c <= 0 || c == forbidden || (utf8 ? c > 0x10ffff || !is_character((uint32_t)c) : c > 255)) {
            return false;
        }
        if (utf8) {
            text_char(out, (uint32_t)c);
        } else {
            text_byte(out, (uint8_t)c);
        }
    }
    text_byte(out, 0);
    return t == NIL && !out->failed;
}

static term text_result(Heap *h, const char *s, size_t size) {
    const uint8_t *at = (const uint8_t *)s, *end = at + size;
    if (!platform_utf8() || utf8_count(at, size) < 0) {
        return heap_latin1_list(h, s, size);
    }
    term list = NIL;
    while (end > at) { /* from the back, so that the list is built in order */
        const uint8_t *start = end - 1;
        while ((*start & 0xc0) == 0x80) {
            start--;
        }
        uint32_t c = 0;
        utf8_read(start, end, &c);
        list = heap_cons(h, SMALL(c), list);
        end = start;
    }
    return list;
}

BIF(os, getenv, 1) {
    Text name;
    bool good = text_arg(p, a[0], '=', &name);
    const char *value = good ? environment_get((char *)name.at) : NULL;
    text_done(&name);
    if (!good) {
        return raise_badarg(p);
    }
    return value == NULL ? A_false : text_result(HEAP(p), value, strlen(value));
}

BIF(os, putenv, 2) {
    Text name, value;
    bool good = text_arg(p, a[0], '=', &name);
    good = text_arg(p, a[1], '\0', &value) && good && name.size > 1;
    good = good && environment_set((char *)name.at, (char *)value.at);
    text_done(&name);
    text_done(&value);
    return good ? A_true : raise_badarg(p);
}

BIF(os, unsetenv, 1) {
    Text name;
    bool good = text_arg(p, a[0], '=', &name) && name.size > 1;
    good = good && environment_set((char *)name.at, NULL);
    text_done(&name);
    return good ? A_true : raise_badarg(p);
}

typedef struct {
    Heap *h;
    term list;
} Listing;

static void list_variable(void *arg, const char *text) {
    Listing *l = arg;
    const char *equals = strchr(text, '=');
    if (equals != NULL && equals > text) {
        term name = text_result(l->h, text, (size_t)(equals - text));
        term value = text_result(l->h, equals + 1, strlen(equals + 1));
        l->list = heap_cons(l->h, TUPLE2(l->h, name, value), l->list);
    }
}

BIF(os, env, 0) {
    Listing l = {HEAP(p), NIL};
    environment_all(list_variable, &l);
    return l.list;
}

BIF(os, getpid, 0) {
    char text[24];
    Text t;
    text_init(&t, &process_vm(p)->mem);
    text_format(&t, "%ld", platform_process_id());
    size_t n = MIN(t.size, sizeof text);
    memcpy(text, t.at, n);
    text_done(&t);
    return heap_latin1_list(HEAP(p), text, n);
}
