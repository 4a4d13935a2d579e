/* A queue of bytes. */
#include "data/byte_queue.h"

enum { SHARED_MIN = 256, OURS_SIZE = 2048 };

void byte_queue_done(VM *vm, ByteQueue *q) {
    for (size_t i = 0; i < q->count; i++) {
        buffer_release(vm, q->items[q->first + i].buffer);
    }
    mem_free(&vm->mem, MEM_SYSTEM, q->items, q->capacity * sizeof *q->items);
    *q = (ByteQueue){0};
}

static bool add_item(VM *vm, ByteQueue *q, QueueItem item) {
    if (q->first + q->count == q->capacity) {
        if (q->first > q->capacity / 2) {
            memmove(q->items, q->items + q->first, q->count * sizeof *q->items);
            q->first = 0;
        } else {
            size_t capacity = MAX(2 * q->capacity, 4), size = sizeof *q->items;
            QueueItem *items = mem_resize(&vm->mem, MEM_SYSTEM, q->items, q->capacity * size, capacity * size);
            if (items == NULL) {
                return false;
            }
            q->items = items, q->capacity = capacity;
        }
    }
    q->items[q->first + q->count++] = item;
    q->size += item.end - item.start;
    return true;
}

/* Copies bits that cannot be shared, into the last item if it has room. */
static bool add_copy(VM *vm, ByteQueue *q, Bits b) {
    size_t n = b.size / 8;
    QueueItem *last = q->count > 0 ? &q->items[q->first + q->count - 1] : NULL;
    if (last == NULL || !last->ours || buffer_refs(last->buffer) != 1 || last->buffer->capacity - last->end < n) {
        Buffer *buffer = buffer_new(vm, MAX(n, OURS_SIZE));
        if (buffer == NULL || !add_item(vm, q, (QueueItem){buffer, 0, 0, true})) {
            if (buffer != NULL) {
                buffer_release(vm, buffer);
            }
            return false;
        }
        last = &q->items[q->first + q->count - 1];
    }
    bitrun_copy(last->buffer->data, last->end * 8, b.at, b.start, b.size);
    last->end += n;
    last->buffer->used = last->end * 8;
    q->size += n;
    return true;
}

bool byte_queue_add(VM *vm, ByteQueue *q, term binary) {
    Bits b = bits_of(binary);
    assert(b.size % 8 == 0);
    if (b.size == 0) {
        return true;
    }
    const View *v = (const View *)boxed(binary);
    if (b.size < SHARED_MIN * 8 || b.start != 0 || kind_of(binary) != KIND_VIEW || kind_of(v->base) != KIND_BUFFER) {
        return add_copy(vm, q, b);
    }
    Buffer *buffer = ((BufferRef *)boxed(v->base))->buffer;
    if (!add_item(vm, q, (QueueItem){buffer, v->start / 8, v->end / 8, false})) {
        return false;
    }
    buffer_share(buffer);
    return true;
}

Bytes byte_queue_peek(const ByteQueue *q, size_t i) {
    assert(i < q->count);
    const QueueItem *item = &q->items[q->first + i];
    return (Bytes){item->buffer->data + item->start, item->end - item->start};
}

void byte_queue_skip(VM *vm, ByteQueue *q, size_t n) {
    assert(n <= q->size);
    q->size -= n;
    while (n > 0) {
        QueueItem *item = &q->items[q->first];
        size_t here = MIN(n, item->end - item->start);
        item->start += here;
        n -= here;
        if (item->start == item->end) {
            buffer_release(vm, item->buffer);
            q->first++, q->count--;
        }
    }
    if (q->count == 0) {
        q->first = 0;
    }
}

void byte_queue_copy(const ByteQueue *q, uint8_t *to, size_t n) {
    assert(n <= q->size);
    for (size_t i = 0; n > 0; i++) {
        Bytes b = byte_queue_peek(q, i);
        size_t here = MIN(n, b.size);
        memcpy(to, b.at, here);
        to += here, n -= here;
    }
}

term byte_queue_head(Heap *h, ByteQueue *q) {
    assert(q->count > 0);
    QueueItem *item = &q->items[q->first];
    item->ours = false;
    return bits_from_buffer(h, buffer_share(item->buffer), item->start * 8, item->end * 8);
}
