/* The tags of the external term format. */
#ifndef MOTE_DATA_EXTERNAL_TAGS_H
#define MOTE_DATA_EXTERNAL_TAGS_H

enum {
    TAG_RECORD = 67, /* OTP 29 */
    TAG_NEW_FLOAT = 70,
    TAG_BIT_BINARY = 77,
    TAG_COMPRESSED = 80,
    TAG_CACHED_ATOM = 82, /* only where there is a cache: what nodes send each other */
    TAG_NEW_PID = 88,
    TAG_NEW_PORT = 89,
    TAG_NEWER_REFERENCE = 90,
    TAG_SMALL_INTEGER = 97,
    TAG_INTEGER = 98,
    TAG_FLOAT_TEXT = 99,
    TAG_ATOM_LATIN1 = 100,
    TAG_REFERENCE = 101,
    TAG_OLD_PORT = 102,
    TAG_OLD_PID = 103,
    TAG_SMALL_TUPLE = 104,
    TAG_LARGE_TUPLE = 105,
    TAG_EMPTY_LIST = 106,
    TAG_STRING = 107,
    TAG_LIST = 108,
    TAG_BINARY = 109,
    TAG_SMALL_BIG = 110,
    TAG_LARGE_BIG = 111,
    TAG_NEW_FUN = 112,
    TAG_EXPORT = 113,
    TAG_NEW_REFERENCE = 114,
    TAG_SMALL_ATOM_LATIN1 = 115,
    TAG_MAP_PAIRS = 116,
    TAG_ATOM_UTF8 = 118,
    TAG_SMALL_ATOM_UTF8 = 119,
    TAG_V4_PORT = 120,
    TAG_LOCAL = 121, /* OTP 26 */
};
enum { FLOAT_TEXT_BYTES = 31, STRING_MAX = 65535, LOCAL_HASH_BYTES = 4 };

#include "term/vm.h"

/* What stands behind TAG_LOCAL: proves that this VM wrote the bytes. */
uint32_t external_local_hash(VM *vm, const uint8_t *p, size_t size);

#endif
