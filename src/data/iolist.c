/* Walking iolists without recursion. */
#include "data/iolist.h"

void iolist_begin(IolistWalk *w, VM *vm, term list, bool bits) {
    w->vm = vm;
    w->at = list;
    w->stack = w->few;
    w->depth = 0, w->capacity = ARRAY_LEN(w->few);
    w->skip = 0;
    w->below = NIL;
    w->bits = bits;
    w->budget = INTPTR_MAX;
}

void iolist_resume(IolistWalk *w, VM *vm, term saved, bool bits) {
    iolist_begin(w, vm, NONE, bits);
    w->below = saved;
}

void iolist_end(IolistWalk *w) {
    if (w->stack != w->few) {
        mem_free(&w->vm->mem, MEM_TEMPORARY, w->stack, w->capacity * sizeof(term));
        w->stack = w->few;
    }
}

term iolist_save(const IolistWalk *w, Heap *h) {
    term list = w->below;
    for (size_t i = 0; i < w->depth; i++) {
        list = heap_cons(h, w->stack[i], list);
    }
    if (w->at == NONE) {
        return list;
    }
    term first = w->skip == 0 ? w->at : bits_sub(h, w->at, w->skip, bits_size(w->at) - w->skip);
    return heap_cons(h, first, list);
}

static bool push(IolistWalk *w, term t) {
    if (w->depth == w->capacity) {
        size_t old = w->capacity * sizeof(term);
        bool first = w->stack == w->few;
        term *p = mem_resize(&w->vm->mem, MEM_TEMPORARY, first ? NULL : w->stack, first ? 0 : old, old * 2);
        if (p == NULL) {
            return false;
        }
        if (first) {
            memcpy(p, w->few, old);
        }
        w->stack = p;
        w->capacity *= 2;
    }
    w->stack[w->depth++] = t;
    return true;
}

/* What a step came upon. */
typedef enum { STEP_END, STEP_BYTE, STEP_BITS, STEP_STOP } Step;

/* Finds the next byte or bitstring. STEP_STOP: *why. */
static inline Step next(IolistWalk *w, uint8_t *byte, term *bits, IolistResult *why) {
    for (;;) {
        term t = w->at;
        if (is_cons(t)) {
            if (UNLIKELY(--w->budget < 0)) {
                *why = IOLIST_LATER;
                return STEP_STOP;
            }
            term first = head(t);
            w->at = tail(t);
            if (LIKELY(is_small(first))) {
                if (UNLIKELY((uintptr_t)small_value(first) > 255)) {
                    break;
                }
                *byte = (uint8_t)small_value(first);
                return STEP_BYTE;
            }
            if (first == NIL) {
                continue;
            }
            if (!is_cons(first) && !is_bitstring(first)) {
                break;
            }
            if (is_cons(w->at) || is_bitstring(w->at)) {
                if (UNLIKELY(!push(w, w->at))) {
                    *why = IOLIST_NO_MEMORY;
                    return STEP_STOP;
                }
            } else if (w->at != NIL) {
                break;
            }
            w->at = first;
        } else if (t == NONE || t == NIL) {
            if (w->depth > 0) {
                w->at = w->stack[--w->depth];
            } else if (is_cons(w->below)) {
                w->at = head(w->below);
                w->below = tail(w->below);
            } else {
                w->at = NONE;
                return STEP_END;
            }
        } else if (is_bitstring(t) && (w->bits || bits_size(t) % 8 == 0)) {
            w->at = NONE;
            *bits = t;
            return STEP_BITS;
        } else {
            break;
        }
    }
    *why = IOLIST_BAD;
    return STEP_STOP;
}

IolistResult iolist_count(IolistWalk *w, size_t *bits) {
    uint8_t byte;
    term t;
    IolistResult why;
    for (;;) {
        switch (next(w, &byte, &t, &why)) {
        case STEP_END: return IOLIST_OK;
        case STEP_STOP: return why;
        case STEP_BYTE: *bits += 8; break;
        case STEP_BITS:
            if (__builtin_add_overflow(*bits, bits_size(t), bits)) {
                return IOLIST_TOO_LARGE;
            }
            break;
        }
        if (UNLIKELY(*bits > BITS_SIZE_MAX)) {
            return IOLIST_TOO_LARGE;
        }
    }
}

