/* The literal area: an allocator over one reserved range. Free blocks are linked in the order of their addresses and joined
   with their neighbours; what is freed at the end goes back to the untouched rest. */
#include "term/literal.h"

#include "base/lock.h"
#include "platform/platform.h"
#include "term/bitstring.h"

enum { UNIT = 16, PAGE = 4096, FORGET = 16 * PAGE, SWEEP_MIN = 64 * 1024 };

typedef struct Free {
    size_t size; /* in bytes, a multiple of UNIT */
    struct Free *next;
} Free;
_Static_assert(sizeof(Free) <= UNIT, "a free block must hold its own description");

typedef struct Literals {
    Lock lock;
    uint8_t *start, *top, *end; /* above top nothing has been used yet */
    Free *free;
    size_t used;
    term empty_tuple;
    LiteralBlock *retired;
    size_t retired_count, retired_room, retired_words;
    size_t sweep_words; /* retired words that call for a sweep: twice what the last one left */
    bool sweep_asked;
} Literals;

bool literals_init(VM *vm) {
    Literals *l = MEM_NEW(&vm->mem, MEM_CODE, Literals);
    if (l == NULL) {
        return false;
    }
    size_t size = sizeof(term) == 8 ? (size_t)1 << 30 : (size_t)64 << 20;
    while ((l->start = platform_reserve(size + size / 2)) == NULL && size > 64 << 10) { /* there must be some left for all else */
        size /= 4;
    }
    if (l->start == NULL) {
        MEM_DELETE(&vm->mem, MEM_CODE, l);
        return false;
    }
    platform_release(l->start + size, size / 2);
    vm->literals = l;
    l->top = l->start, l->end = l->start + size;
    vm->literal_start = (uintptr_t)l->start, vm->literal_end = (uintptr_t)l->end;
    term *tuple = literal_alloc(vm, 1);
    tuple[0] = HEADER(0, KIND_TUPLE);
    l->empty_tuple = make_boxed(tuple);
    return true;
}

void literals_done(VM *vm) {
    Literals *l = vm->literals;
    if (l != NULL) {
        for (size_t i = 0; i < l->retired_count; i++) {
            off_heap_release(vm, l->retired[i].off_heap);
        }
        mem_free(&vm->mem, MEM_CODE, l->retired, l->retired_room * sizeof *l->retired);
        platform_release(l->start, (size_t)(l->end - l->start));
        MEM_DELETE(&vm->mem, MEM_CODE, l);
        vm->literals = NULL;
        vm->literal_start = vm->literal_end = 0;
    }
}

static void *take(Literals *l, size_t size) {
    for (Free **at = &l->free; *at != NULL; at = &(*at)->next) {
        Free *f = *at;
        if (f->size >= size) {
            if (f->size == size) {
                *at = f->next;
            } else {
                Free *rest = (Free *)((uint8_t *)f + size);
                rest->size = f->size - size, rest->next = f->next;
                *at = rest;
            }
            return f;
        }
    }
    if ((size_t)(l->end - l->top) < size) {
        return NULL;
    }
    l->top += size;
    return l->top - size;
}

term *literal_alloc(VM *vm, size_t words) {
    Literals *l = vm->literals;
    if (words > (size_t)(l->end - l->start) / sizeof(term)) {
        return NULL;
    }
    size_t size = round_up(MAX(words, 1) * sizeof(term), UNIT);
    lock_take(&l->lock);
    void *p = take(l, size);
    if (p != NULL) {
        l->used += size;
    }
    lock_give(&l->lock);
    return p;
}

static void give(Literals *l, uint8_t *block, size_t size) {
    Free *before = NULL, *after = l->free;
    while (after != NULL && (uint8_t *)after < block) {
        before = after, after = after->next;
    }
    Free *f = (Free *)block;
    f->size = size, f->next = after;
    if (after != NULL && block + size == (uint8_t *)after) {
        f->size += after->size, f->next = after->next;
    }
    if (before != NULL && (uint8_t *)before + before->size == block) {
        before->size += f->size, before->next = f->next;
        f = before;
    } else if (before != NULL) {
        before->next = f;
    } else {
        l->free = f;
    }
    if (f->size >= FORGET) { /* give the pages inside back to the system */
        uintptr_t from = round_up((uintptr_t)(f + 1), PAGE), to = ((uintptr_t)f + f->size) / PAGE * PAGE;
        platform_forget((void *)from, to - from);
    }
}

