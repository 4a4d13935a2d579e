/* A stack of words for walking deep structures without recursion: it begins on the C stack and grows in memory of its own.
   It cannot fail in a way that its users could handle: when there is truly no memory left, the program ends. */
#ifndef MOTE_BASE_STACK_H
#define MOTE_BASE_STACK_H

#include "base/base.h"

enum { STACK_FIRST = 120 };

typedef struct {
    uintptr_t *top, *end, *start;
    uintptr_t first[STACK_FIRST];
} Stack;

static inline void stack_init(Stack *s) {
    s->top = s->start = s->first;
    s->end = s->first + STACK_FIRST;
}
void stack_grow(Stack *s, size_t more);
void stack_free(Stack *s);
static inline void stack_done(Stack *s) {
    if (UNLIKELY(s->start != s->first)) {
        stack_free(s);
    }
}
/* Room for n words at the top: to be filled in by the caller. */
static inline uintptr_t *stack_room(Stack *s, size_t n) {
    if (UNLIKELY((size_t)(s->end - s->top) < n)) {
        stack_grow(s, n);
    }
    uintptr_t *p = s->top;
    s->top += n;
    return p;
}
static inline void stack_push(Stack *s, uintptr_t word) {
    *stack_room(s, 1) = word;
}
static inline uintptr_t stack_pop(Stack *s) {
    assert(s->top > s->start);
    return *--s->top;
}
static inline bool stack_is_empty(const Stack *s) {
    return s->top == s->start;
}

#endif
