/* MD5 (RFC 1321): what erlang:md5 and the identity of modules use. Not for secrets. */
#ifndef MOTE_DATA_MD5_H
#define MOTE_DATA_MD5_H

#include "base/base.h"

/* The state between updates; plain data, may be copied (erlang:md5_update/2 keeps it in a binary). */
typedef struct {
    uint32_t state[4];
    uint64_t size;     /* bytes so far */
    uint8_t block[64]; /* the last size % 64 of them */
} Md5;

void md5_init(Md5 *m);
void md5_update(Md5 *m, const void *bytes, size_t size);
void md5_final(Md5 *m, uint8_t digest[16]);

#endif
