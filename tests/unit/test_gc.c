/* term/: garbage collection: random graphs keep their shape and sharing through all kinds of collections. */
#include "unit.h"

#include "term/atom.h"
#include "term/bitstring.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/gc.h"
#include "term/literal.h"
#include "term/ref.h"

enum { ROOTS = 12, STACK = 20 };

static VM vm;
static Heap h, shadow;
static term roots[ROOTS];
static uint64_t seed;
static int alive; /* resources */

static uint32_t pick(uint32_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static void destroy(VM *v, Resource *r) {
    alive--;
    MEM_DELETE(&v->mem, MEM_SYSTEM, r);
}

static term any(void) {
    switch (pick(4)) {
    case 0: return SMALL((intptr_t)pick(1000));
    case 1: return pick(2) ? NIL : A_badarg;
    case 2: return h.sp[pick((uint32_t)(h.end - h.sp))];
    default: return roots[pick(ROOTS)];
    }
}

static term bits_of_size(size_t n) {
    size_t words = HEAP_BITS_HEAD + (n + 63) / 64;
    term *p = heap_alloc(&h, words);
    p[0] = HEADER(words - 1, KIND_BITS), p[1] = n;
    memset(p + 2, (int)pick(256), (words - 2) * sizeof *p);
    return make_boxed(p);
}

static term some_object(void) {
    switch (pick(9)) {
    case 0: {
        size_t n = 1 + pick(pick(10) == 0 ? 60 : 5);
        term *p = heap_alloc(&h, n + 1);
        p[0] = HEADER(n, KIND_TUPLE);
        for (size_t i = 1; i <= n; i++) {
            p[i] = any();
        }
        return make_boxed(p);
    }
    case 1: return heap_float(&h, pick(100));
    case 2: return bits_of_size(pick(300));
    case 3: {
        View *v = (View *)heap_alloc(&h, VIEW_WORDS);
        *v = (View){HEADER(VIEW_WORDS - 1, KIND_VIEW), NONE, 3, 60};
        term t = make_boxed(v);
        v->base = bits_of_size(64);
        return t;
    }
    case 4: {
        Buffer *b = buffer_new(&vm, 100 + pick(5000));
        memset(b->data, 7, b->capacity);
        View *v = (View *)heap_alloc(&h, VIEW_WORDS);
        *v = (View){HEADER(VIEW_WORDS - 1, KIND_VIEW), heap_buffer_ref(&h, b, false), 0, 800};
        return make_boxed(v);
    }
    case 5: {
        Resource *r = MEM_NEW(&vm.mem, MEM_SYSTEM, Resource);
        r->refs = 1, r->destroy = destroy, alive++;
        return heap_magic_ref(&h, r);
    }
    case 6: { /* a fun: a raw word that looks like a header, then terms */
        term *p = heap_alloc(&h, 5);
        p[0] = HEADER(4, KIND_FUN), p[1] = 0x1000, p[2] = make_pid(3), p[3] = any(), p[4] = any();
        return make_boxed(p);
    }
    default: {
        term t = heap_cons(&h, any(), any());
        return pick(3) == 0 ? heap_cons(&h, t, t) : t;
    }
    }
}

/* The whole state as one term, so that one comparison sees everything, and one measure sees all sharing. */
static term everything(Heap *to) {
    return TUPLE2(to, heap_list(to, roots, ROOTS, NIL), heap_list(to, h.sp, (size_t)(h.end - h.sp), NIL));
}

static void check_round(GcRequest r) {
    Heap view;
    heap_init_detached(&view, &vm);
    term before = everything(&view);
    size_t size = term_shared_size(&vm, before), words = term_size(&vm, before);
    term kept = words > 3000000 ? NONE : term_copy(&shadow, before);
    heap_done(&view);
    Roots set = {roots, ROOTS};
    CHECK(gc_collect(&h, &r, &set, 1) == GC_OK);
    CHECK((size_t)(h.sp - h.top) >= r.need + HEAP_RESERVE && h.fragments == NULL && h.fragment_words == 0);
    term after = everything(&view);
    CHECK(term_shared_size(&vm, after) == size);
    CHECK(kept == NONE || term_same(&vm, kept, after));
    heap_done(&view);
    heap_done(&shadow);
}

static void begin(size_t words) {
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    CHECK(terms_init(&vm));
    CHECK(heap_init(&h, &vm, words));
    heap_init_detached(&shadow, &vm);
    for (int i = 0; i < ROOTS; i++) {
        roots[i] = NIL;
    }
    h.sp -= STACK;
    for (int i = 0; i < STACK; i++) {
        h.sp[i] = i % 5 == 0 ? (term)0x4000 : NIL; /* return addresses between values */
        if (i % 5 == 0) {
            h.sp[i] = NIL;
        }
    }
    alive = 0;
}

static void end(void) {
    heap_done(&h);
    CHECK(alive == 0);
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}

TEST(gc_random_graphs) {
    for (uint64_t s = 1; s <= 6; s++) {
        seed = s;
        begin(300);
        LiteralBlock literal;
        roots[0] = term_copy_to_literal(&vm, TUPLE2(&h, SMALL(1), heap_latin1_list(&h, "literal", 7)), &literal);
        term constant = roots[0];
        for (int round = 0; round < 150; round++) {
            uint32_t steps = pick(round % 20 == 0 ? 3000 : 100);
            for (uint32_t i = 0; i < steps; i++) {
                term t = some_object();
                if (pick(3) == 0) {
                    h.sp[pick(STACK)] = t;
                } else {
                    roots[pick(ROOTS)] = t;
                }
            }
            if (pick(20) == 0) { /* much becomes garbage */
                for (int i = 0; i < ROOTS; i++) {
                    roots[i] = i == 0 ? constant : SMALL(i);
                }
            }
            Heap message;
            heap_init_detached(&message, &vm);
            roots[1] = term_copy(&message, term_size(&vm, roots[1]) > 100000 ? NIL : roots[1]);
            heap_adopt(&h, heap_detach(&message));
            h.reds = pick(4000);
            check_round((GcRequest){.full = pick(10) == 0, .shrink = pick(25) == 0, .need = pick(200), .min_words = 233});
        }
        end();
    }
}

TEST(gc_long_list) {
    begin(233);
    Roots set = {roots, 1};
    GcRequest r = {.need = 2, .min_words = 233};
    int collections = 0;
    for (int i = 0; i < 1000000; i++) {
        if (h.sp - h.top < 2 + HEAP_RESERVE) {
            CHECK(gc_collect(&h, &r, &set, 1) == GC_OK);
            collections++;
        }
        roots[0] = heap_cons(&h, SMALL(i), roots[0]);
    }
    CHECK(h.fragments == NULL);
    term t = roots[0];
    for (int i = 999999; i >= 0 && t != NIL; i--, t = tail(t)) {
        CHECK(head(t) == SMALL(i));
    }
    CHECK(t == NIL);
    roots[0] = NIL;
    CHECK(gc_collect(&h, &(GcRequest){.full = true, .need = 2, .min_words = 233}, &set, 1) == GC_OK);
    HeapSizes sizes = gc_sizes(&h);
    CHECK(sizes.old_used == 0 && sizes.heap_used == 0);
    CHECK(gc_collect(&h, &(GcRequest){.shrink = true}, &set, 1) == GC_OK);
    CHECK(gc_sizes(&h).heap_block == STACK + HEAP_RESERVE);
    end();
}

TEST(gc_limits) {
    begin(300);
    Roots set = {roots, ROOTS};
    term list = NIL;
    for (int i = 0; i < 5000; i++) {
        list = heap_cons(&h, SMALL(i), list);
    }
    roots[3] = list;
    vm.mem.fail_after = 0;
    CHECK(gc_collect(&h, &(GcRequest){.need = 10}, &set, 1) == GC_NO_MEMORY);
    vm.mem.fail_after = -1;
    CHECK(roots[3] == list);
    CHECK(gc_collect(&h, &(GcRequest){.need = 10, .max_words = 100}, &set, 1) == GC_TOO_LARGE);
    CHECK(gc_collect(&h, &(GcRequest){.need = 10, .max_words = 1000000}, &set, 1) == GC_OK);
    CHECK(gc_next_size(233) == 233 && gc_next_size(234) == 376 && gc_next_size(1) == 12);
    end();
}

TEST(gc_leaving_literals) {
    begin(300);
    Roots set = {roots, ROOTS};
    Buffer *b = buffer_new(&vm, 1000);
    View *v = (View *)heap_alloc(&h, VIEW_WORDS);
    *v = (View){HEADER(VIEW_WORDS - 1, KIND_VIEW), heap_buffer_ref(&h, b, false), 0, 8000};
    term shared = heap_latin1_list(&h, "shared", 6);
    LiteralBlock stays, goes;
    term other = term_copy_to_literal(&vm, heap_latin1_list(&h, "stays", 5), &stays);
    term literal = term_copy_to_literal(&vm, TUPLE4(&h, shared, shared, make_boxed(v), A_badarg), &goes);
    CHECK(!gc_mentions(&h, &set, 1, &goes));
    roots[0] = TUPLE3(&h, literal, tail(element(literal, 1)), other);
    roots[1] = heap_cons(&h, other, literal);
    CHECK(gc_mentions(&h, &set, 1, &goes) && gc_mentions(&h, &set, 1, &stays));
    term copy = term_copy_literals_too(&shadow, TUPLE2(&shadow, roots[0], roots[1]));
    CHECK(gc_collect(&h, &(GcRequest){.full = true, .leaving = &goes}, &set, 1) == GC_OK);
    CHECK(!gc_mentions(&h, &set, 1, &goes) && element(roots[0], 3) == other);
    CHECK(element(roots[0], 1) == tail(roots[1]) && element(roots[0], 2) == tail(element(element(roots[0], 1), 1)));
    literal_free(&vm, goes.at, goes.words, goes.off_heap);
    CHECK(term_same(&vm, TUPLE2(&h, roots[0], roots[1]), copy));
    heap_done(&shadow);
    CHECK(buffer_refs(b) == 1);
    literal_free(&vm, stays.at, stays.words, stays.off_heap);
    end();
}