IolistResult iolist_fill(IolistWalk *w, uint8_t *to, size_t *at) {
    uint8_t byte;
    term t;
    IolistResult why;
    for (;;) {
        switch (next(w, &byte, &t, &why)) {
        case STEP_END: return IOLIST_OK;
        case STEP_STOP: return why;
        case STEP_BYTE:
            bitrun_put(to, *at, byte, 8);
            *at += 8;
            break;
        case STEP_BITS: {
            Bits b = bits_of(t);
            bitrun_copy(to, *at, b.at, b.start, b.size);
            *at += b.size;
            w->budget -= (intptr_t)(b.size / 8192);
            break;
        }
        }
    }
}

bool iolist_next(IolistWalk *w, Bits *piece, term *source, IolistResult *end) {
    switch (next(w, &w->byte, source, end)) {
    case STEP_END: *end = IOLIST_OK; return false;
    case STEP_STOP: return false;
    case STEP_BYTE:
        *piece = (Bits){&w->byte, 0, 8};
        *source = NONE;
        return true;
    case STEP_BITS:
        *piece = bits_of(*source);
        w->budget -= (intptr_t)(piece->size / 8192);
        return true;
    }
    UNREACHABLE();
}

/* Room for so many more bits behind what is used. */
static bool buffer_room(VM *vm, Buffer **b, size_t more) {
    size_t need = (*b)->used + more;
    if (need < more || need > BITS_SIZE_MAX) {
        return false;
    }
    need = (need + 7) / 8;
    if (need <= (*b)->capacity) {
        return true;
    }
    Buffer *larger = buffer_resize(vm, *b, MAX(need, (*b)->capacity * 2));
    if (larger == NULL) {
        return false;
    }
    *b = larger;
    return true;
}

IolistResult iolist_append(IolistWalk *w, Buffer **out) {
    Bits b;
    term source;
    IolistResult end;
    while (iolist_next(w, &b, &source, &end)) {
        size_t size = b.size;
        if (UNLIKELY(w->budget < 0)) { /* a large one: only as much as the budget before it allowed */
            size = MIN(size, (size_t)(w->budget + (intptr_t)(size / 8192) + 1) * 8192);
        }
        if (!buffer_room(w->vm, out, size)) {
            return IOLIST_NO_MEMORY;
        }
        bitrun_copy((*out)->data, (*out)->used, b.at, b.start, size);
        (*out)->used += size;
        if (size < b.size) {
            w->at = source, w->skip = size;
            return IOLIST_LATER;
        }
    }
    return end;
}

IolistResult iolist_size(VM *vm, term t, size_t *bytes) {
    if (is_bitstring(t)) {
        *bytes = bits_size(t) / 8;
        return bits_size(t) % 8 == 0 ? IOLIST_OK : IOLIST_BAD;
    }
    if (!is_list(t)) {
        return IOLIST_BAD;
    }
    IolistWalk w;
    iolist_begin(&w, vm, t, false);
    size_t bits = 0;
    IolistResult r = iolist_count(&w, &bits);
    iolist_end(&w);
    *bytes = bits / 8;
    return r;
}

IolistResult iolist_bytes(VM *vm, term t, Text *out) {
    size_t size;
    IolistResult r = iolist_size(vm, t, &size);
    if (r != IOLIST_OK) {
        return r;
    }
    if (!text_reserve(out, size)) {
        return IOLIST_NO_MEMORY;
    }
    IolistWalk w;
    iolist_begin(&w, vm, t, false);
    size_t at = 0;
    r = size == 0 ? IOLIST_OK : iolist_fill(&w, out->at + out->size, &at);
    iolist_end(&w);
    assert(r != IOLIST_OK || at == size * 8);
    if (r == IOLIST_OK) {
        out->size += size;
    }
    return r;
}
