/* Terms in a crash dump. Memory comes from the system, not from the VM, which may have none left; without any the dump goes on
   without terms. */
#include "vm/dump_terms.h"

#include <stdarg.h>
#include <stdlib.h>

#include "data/bits.h"
#include "data/external.h"
#include "term/atom.h"
#include "term/fun.h"
#include "term/literal.h"
#include "term/print.h"
#include "term/ref.h"

/* --- Writing --------------------------------------------------------------------------------------------------------- */

void dump_bytes(Dump *d, const void *bytes, size_t size) {
    if (d->full) {
        return;
    }
    fwrite(bytes, 1, (size_t)MIN((int64_t)size, d->left), d->file);
    d->left -= (int64_t)size;
    if (d->left < 0) {
        d->full = true;
        fputs("\n=abort:CRASH DUMP SIZE LIMIT REACHED\n", d->file);
    }
}

void dump_text(Dump *d, const char *format, ...) {
    char text[1200];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dump_bytes(d, text, MIN((size_t)MAX(n, 0), sizeof text - 1));
}

void dump_term(Dump *d, term t) {
    Text text;
    text_init(&text, &d->vm->mem);
    term_print(&text, d->vm, t, &(PrintOptions){.strings = true});
    dump_bytes(d, text.at, text.size);
    text_done(&text);
}

static void dump_base64(Dump *d, const uint8_t *at, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size && !d->full; i += 3) {
        size_t n = MIN(size - i, 3);
        uint32_t bits = (uint32_t)at[i] << 16 | (n > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (n > 2 ? at[i + 2] : 0);
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63], n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '='};
        dump_bytes(d, four, sizeof four);
    }
}

/* --- Lists of addresses ---------------------------------------------------------------------------------------------- */

static bool list_add(PointerList *l, const void *p) {
    if (l->count == l->room) {
        size_t room = MAX(64, 2 * l->room);
        const void **at = realloc(l->at, room * sizeof *at);
        if (at == NULL) {
            return false;
        }
        l->at = at, l->room = room;
    }
    l->at[l->count++] = p;
    return true;
}

static const void **place_of(const PointerList *l, const void *p) {
    size_t i = ((uintptr_t)p >> 3) * (size_t)0x9e3779b97f4a7c15u >> 20 & (l->room - 1);
    while (l->at[i] != NULL && l->at[i] != p) {
        i = (i + 1) & (l->room - 1);
    }
    return &l->at[i];
}

/* Is this the first time? */
static bool first_time(Dump *d, const void *p) {
    PointerList *l = &d->seen;
    if (2 * l->count >= l->room) {
        PointerList bigger = {calloc(MAX(1024, 2 * l->room), sizeof *l->at), l->count, MAX(1024, 2 * l->room)};
        if (bigger.at == NULL) {
            return false;
        }
        for (size_t i = 0; i < l->room; i++) {
            if (l->at[i] != NULL) {
                *place_of(&bigger, l->at[i]) = l->at[i];
            }
        }
        free(l->at);
        *l = bigger;
    }
    const void **place = place_of(l, p);
    bool first = *place == NULL;
    *place = p;
    l->count += first;
    return first;
}

void dump_done(Dump *d) {
    free(d->seen.at);
    free(d->literals.at);
    free(d->buffers.at);
}

/* --- Terms ----------------------------------------------------------------------------------------------------------- */

static const term *address_of(term t) {
    return (const term *)(t & ~(term)TAG_MASK);
}

void dump_element(Dump *d, term t) {
    if (is_cons(t) || is_boxed(t)) {
        if (is_boxed(t) && kind_of(t) == KIND_MATCH) {
            dump_text(d, "N"); /* not a value */
            return;
        }
        dump_text(d, "H%llX", (unsigned long long)(uintptr_t)address_of(t));
    } else if (is_small(t)) {
        dump_text(d, "I%lld", (long long)small_value(t));
    } else if (is_atom(t)) {
        Bytes text = atom_text(d->vm, t);
        dump_text(d, "A%zX:", text.size);
        dump_bytes(d, text.at, text.size);
    } else if (is_local_pid(t)) {
        dump_text(d, "P");
        dump_term(d, t);
    } else if (is_local_port(t)) {
        dump_text(d, "p<0.%llu>", (unsigned long long)port_number(t));
    } else {
        dump_text(d, "N");
    }
}

static void elements(Dump *d, const term *at, size_t n) {
    for (size_t i = 0; i < n; i++) {
        dump_element(d, at[i]);
        dump_text(d, i + 1 < n ? "," : "");
    }
}

static void dump_binary(Dump *d, term t) {
    Bits b = bits_of(t);
    const View *v = (const View *)boxed(t);
    bool view = kind_of(t) == KIND_VIEW && kind_of(v->base) == KIND_BUFFER && b.start % 8 == 0 && b.size / 8 > BITS_ON_HEAP_MAX;
    if (view) {
        const Buffer *buffer = ((const BufferRef *)boxed(v->base))->buffer;
        if (first_time(d, buffer)) {
            list_add(&d->buffers, buffer);
        }
        size_t offset = (size_t)(b.at - buffer->data) + b.start / 8;
        dump_text(d, "Yc%llX:%zX:%zX", (unsigned long long)(uintptr_t)buffer, offset, b.size / 8);
        return;
    }
    uint8_t small[BITS_ON_HEAP_MAX], *bytes = b.size / 8 + 1 <= sizeof small ? small : malloc(b.size / 8 + 1);
    size_t size = bytes == NULL ? 0 : b.size / 8;
    if (size > 0) {
        bitrun_copy(bytes, 0, b.at, b.start, size * 8);
    }
    dump_text(d, "Yh%zX:", size);
    dump_base64(d, bytes, size);
    if (bytes != small) {
        free(bytes);
    }
}

