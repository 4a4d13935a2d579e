/* What every file may rely on: fixed-width types, branch hints, small arithmetic helpers. Knows nothing of Erlang. */
#ifndef MOTE_BASE_BASE_H
#define MOTE_BASE_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(c) __builtin_expect(!!(c), 1)
#define UNLIKELY(c) __builtin_expect(!!(c), 0)
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((cold, noinline))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define UNREACHABLE()            \
    do {                         \
        assert(!"unreachable");  \
        __builtin_unreachable(); \
    } while (0)

/* A read-only run of bytes that somebody else owns. */
typedef struct {
    const uint8_t *at;
    size_t size;
} Bytes;

static inline size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

/* The least power of 2 that is not less than n, and not than `least`, which is one. */
static inline uint32_t round_up_power(uint32_t n, uint32_t least) {
    while (least < n) {
        least *= 2;
    }
    return least;
}

/* Unaligned big-endian reads: every file and network format of Erlang is big-endian. */
static inline uint16_t read_be16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t read_be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t read_be64(const uint8_t *p) {
    return (uint64_t)read_be32(p) << 32 | read_be32(p + 4);
}
static inline void write_be16(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v;
}
static inline void write_be32(uint8_t *p, uint32_t v) {
    write_be16(p, v >> 16), write_be16(p + 2, v);
}
static inline void write_be64(uint8_t *p, uint64_t v) {
    write_be32(p, (uint32_t)(v >> 32)), write_be32(p + 4, (uint32_t)v);
}

#endif
