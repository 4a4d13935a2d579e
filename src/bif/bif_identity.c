/* Pids, ports and references as text, and back. */
#include "base/text.h"
#include "bif/bif.h"
#include "term/print.h"
#include "term/ref.h"

static term as_list(Process *p, term t) {
    Text text;
    text_init(&text, &process_vm(p)->mem);
    term_print(&text, process_vm(p), t, &(PrintOptions){0});
    term list = text.failed ? raise_error(p, A_system_limit) : heap_latin1_list(HEAP(p), (const char *)text.at, text.size);
    text_done(&text);
    return list;
}

BIF(erlang, pid_to_list, 1) {
    return is_pid(a[0]) ? as_list(p, a[0]) : raise_badarg(p);
}

BIF(erlang, port_to_list, 1) {
    return is_port(a[0]) ? as_list(p, a[0]) : raise_badarg(p);
}

BIF(erlang, ref_to_list, 1) {
    return is_ref(a[0]) ? as_list(p, a[0]) : raise_badarg(p);
}

/* Reads PREFIX n.n...n> from a list of characters: up to `max` numbers. Returns how many; 0: it is something else. */
static size_t read_numbers(term t, const char *prefix, uint64_t *numbers, size_t max) {
    char text[128];
    size_t size = 0;
    for (; is_cons(t); t = tail(t)) {
        if (!is_small(head(t)) || small_value(head(t)) < 0x20 || small_value(head(t)) > 0x7e || size + 1 == sizeof text) {
            return 0;
        }
        text[size++] = (char)small_value(head(t));
    }
    text[size] = '\0';
    size_t n = strlen(prefix), count = 0;
    if (t != NIL || strncmp(text, prefix, n) != 0) {
        return 0;
    }
    for (const char *at = text + n;; at++) {
        uint64_t v = 0;
        const char *start = at;
        for (; *at >= '0' && *at <= '9' && v < (uint64_t)1 << 60; at++) {
            v = v * 10 + (uint64_t)(*at - '0');
        }
        if (at == start || count == max) {
            return 0;
        }
        numbers[count++] = v;
        if (*at == '>') {
            return at[1] == '\0' ? count : 0;
        }
        if (*at != '.') {
            return 0;
        }
    }
}

BIF(erlang, list_to_pid, 1) {
    uint64_t n[3];
    if (read_numbers(a[0], "<", n, 3) != 3 || n[0] != 0 || n[1] >= (uint64_t)1 << PID_NUMBER_BITS || n[2] >= (uint64_t)1 << 28) {
        return raise_badarg(p);
    }
    return make_pid((uintptr_t)(n[2] << PID_NUMBER_BITS | n[1]));
}

BIF(erlang, list_to_port, 1) {
    uint64_t n[2];
    if (read_numbers(a[0], "#Port<", n, 2) != 2 || n[0] != 0) {
        return raise_badarg(p);
    }
    return make_port((uintptr_t)n[1]);
}

/* The words of a reference are printed most significant first. */
BIF(erlang, list_to_ref, 1) {
    uint64_t n[6];
    size_t count = read_numbers(a[0], "#Ref<", n, 6);
    if (count != 4 || n[0] != 0) {
        return raise_badarg(p);
    }
    for (size_t i = 1; i < count; i++) {
        if (n[i] > UINT32_MAX) {
            return raise_badarg(p);
        }
    }
    return ref_write(heap_alloc(HEAP(p), REF_WORDS), n[2] << 32 | n[3], n[1]);
}
