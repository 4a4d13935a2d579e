/* A queue of bytes: binaries go in at the back, runs of bytes come out at the front. Long ones are shared with the binaries
   they came from, short ones are put together. */
#ifndef MOTE_DATA_BYTE_QUEUE_H
#define MOTE_DATA_BYTE_QUEUE_H

#include "data/bits.h"

typedef struct {
    Buffer *buffer;    /* one reference is the queue's */
    size_t start, end; /* in bytes */
    bool ours;         /* nobody else refers to it: it may be filled up */
} QueueItem;

typedef struct {
    QueueItem *items;
    size_t first, count, capacity; /* items [first, first + count) */
    size_t size;                   /* bytes in all */
} ByteQueue;

/* All zero is an empty queue. */
void byte_queue_done(VM *vm, ByteQueue *q);                      /* empties it */
bool byte_queue_add(VM *vm, ByteQueue *q, term binary);          /* false: no memory */
Bytes byte_queue_peek(const ByteQueue *q, size_t i);             /* the i-th run; i < count */
void byte_queue_skip(VM *vm, ByteQueue *q, size_t n);            /* n <= size */
void byte_queue_copy(const ByteQueue *q, uint8_t *to, size_t n); /* the first n bytes */
term byte_queue_head(Heap *h, ByteQueue *q);                     /* the first run as a binary; the queue must not be empty */

#endif