void literal_free(VM *vm, term *block, size_t words, term off_heap) {
    Literals *l = vm->literals;
    if (block == NULL) {
        return;
    }
    assert(is_literal_address(vm, block));
    off_heap_release(vm, off_heap);
    size_t size = round_up(MAX(words, 1) * sizeof(term), UNIT);
    HEAP_POISON(block, size);
    lock_take(&l->lock);
    assert(l->used >= size);
    l->used -= size;
    give(l, (uint8_t *)block, size);
    lock_give(&l->lock);
}

/* What freeing it gives back, buffers of its binaries included. */
static size_t weight(const LiteralBlock *block) {
    size_t words = block->words;
    for (term object = block->off_heap; object != NONE; object = *off_heap_next(object)) {
        words += buffer_bytes(object) / sizeof(term);
    }
    return words;
}

void literal_retire(VM *vm, const LiteralBlock *block) {
    Literals *l = vm->literals;
    if (block->words == 0) {
        return;
    }
    lock_take(&l->lock);
    if (l->retired_count == l->retired_room) {
        size_t room = MAX(16, 2 * l->retired_room);
        LiteralBlock *bigger = mem_resize(&vm->mem, MEM_CODE, l->retired, l->retired_room * sizeof *bigger, room * sizeof *bigger);
        if (bigger != NULL) {
            l->retired = bigger, l->retired_room = room;
        }
    }
    if (l->retired_count < l->retired_room) { /* else it stays for ever: better than a process that points to nothing */
        l->retired[l->retired_count++] = *block;
        __atomic_fetch_add(&l->retired_words, weight(block), __ATOMIC_RELAXED);
    }
    lock_give(&l->lock);
}

size_t literal_retired_words(const VM *vm) {
    return vm->literals->retired_words;
}

bool literals_want_sweep(const VM *vm) {
    const Literals *l = vm->literals;
    return __atomic_load_n(&l->sweep_asked, __ATOMIC_RELAXED) ||
           __atomic_load_n(&l->retired_words, __ATOMIC_RELAXED) >
               MAX(__atomic_load_n(&l->sweep_words, __ATOMIC_RELAXED), (size_t)SWEEP_MIN);
}

void literals_ask_sweep(VM *vm) {
    __atomic_store_n(&vm->literals->sweep_asked, true, __ATOMIC_RELAXED);
}

LiteralBlock *literal_take_retired(VM *vm, size_t *count) {
    Literals *l = vm->literals;
    lock_take(&l->lock);
    LiteralBlock *blocks = mem_resize(&vm->mem, MEM_CODE, l->retired, l->retired_room * sizeof *blocks, l->retired_count * sizeof *blocks);
    *count = blocks == NULL ? 0 : l->retired_count;
    l->sweep_asked = false;
    if (blocks != NULL || l->retired_count == 0) {
        l->retired = NULL;
        l->retired_count = l->retired_room = l->retired_words = 0;
    }
    lock_give(&l->lock);
    return blocks;
}

void literal_free_retired(VM *vm, LiteralBlock *blocks, size_t count) {
    for (size_t i = 0; i < count; i++) {
        literal_free(vm, blocks[i].at, blocks[i].words, blocks[i].off_heap);
    }
    vm->literals->sweep_words = 2 * vm->literals->retired_words;
    mem_free(&vm->mem, MEM_CODE, blocks, count * sizeof *blocks);
}

size_t literal_bytes(const VM *vm) {
    return vm->literals->used;
}

term literal_empty_tuple(const VM *vm) {
    return vm->literals->empty_tuple;
}
