/* References, unique integers and the identity of this node. */
#include "term/ref.h"

#include "platform/platform.h"
#include "term/atom.h"

typedef struct Identity {
    uint64_t refs;   /* numbers below it have been taken (atomic) */
    uint64_t unique; /* last unique integer (atomic) */
    term name;
    uint32_t creation;
} Identity;

/* The numbers this thread has taken for itself. */
static _Thread_local struct {
    const Identity *of; /* there may be several VMs */
    uint64_t next, end;
} refs_here;

bool identity_init(VM *vm) {
    Identity *i = vm->identity = MEM_NEW(&vm->mem, MEM_SYSTEM, Identity);
    if (i == NULL) {
        return false;
    }
    /* So that references of different runs differ, as far as a clock can tell. */
    i->refs = (vm->seeded ? vm->seed << 32 : (uint64_t)platform_system_time()) / REFS_AT_ONCE * REFS_AT_ONCE;
    i->name = A_nonode_at_nohost;
    return true;
}

void identity_done(VM *vm) {
    if (vm->identity != NULL) {
        refs_here.of = NULL;
        MEM_DELETE(&vm->mem, MEM_SYSTEM, vm->identity);
        vm->identity = NULL;
    }
}

term node_name(const VM *vm) {
    return vm->identity->name;
}

uint32_t node_creation(const VM *vm) {
    return vm->identity->creation;
}

uint64_t unique_integer(VM *vm) {
    return __atomic_add_fetch(&vm->identity->unique, 1, __ATOMIC_RELAXED);
}

term ref_write(term *at, uint64_t low, uint64_t high) {
    at[0] = HEADER(REF_WORDS - 1, KIND_REF);
    memcpy((uint8_t *)(at + 1), &low, sizeof low);
    memcpy((uint8_t *)(at + 1) + 8, &high, sizeof high);
    return make_boxed(at);
}

static uint64_t next_number(VM *vm) {
    Identity *i = vm->identity;
    if (UNLIKELY(refs_here.of != i || refs_here.next == refs_here.end)) {
        refs_here.of = i;
        refs_here.next = __atomic_fetch_add(&i->refs, REFS_AT_ONCE, __ATOMIC_RELAXED);
        refs_here.end = refs_here.next + REFS_AT_ONCE;
    }
    return refs_here.next++;
}

/* Spreads a running number over the external form's words, of which the first has only 18 bits. */
term ref_write_fresh(VM *vm, term *at) {
    uint64_t n = next_number(vm);
    return ref_write(at, (n & 0x3ffff) | (n >> 18 & 0xffffffff) << 32, n >> 50);
}

size_t ref_words(term t, uint32_t words[5]) {
    memset(words, 0, 5 * sizeof *words);
    if (!is_local_ref(t)) {
        const External *e = (External *)boxed(t);
        memcpy(words, e->number, e->count * sizeof *words);
        return e->count;
    }
    uint64_t low = ref_low(t);
    words[0] = (uint32_t)low, words[1] = (uint32_t)(low >> 32), words[2] = (uint32_t)ref_high(t);
    return 3;
}

term ref_make(Heap *h) {
    return ref_write_fresh(h->vm, heap_alloc(h, REF_WORDS));
}

term ref_make_alias(Heap *h, term pid) {
    term *at = heap_alloc(h, ALIAS_WORDS);
    ref_write_fresh(h->vm, at);
    at[0] = HEADER(ALIAS_WORDS - 1, KIND_REF);
    at[REF_WORDS] = pid;
    return make_boxed(at);
}

term heap_magic_ref(Heap *h, Resource *r) {
    term *at = heap_alloc(h, MAGIC_WORDS);
    ref_write_fresh(h->vm, at);
    at[0] = HEADER(MAGIC_WORDS - 1, KIND_REF);
    at[REF_WORDS] = (term)r;
    at[REF_WORDS + 1] = NONE;
    term ref = make_boxed(at);
    heap_link_off_heap(h, ref);
    return ref;
}
