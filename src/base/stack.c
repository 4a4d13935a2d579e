/* The slow parts of the work stack. Not counted as anybody's memory, and no target of injected failures: see stack.h. */
#include "base/stack.h"

#include <stdlib.h>

void stack_grow(Stack *s, size_t more) {
    size_t used = (size_t)(s->top - s->start), size = 2 * (size_t)(s->end - s->start) + more;
    bool first = s->start == s->first;
    uintptr_t *p = realloc(first ? NULL : s->start, size * sizeof *p);
    if (p == NULL) {
        abort();
    }
    if (first) {
        memcpy(p, s->first, used * sizeof *p);
    }
    s->start = p, s->top = p + used, s->end = p + size;
}

void stack_free(Stack *s) {
    free(s->start);
}
