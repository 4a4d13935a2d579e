/* term/: literals, blocks, fragments, off-heap objects, the emergency reserve. */
#include "unit.h"

#include "term/atom.h"
#include "term/bitstring.h"
#include "term/literal.h"
#include "term/ref.h"

static void begin(VM *vm) {
    memset(vm, 0, sizeof *vm);
    mem_init(&vm->mem);
    CHECK(terms_init(vm));
}

static void end(VM *vm) {
    terms_done(vm);
    CHECK(mem_total(&vm->mem) == 0);
}

TEST(literals) {
    VM vm;
    begin(&vm);
    term *p[100];
    for (size_t i = 0; i < 100; i++) {
        p[i] = literal_alloc(&vm, i + 1);
        CHECK(is_literal_address(&vm, p[i]));
        memset(p[i], (int)i, (i + 1) * sizeof(term));
    }
    size_t all = literal_bytes(&vm);
    for (size_t i = 0; i < 100; i += 2) {
        literal_free(&vm, p[i], i + 1, NONE);
    }
    for (size_t i = 1; i < 100; i += 2) {
        CHECK(((uint8_t *)p[i])[0] == i && ((uint8_t *)(p[i] + i + 1))[-1] == i);
        literal_free(&vm, p[i], i + 1, NONE);
    }
    CHECK(literal_bytes(&vm) < all && literal_alloc(&vm, 5000) == p[0]);
    CHECK(literal_alloc(&vm, (size_t)1 << 40) == NULL);
    CHECK(is_tuple_of(literal_empty_tuple(&vm), 0));
    end(&vm);
}

TEST(heap_block_then_fragments) {
    VM vm;
    begin(&vm);
    Heap h;
    CHECK(heap_init(&h, &vm, 32));
    term list = NIL;
    for (int i = 0; i < 1000; i++) {
        list = heap_cons(&h, SMALL(i), list);
    }
    for (int i = 999; i >= 0; i--, list = tail(list)) {
        CHECK(head(list) == SMALL(i));
    }
    CHECK(list == NIL && h.fragments != NULL && !h.doomed);
    CHECK(heap_wants_collection(&h));
    term *big = heap_alloc(&h, 10000);
    heap_release(&h, big + 10, big + 10000);
    CHECK(heap_alloc(&h, 1) == big + 10);
    term t = TUPLE3(&h, A_badarg, SMALL(1), NIL);
    CHECK(tuple_arity(t) == 3 && element(t, 1) == A_badarg && heap_tuple(&h, 0) == literal_empty_tuple(&vm));
    heap_done(&h);
    end(&vm);
}

static int destroyed;
static void destroy(VM *vm, Resource *r) {
    destroyed++;
    MEM_DELETE(&vm->mem, MEM_SYSTEM, r);
}

TEST(heap_off_heap_objects) {
    VM vm;
    begin(&vm);
    Heap h, message;
    destroyed = 0;
    CHECK(heap_init(&h, &vm, 100));
    heap_init_detached(&message, &vm);
    Buffer *b = buffer_new(&vm, 100000);
    buffer_share(b);
    heap_buffer_ref(&h, b, false);
    heap_buffer_ref(&message, b, false);
    Resource *r = MEM_NEW(&vm.mem, MEM_SYSTEM, Resource);
    r->refs = 1, r->destroy = destroy;
    term ref = heap_magic_ref(&message, r);
    CHECK(is_magic_ref(ref) && magic_resource(ref) == r);
    heap_adopt(&h, heap_detach(&message));
    CHECK(message.fragments == NULL && h.fragments != NULL && heap_wants_collection(&h));
    heap_done(&message);
    CHECK(b->refs == 2 && destroyed == 0);
    heap_done(&h);
    CHECK(destroyed == 1);
    end(&vm);
}

TEST(heap_reserve) {
    VM vm;
    begin(&vm);
    Heap h;
    CHECK(heap_init(&h, &vm, 16));
    vm.mem.fail_after = 0;
    term list = NIL;
    for (int i = 0; i < 100000; i++) {
        list = heap_cons(&h, SMALL(i), list);
    }
    CHECK(heap_alloc(&h, HEAP_SURE) != NULL && heap_alloc(&h, HEAP_SURE + 1) == NULL && h.doomed);
    heap_done(&h);
    CHECK(!heap_init(&h, &vm, 16));
    vm.mem.fail_after = -1;
    end(&vm);
}

TEST(refs) {
    VM vm;
    begin(&vm);
    Heap h;
    CHECK(heap_init(&h, &vm, 100));
    term a = ref_make(&h), b = ref_make(&h), c = ref_make_alias(&h, make_pid(5));
    CHECK(ref_low(a) != ref_low(b) && is_local_ref(a) && !is_alias(a) && is_alias(c) && alias_pid(c) == make_pid(5));
    CHECK((ref_low(a) & 0xffffffff) <= 0x3ffff && ref_high(a) <= 0xffffffff);
    CHECK(unique_integer(&vm) == 1 && unique_integer(&vm) == 2);
    heap_done(&h);
    end(&vm);
}