/* In the external format; funs without their free variables, which may be large. */
static void dump_externally(Dump *d, term t) {
    Heap h;
    heap_init_detached(&h, d->vm);
    if (kind_of(t) == KIND_FUN) {
        size_t words = 1 + HEADER_WORDS(header_of(t));
        term *copy = heap_alloc(&h, words);
        if (copy != NULL) {
            memcpy(copy, boxed(t), words * sizeof *copy);
            for (size_t i = FUN_FREE; i < words; i++) {
                copy[i] = NIL;
            }
            t = make_boxed(copy);
        }
    }
    Text out;
    term reason;
    text_init(&out, &d->vm->mem);
    if (!external_encode(&out, d->vm, t, &(ExternalOptions){.minor_version = 1}, &reason)) {
        out.size = 0;
    }
    dump_text(d, "E%zX:", out.size);
    dump_base64(d, out.at, out.size);
    text_done(&out);
    heap_free_fragments(d->vm, heap_detach(&h));
}

/* The line of one object. Its words that are terms: from *at on, *n of them. */
static void dump_object(Dump *d, term t, const term **at, size_t *n) {
    const term *p = address_of(t);
    size_t words = HEADER_WORDS(p[0]);
    dump_text(d, "%llX:", (unsigned long long)(uintptr_t)p);
    if (is_cons(t)) {
        dump_text(d, "l");
        dump_element(d, p[0]);
        dump_text(d, "|");
        dump_element(d, p[1]);
        dump_text(d, "\n");
        *at = p, *n = 2;
        return;
    }
    *at = p + 1, *n = 0;
    switch (HEADER_KIND(p[0])) {
    case KIND_TUPLE:
        dump_text(d, "t%zX:", words);
        elements(d, p + 1, *n = words);
        break;
    case KIND_MAP:
        dump_text(d, "Mf%zX:", words - 1);
        dump_element(d, p[1]);
        dump_text(d, ":");
        elements(d, p + 2, words - 1);
        *n = words;
        break;
    case KIND_HASH_MAP:
        dump_text(d, "Mh%llX:%zX:", (unsigned long long)small_value(p[1]), words - 2);
        elements(d, *at = p + 3, *n = words - 2);
        break;
    case KIND_HASH_NODE:
        dump_text(d, "Mn%zX:", words - 1);
        elements(d, *at = p + 2, *n = words - 1);
        break;
    case KIND_FLOAT:
    case KIND_BIG:
    case KIND_NEG_BIG: {
        Text text;
        text_init(&text, &d->vm->mem);
        term_print(&text, d->vm, t, NULL);
        if (is_float(t)) {
            dump_text(d, "F%zX:", text.size);
        } else {
            dump_text(d, "B");
        }
        dump_bytes(d, text.at, text.size);
        text_done(&text);
        break;
    }
    case KIND_BITS:
    case KIND_VIEW: dump_binary(d, t); break;
    default: dump_externally(d, t);
    }
    dump_text(d, "\n");
}

static bool push(PointerList *stack, term t) {
    return (!is_cons(t) && !is_boxed(t)) || list_add(stack, (const void *)t);
}

/* The lines of all that root refers to. Literals wait, unless it is their turn: then root is one, and was only noted before. */
static void dump_reachable(Dump *d, term root, bool literals) {
    PointerList stack = {0};
    bool forced = literals;
    push(&stack, root);
    while (stack.count > 0 && !d->full) {
        term t = (term)stack.at[--stack.count];
        const term *p = address_of(t);
        if ((is_boxed(t) && kind_of(t) == KIND_MATCH) || (!forced && !first_time(d, p))) {
            continue;
        }
        forced = false;
        if (!literals && is_literal_address(d->vm, p)) {
            list_add(&d->literals, (const void *)t);
            continue;
        }
        const term *at;
        size_t n;
        dump_object(d, t, &at, &n);
        while (n > 0 && push(&stack, at[n - 1])) {
            n--;
        }
    }
    free(stack.at);
}

void dump_heap(Dump *d, term t) {
    dump_reachable(d, t, false);
}

void dump_literals(Dump *d) {
    for (size_t i = 0; i < d->literals.count; i++) {
        dump_reachable(d, (term)d->literals.at[i], true);
    }
}

void dump_buffers(Dump *d) {
    for (size_t i = 0; i < d->buffers.count; i++) {
        const Buffer *b = d->buffers.at[i];
        dump_text(d, "=binary:%llX\n%zX:", (unsigned long long)(uintptr_t)b, b->used / 8);
        dump_base64(d, b->data, b->used / 8);
        dump_text(d, "\n");
    }
}
