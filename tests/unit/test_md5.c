/* MD5 against the test vectors of RFC 1321, fed whole and in pieces. */
#include "unit.h"

#include "data/md5.h"

static void hex(const uint8_t digest[16], char text[33]) {
    for (int i = 0; i < 16; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
}

TEST(md5_of_the_rfc) {
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t size = strlen(cases[i].text);
        for (size_t cut = 0; cut <= size; cut++) {
            Md5 m;
            uint8_t digest[16];
            char text[33];
            md5_init(&m);
            md5_update(&m, cases[i].text, cut);
            md5_update(&m, cases[i].text + cut, size - cut);
            md5_final(&m, digest);
            hex(digest, text);
            CHECK(strcmp(text, cases[i].digest) == 0);
        }
    }
}
