/* Finding byte strings in byte strings. */
#include "data/pattern.h"

static Pattern *new_pattern(VM *vm, size_t more) {
    Pattern *p = mem_zalloc(&vm->mem, MEM_SYSTEM, sizeof *p + more);
    if (p != NULL) {
        p->resource = (Resource){1, pattern_destroy, (const void *)(uintptr_t)pattern_destroy};
        p->size = sizeof *p + more;
    }
    return p;
}

void pattern_destroy(VM *vm, Resource *r) {
    mem_free(&vm->mem, MEM_SYSTEM, r, ((Pattern *)r)->size);
}

static uint32_t find_classes(const Bytes *needles, size_t count, uint8_t *class_of) {
    bool used[256] = {false};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < needles[i].size; k++) {
            used[needles[i].at[k]] = true;
        }
    }
    uint32_t classes = 0;
    for (int b = 0; b < 256; b++) { /* class 0: bytes that are in no needle, unless all are in some */
        if (used[b]) {
            classes++;
        }
    }
    uint32_t next = classes < 256 ? 1 : 0;
    for (int b = 0; b < 256; b++) {
        class_of[b] = used[b] ? (uint8_t)next++ : 0;
    }
    return next;
}

/* The tree of all needles: next[] leads to children only, 0 where there is none. Returns how many states there are. */
static uint32_t add_needles(Pattern *p, const Bytes *needles, size_t count) {
    uint32_t states = 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t state = 0;
        for (size_t k = 0; k < needles[i].size; k++) {
            uint32_t *to = &p->next[(size_t)state * p->classes + p->class_of[needles[i].at[k]]];
            if (*to == 0) {
                *to = states;
                p->depth[states++] = (uint32_t)k + 1;
            }
            state = *to;
        }
        p->found[state] = (uint32_t)needles[i].size;
        p->starts[needles[i].at[0]] = true;
    }
    return states;
}

/* Fills in where to go on after a byte that does not continue a needle: to the longest end of what has been seen that
   begins one. States in order of their depth; fail and queue: room for all of them. */
static void add_failures(Pattern *p, uint32_t *fail, uint32_t *queue) {
    uint32_t head = 0, end = 0;
    queue[end++] = 0;
    while (head < end) {
        uint32_t state = queue[head++];
        uint32_t *row = p->next + (size_t)state * p->classes, *other = p->next + (size_t)fail[state] * p->classes;
        for (uint32_t c = 0; c < p->classes; c++) {
            uint32_t child = row[c];
            if (child == 0) {
                row[c] = state == 0 ? 0 : other[c];
                continue;
            }
            fail[child] = state == 0 ? 0 : other[c];
            if (p->found[child] == 0) {
                p->found[child] = p->found[fail[child]];
            }
            queue[end++] = child;
        }
    }
}

static Pattern *new_automaton(VM *vm, const Bytes *needles, size_t count) {
    size_t states = 1;
    for (size_t i = 0; i < count; i++) {
        states += needles[i].size;
    }
    uint8_t class_of[256];
    uint32_t classes = find_classes(needles, count, class_of);
    if (states > UINT32_MAX / 4 || states > PTRDIFF_MAX / 4 / (classes + 2)) {
        return NULL;
    }
    Pattern *p = new_pattern(vm, states * (classes + 2) * sizeof(uint32_t));
    uint32_t *work = mem_zalloc(&vm->mem, MEM_TEMPORARY, 2 * states * sizeof(uint32_t));
    if (p != NULL && work != NULL) {
        p->count = count;
        p->classes = classes;
        memcpy(p->class_of, class_of, sizeof class_of);
        p->next = (uint32_t *)p->data;
        p->depth = p->next + states * classes;
        p->found = p->depth + states;
        add_needles(p, needles, count);
        add_failures(p, work, work + states);
    } else if (p != NULL) {
        pattern_destroy(vm, &p->resource);
        p = NULL;
    }
    mem_free(&vm->mem, MEM_TEMPORARY, work, work == NULL ? 0 : 2 * states * sizeof(uint32_t));
    return p;
}

Pattern *pattern_new(VM *vm, const Bytes *needles, size_t count) {
    assert(count > 0);
    if (count > 1) {
        return new_automaton(vm, needles, count);
    }
    Pattern *p = new_pattern(vm, needles[0].size);
    if (p != NULL) {
        p->count = 1;
        p->length = needles[0].size;
        memcpy(p->data, needles[0].at, needles[0].size);
    }
    return p;
}

static bool find_one(const Pattern *p, const uint8_t *text, size_t size, size_t from, size_t stop, size_t *at) {
    size_t end = MIN(stop, size);
    end = size - end > p->length - 1 ? end + p->length - 1 : size;
    const uint8_t *hit =
        p->length == 1 ? memchr(text + from, *(const uint8_t *)p->data, end - from) : memmem(text + from, end - from, p->data, p->length);
    if (hit == NULL) {
        return false;
    }
    *at = (size_t)(hit - text);
    return true;
}

bool pattern_find(const Pattern *p, const uint8_t *text, size_t size, size_t from, size_t stop, size_t *at, size_t *length) {
    if (from >= size) {
        return false;
    }
    if (p->count == 1) {
        *length = p->length;
        return find_one(p, text, size, from, stop, at);
    }
    uint32_t state = 0;
    bool any = false;
    for (size_t i = from; i < size; i++) {
        if (state == 0) {
            while (i < size && !p->starts[text[i]]) {
                i++;
            }
            if (i == size || i >= stop) {
                return false;
            }
        }
        state = p->next[(size_t)state * p->classes + p->class_of[text[i]]];
        size_t start = i + 1 - p->depth[state]; /* of the leftmost needle that may still be under way */
        if (any ? start > *at : start >= stop) {
            return any;
        }
        size_t found = p->found[state];
        if (found > 0 && i + 1 - found < stop && (!any || i + 1 - found <= *at)) {
            *at = i + 1 - found, *length = found;
            any = true;
        }
    }
    return any;
}
