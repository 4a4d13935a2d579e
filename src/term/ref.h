/* References, unique integers and the identity of this node. */
#ifndef MOTE_TERM_REF_H
#define MOTE_TERM_REF_H

#include "term/heap.h"

enum { REFS_AT_ONCE = 1024 }; /* a thread takes so many numbers for itself, from a multiple of it on: threads do not wait for each other */

bool identity_init(VM *vm);
void identity_done(VM *vm);
term node_name(const VM *vm); /* nonode@nohost until distribution says otherwise */
uint32_t node_creation(const VM *vm);
term ref_make(Heap *h); /* a fresh local reference */
term ref_make_alias(Heap *h, term pid);
/* The number's words in the external format are w0 (18 bits), w1, w2: low is w1 << 32 | w0, high is w2. Printed w2.w1.w0. */
term ref_write(term *at, uint64_t low, uint64_t high); /* REF_WORDS words */
term ref_write_fresh(VM *vm, term *at);                /* a fresh number */
uint64_t unique_integer(VM *vm);                       /* strictly increasing from 1, per VM */

static inline uint64_t port_number(term t) {
    if (is_local_port(t)) {
        return pid_data(t);
    }
    const External *e = (External *)boxed(t);
    return (uint64_t)e->number[0] << 32 | e->number[1];
}

static inline uint64_t ref_low(term t) {
    uint64_t low;
    memcpy(&low, ((Ref *)boxed(t))->number, sizeof low);
    return low;
}
static inline uint64_t ref_high(term t) {
    uint64_t high;
    memcpy(&high, (uint8_t *)((Ref *)boxed(t))->number + 8, sizeof high);
    return high;
}
/* The words of a reference's number as in the external format, least significant first; returns how many (3 to 5). */
size_t ref_words(term t, uint32_t words[5]);
static inline bool is_alias(term t) {
    return is_local_ref(t) && HEADER_WORDS(header_of(t)) == ALIAS_WORDS - 1;
}
static inline term alias_pid(term t) {
    return ((Ref *)boxed(t))->of;
}
static inline Resource *magic_resource(term t) {
    return (Resource *)((Ref *)boxed(t))->of;
}

#endif
