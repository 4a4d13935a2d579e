/* The life of counted buffers. */
#include "term/bitstring.h"

#include "base/account.h"

void buffer_charge(VM *vm, Buffer *b, Account *to) {
    Account *was = b->account;
    size_t bytes = sizeof *b + b->capacity;
    b->account = account_keep(to);
    account_add(to, ACCOUNT_MEMORY, bytes);
    account_add(was, ACCOUNT_MEMORY, (size_t)0 - bytes);
    account_release(&vm->mem, was);
}

Buffer *buffer_new(VM *vm, size_t capacity) {
    if (capacity > PTRDIFF_MAX - sizeof(Buffer)) {
        return NULL;
    }
    Buffer *b = mem_alloc(&vm->mem, MEM_BINARY, sizeof *b + capacity);
    if (b != NULL) {
        *b = (Buffer){.refs = 1, .capacity = capacity, .used = 0, .data = (uint8_t *)(b + 1)};
        if (UNLIKELY(account_here != NULL)) {
            buffer_charge(vm, b, account_here);
        }
    }
    return b;
}

Buffer *buffer_resize(VM *vm, Buffer *b, size_t capacity) {
    assert(buffer_refs(b) == 1);
    if (capacity > PTRDIFF_MAX - sizeof(Buffer)) {
        return NULL;
    }
    b = mem_resize(&vm->mem, MEM_BINARY, b, sizeof *b + b->capacity, sizeof *b + capacity);
    if (b != NULL) {
        account_add(b->account, ACCOUNT_MEMORY, capacity - b->capacity);
        b->capacity = capacity;
        b->data = (uint8_t *)(b + 1);
    }
    return b;
}

/* Behind the struct stands the resource. */
Buffer *buffer_over(VM *vm, Resource *r, const void *data, size_t size) {
    Buffer *b = buffer_new(vm, sizeof r);
    if (b != NULL) {
        resource_keep(r);
        memcpy(b->data, &r, sizeof r);
        b->data = (uint8_t *)data;
        b->used = size * 8;
    }
    return b;
}

Resource *buffer_resource(const Buffer *b) {
    Resource *r = NULL;
    if (b->data != (const uint8_t *)(b + 1)) {
        memcpy(&r, b + 1, sizeof r);
    }
    return r;
}

void buffer_release(VM *vm, Buffer *b) {
    if (__atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        Resource *r = buffer_resource(b);
        if (UNLIKELY(r != NULL)) {
            resource_release(vm, r);
        }
        if (UNLIKELY(b->account != NULL)) {
            buffer_charge(vm, b, NULL);
        }
        mem_free(&vm->mem, MEM_BINARY, b, sizeof *b + b->capacity);
    }
}

void buffer_trust(Buffer *b) {
    b->trusted = true;
}

bool bits_are_trusted(term t) {
    const View *v = (const View *)boxed(t);
    if (HEADER_KIND(v->header) == KIND_BITS || HEADER_KIND(*(term *)boxed(v->base)) != KIND_BUFFER) {
        return false;
    }
    const Buffer *b = ((const BufferRef *)boxed(v->base))->buffer;
    return b->trusted && v->start == 0 && v->end == b->used;
}
