/* code/: inflating a little, against zlib. */
#include "unit.h"

#include <stdlib.h>
#include <zlib.h>

#include "code/inflate.h"

static uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

TEST(what_zlib_deflates_is_inflated) {
    static uint8_t plain[20000], packed[24000], out[20000];
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 600; round++) {
        size_t size = random_next(&seed) % (round % 7 == 0 ? sizeof plain : 600);
        int letters = 1 + (int)(random_next(&seed) % 255), level = (int)(random_next(&seed) % 10);
        for (size_t i = 0; i < size; i++) {
            plain[i] =
                i > 40 && random_next(&seed) % 3 != 0 ? plain[i - 1 - random_next(&seed) % 40] : (uint8_t)(random_next(&seed) % letters);
        }
        uLongf packed_size = sizeof packed;
        CHECK(compress2(packed, &packed_size, plain, size, level) == Z_OK);
        CHECK(inflate_small((Bytes){packed, packed_size}, out, size) && memcmp(out, plain, size) == 0);
        CHECK(!inflate_small((Bytes){packed, packed_size - 1}, out, size));
        CHECK(!inflate_small((Bytes){packed, packed_size}, out, size + 1));
        CHECK(size == 0 || !inflate_small((Bytes){packed, packed_size}, out, size - 1));
        uint8_t *exact = malloc(packed_size); /* damaged: zlib and we agree, and nobody reads beyond the end */
        memcpy(exact, packed, packed_size);
        exact[random_next(&seed) % packed_size] ^= (uint8_t)(1 << random_next(&seed) % 8);
        uLongf got = size;
        bool theirs = uncompress(plain, &got, exact, packed_size) == Z_OK && got == size;
        CHECK(inflate_small((Bytes){exact, packed_size}, out, size) == theirs);
        free(exact);
    }
}
