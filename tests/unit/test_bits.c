/* data/: bitstrings, their matching and construction, against a bit-by-bit reference and values that erl computed. */
#include "unit.h"

#include "data/bit_build.h"
#include "term/atom.h"
#include "term/number.h"

static VM vm;
static Heap heap;

static void begin(void) {
    memset(&vm, 0, sizeof vm);
    mem_init(&vm.mem);
    CHECK(terms_init(&vm) && heap_init(&heap, &vm, 1000));
}

static void end(void) {
    heap_done(&heap);
    terms_done(&vm);
    CHECK(mem_total(&vm.mem) == 0);
}

static uint64_t seed = 42;
static uint32_t random_below(uint32_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}
static void random_bytes(uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)random_below(256);
    }
}
static unsigned bit(const uint8_t *p, size_t i) {
    return p[i / 8] >> (7 - i % 8) & 1;
}

TEST(runs_of_bits) {
    uint8_t a[40], b[40], c[40];
    for (int round = 0; round < 20000; round++) {
        random_bytes(a, sizeof a), random_bytes(b, sizeof b), memcpy(c, b, sizeof b);
        size_t from = random_below(64), to = random_below(64), n = random_below(200);
        bitrun_copy(c, to, a, from, n);
        bool good = true;
        for (size_t i = 0; i < 320; i++) {
            good &= bit(c, i) == (i >= to && i < to + n ? bit(a, from + i - to) : bit(b, i));
        }
        CHECK(good);
        CHECK(bitrun_equal(c, to, a, from, n));
        if (n > 0) {
            size_t flip = random_below((uint32_t)n);
            c[(to + flip) / 8] ^= (uint8_t)(0x80 >> (to + flip) % 8);
            CHECK(!bitrun_equal(c, to, a, from, n));
            CHECK((bitrun_compare(c, to, n, a, from, n) > 0) == bit(c, to + flip));
            CHECK(bitrun_compare(c, to, flip, a, from, n) < 0 && bitrun_compare(a, from, n, c, to, flip) > 0);
        }
        unsigned few = (unsigned)MIN(n, 64);
        uint64_t v = 0;
        for (unsigned i = 0; i < few; i++) {
            v = v << 1 | bit(a, from + i);
        }
        CHECK(bitrun_read(a, from, few) == v);
        memcpy(c, b, sizeof b);
        bitrun_put(c, to, ~v, few);
        CHECK(bitrun_read(c, to, few) == (~v & bits_mask(few)) && bitrun_equal(b, 0, c, 0, to));
    }
}

static const struct {
    unsigned offset, size, flags;
    const char *data, *value;
} fields[] = {
    {3, 25, 4, "\x8a\xd0\x0a\x76\xaa\xa9\x8e\x53\xf0\x8a\x76\x79\xa6\xfc\x09\x5d\x18\x4a\xeb\x5c\x9d\xd6\x33\xec", "AD00A7"},
    {7, 64, 2, "\xcd\x95\x13\x46\x96\xbf\x9d\x20\xc1\xe8\xf6\xe7\x9e\x32\xb7\x5f\xb7\xaa\xd4\x1e\x82\xd6\x55\xf7", "6090CE5F4BA389CA"},
    {3, 13, 6, "\xbb\x44\x11\x61\x9f\xcb\x37\x60\x8c\x48\xe1\xa3\xe2\xbb\xfa\x3d\xf7\x06\x19\x67\x44\x31\xc8\xad", "4DA"},
    {15, 151, 0, "\x32\x8c\xd0\xc7\xf2\xd6\xe5\x22\x3e\x33\x8a\x9b\xc0\xb6\x0d\x79\x4e\x24\x13\x46\xdc\x4b\x27\x98",
     "3431FCB5B9488F8CE2A6F02D835E538904D1B7"},
    {0, 40, 4, "\xf7\x01\x01\xf6\x8e\x90\xf8\x45\xd5\x91\x0b\xa6\x11\xe0\xf3\x0c\xda\x73\xf6\xef\xf3\xf5\xec\x28", "-8FEFE0972"},
    {9, 35, 2, "\xc2\x07\xb9\x98\x8e\x4c\xff\xce\x66\x32\x84\xc6\x7a\x59\x86\x89\x8e\x90\x8b\x61\x1c\x2e\xfe\x4d", "41C31730F"},
    {1, 62, 6, "\x8b\xa8\x20\x39\xae\x8f\x57\x1c\x0c\xf0\x78\xda\x37\x4d\x73\x3a\xfe\xec\x96\x02\x3b\x6f\xef\x21", "EAE1E5D73405017"},
    {8, 64, 0, "\x0f\x37\x58\x9c\x61\x4d\x1f\x23\xcb\x7c\xc5\xe4\x27\x67\xf9\x47\x9f\x93\x96\x8b\x15\x61\x94\x96", "37589C614D1F23CB"},
    {14, 53, 4, "\x37\xae\xcc\x81\xf8\x11\x7f\xf1\x6d\x12\xbf\x73\x88\x0f\xd8\x98\x31\xcd\xcc\x18\x85\xfd\x86\xb9", "-99BF03F740075"},
    {10, 62, 2, "\x4d\x2a\xe8\xa8\x12\x02\x85\x14\x46\x7b\xa9\x2b\x87\x43\x9f\x5d\xd8\x04\x6f\x0d\xa7\xf2\xc6\x7c", "651140A48A0A2AB"},
    {13, 56, 6, "\x36\x86\x48\xb3\x62\xc4\xa5\x3b\x8c\x0e\x4d\x14\xfd\xe6\x9b\x56\x23\x8b\xda\x99\xa9\x73\x42\x65", "71A794586C16C9"},
    {13, 26, 0, "\x94\x55\xf6\x62\x2d\xa1\x61\x95\x6b\x81\x54\x9f\x2a\x12\x71\x27\x69\xf4\xa8\x48\x89\x6c\x0f\x85", "2FB3116"},
    {1, 99, 4, "\xde\x62\xbb\x84\x2a\x0c\x1a\x41\x45\x6c\xea\x06\xf8\x66\xaf\xd1\x02\x37\x9f\x5e\xf5\x4f\xe9\x44",
     "-219D447BD5F3E5BEBA9315F91"},
    {7, 64, 2, "\xe7\x17\xdb\x51\x8b\x2e\xa9\xd0\x11\xc2\xd2\x42\x94\xdd\xc6\x20\x70\x25\x9a\x22\x36\x7c\xc6\xce", "8E85497C5A8ED8B"},
    {4, 48, 6, "\x57\x1b\xa2\xca\xab\xc1\x16\x64\xbf\x9c\xd7\x50\x2c\xfa\xf3\xc6\x5a\xe2\x2b\xb4\x38\x46\x6e\x9b", "11BCAA2CBA71"},
    {10, 66, 0, "\x74\xa9\xf0\x05\xde\xd3\x93\x04\x39\xe7\xbf\xe3\x17\xa2\xf8\xc5\x48\xf7\x64\xf8\x90\x04\xf0\xa2", "29F005DED3930439E"},
    {6, 40, 4, "\xdb\x1f\x5c\x2e\x14\x3a\x73\xf4\x12\x5f\xfe\x65\x75\x84\x4b\x0e\xae\x88\xe1\x94\xe5\xac\x5a\xaf", "-3828F47AF2"},
    {13, 19, 2, "\x5f\xe2\x33\x31\x90\x0b\x3f\xd5\xdb\x49\x10\xf4\xba\x7d\x0a\x3e\x76\x1d\xb2\xb4\x99\x72\x96\x44", "16646"},
    {5, 134, 6, "\xe2\x9a\xa8\x20\x3e\x4a\x14\x6c\x37\x4c\x5d\xae\x30\xaf\x0d\xf5\x00\x01\x1b\x5e\x0f\x05\xbb\x99",
     "A0BEE115C6B58BE9868D42C907045553"},
    {11, 24, 0, "\xa1\xc2\xc4\x5c\xee\x6b\xbf\xce\x6a\x19\x3c\x19\xd8\x73\x5c\xd1\xa7\x46\x74\x56\xe0\x19\x56\x9f", "1622E7"},
    {8, 59, 4, "\x78\xd5\xab\x92\x1d\x3a\x33\x4e\x64\x03\xcd\x5a\x75\x00\xa9\xed\x82\x64\xf5\x45\xab\x67\xa0\xef", "-152A36F162E658D"},
    {15, 4, 2, "\x84\xf0\x23\xf6\xd1\x65\xee\x65\x87\xb0\x6d\x52\xa2\x8a\xf5\x85\x0e\xd4\xdf\xf4\x2a\xaa\x83\xbf", "1"},
    {13, 24, 6, "\xb6\x52\x14\x6c\xb6\x2c\xcb\xf4\x8f\x11\xec\x08\x3b\xe2\xac\xb0\x04\xda\x93\x17\xf8\xfd\x14\x53", "-6972BE"},
    {12, 12, 0, "\x22\x85\xce\x6f\x66\x76\x69\xb1\x15\xec\x64\xf7\x89\x6e\x6e\xb9\x3f\x48\xa7\x2e\x61\xe5\xfa\x5e", "5CE"},
    {5, 103, 4, "\xf0\x00\x80\x69\x15\x3c\xbc\xa1\x42\x76\xe2\x1e\x4e\x64\x60\xd6\x5a\x7a\x97\x0a\x57\x3a\x60\xf1",
     "8069153CBCA14276E21E4E6"},
    {0, 56, 2, "\xd9\x7e\xdf\xae\x88\x78\x6b\x61\x61\x8b\x12\x93\xf9\xd9\xd6\x4c\x55\xff\x72\x38\x17\x8f\xc4\x97", "6B7888AEDF7ED9"},
    {5, 6, 6, "\x1c\x01\xa0\x8e\xd8\x9a\xed\x92\x22\xd8\x1f\xa5\x2b\x9f\xaa\x1a\x61\x10\x0b\xfb\x53\x3f\xb0\x03", "-20"},
    {8, 88, 0, "\x46\x20\xce\x2a\x0a\x91\xb4\x85\x6f\xf5\x27\x58\x88\xc3\x5c\xa6\xe2\x7a\xdb\x46\x82\x3c\xef\xfc",
     "20CE2A0A91B4856FF52758"},
    {6, 56, 4, "\x87\xea\x19\x39\x29\x56\x80\x2e\xd4\x98\x0c\x8e\xab\xea\x51\x9b\xd7\x99\xed\x50\x2a\x02\xb2\xd7", "-579B1B5AA5FF5"},
    {5, 56, 2, "\x23\x19\x1c\xff\x54\xf0\x60\xfb\x93\x8b\xdb\xbc\x1f\x3f\x43\xaa\x39\x25\x81\xe7\xeb\x85\x81\xd7", "1F0C9EEA9F2363"},
    {12, 67, 6, "\xfe\xc6\x4f\x1e\x83\xe2\x3b\xfc\xc5\xeb\x16\x65\xb5\xb4\x06\xee\x20\xb3\x0a\xb3\xf3\x7c\x71\x55", "-2A13340DCC1170E9C"},
    {6, 40, 0, "\xd4\xa8\xb0\x0d\xa8\x48\xc5\xd5\xdd\x7e\xdf\xa9\x33\xe3\xeb\xed\xb7\xc6\xb7\x69\xc7\x4d\xb7\x4f", "2A2C036A12"},
    {10, 46, 4, "\x86\x6f\x9d\x32\x55\x78\xda\x1c\x9f\xa9\x20\x1c\xe9\x8b\xb6\xda\x64\x3b\xfb\x81\x0e\x9a\x3d\x66", "-1062CDAA8726"},
    {12, 68, 2, "\x39\xe9\x54\x20\x76\x2d\xe3\x75\x23\x2c\xfe\x6c\x9f\xe9\x5a\x9b\x72\x2e\xf5\x0e\xef\x52\xad\x3c", "C325237DE62074295"},
    {0, 24, 6, "\x79\xa1\xfe\x3f\x14\x6a\xb9\x95\x33\x5a\x83\x10\xdd\xdc\xc1\x31\xcd\x17\x56\xb4\x6e\xef\x6f\x33", "-15E87"},
    {14, 55, 0, "\x13\x1c\xff\xe8\xf7\x06\x51\x8f\xc2\x8e\x59\x8e\x82\xf4\x69\xe4\xeb\x00\x63\xa0\xa9\xc4\xff\x8d", "1FFD1EE0CA31F8"},
    {4, 38, 4, "\xfc\xe0\x5c\x30\x32\xdd\xc4\x70\x3d\x22\x88\x22\x0e\x4e\x90\xb4\x2a\x81\xe6\x64\x66\xd6\x9f\x3c", "-C7E8F3F35"},
    {0, 32, 2, "\x05\x03\xee\x78\x25\xf8\x13\x0c\x8a\xc3\x13\x29\x1c\x83\x12\x6e\x32\x73\xa9\x41\xef\x18\xb2\x39", "78EE0305"},
    {11, 37, 6, "\x5b\xd8\xac\xbd\x57\x33\x5c\x43\x40\xaa\x98\xd1\xb1\xb1\xe3\xb2\x42\x16\x50\x8b\xbc\x07\x40\x91", "-C46159A3B"},
    {8, 157, 0, "\xba\xd1\x8e\xd6\x6c\x08\xae\x7e\x2b\x08\xd5\x4b\xaa\x54\x04\xa0\x20\xbe\x9a\x2c\xb9\x32\x5a\x6a",
     "1A31DACD8115CFC5611AA9754A80940417D34597"},
    {9, 64, 4, "\xd4\xb5\x75\x2b\x3f\x3e\x54\x1e\xff\x82\xb4\x74\xe1\x10\x24\x44\x91\xb2\x39\xe2\xa2\x75\x68\xd1", "6AEA567E7CA83DFF"},
    {2, 41, 2, "\xc8\x55\x14\x58\x8a\xd7\x2e\x14\x9b\xdd\xe2\x19\xa2\xe2\x5f\xe6\xb4\x3b\x41\x4a\x39\x13\xd5\x2c", "2B62515421"},
    {11, 63, 6, "\xb2\xaa\x78\xdc\xe4\x41\xe5\x02\x3c\x0e\x67\xa3\x58\x76\x70\xa4\x9d\x9b\x8b\xa3\x74\x89\x24\xc2", "-FEED7F0DD1839AD"},
    {2, 72, 0, "\x80\x36\x94\xb4\x5b\x79\xae\x91\xde\xff\x6c\x10\x14\xe7\x05\x19\x7a\x49\xf1\xa4\x46\x2b\xbd\xb9", "DA52D16DE6BA477B"},
    {3, 48, 4, "\x5a\x0e\xf4\xfa\xea\x61\xc5\xc7\x23\xff\x81\x85\x93\x9a\x7a\xde\x70\x12\xfb\xd6\xd6\x80\x24\x41", "-2F885828ACF2"},
    {1, 33, 2, "\xd3\x2d\x94\xe0\x4f\xa4\x9b\xe0\x82\x47\x4e\xa0\xd5\x81\x81\xb8\x18\xd5\xda\x61\x9a\x78\x8d\x71", "1C0295BA6"},
    {3, 32, 6, "\xd0\x87\xf4\x3e\xf1\xe8\xb6\x85\xa4\x00\x69\xa5\x77\x1b\xa6\x9d\xdb\xaa\xf8\xb3\xc7\x41\x58\xdf", "-85EC07C"},
    {6, 26, 0, "\xd0\x64\x78\xe2\x15\x52\xe2\x7d\x1f\x58\x1a\x21\xe1\x0a\xf0\x8a\x9e\x98\x1c\xc2\x6c\x64\x2c\x84", "6478E2"},
    {2, 67, 4, "\x4f\x42\x06\x0f\xa2\x06\xfc\xe8\x53\x58\x0e\xff\xec\xd3\x4c\x86\xd7\xf4\x2d\x50\x6f\xee\x5d\x21", "1E840C1F440DF9D0A"},
    {4, 56, 2, "\xb2\xfe\xb7\x76\x07\x2a\x9f\x62\xa1\x39\x6b\x17\x1e\xf1\x73\x45\x52\x86\xc1\xf4\xaf\xf5\x98\x52", "F6A9726077EB2F"},
    {12, 12, 6, "\x01\x32\x41\xfa\x5c\xf9\xf3\x08\x26\x57\xa3\x24\x15\x59\xe7\x6b\x15\x85\x78\xdc\x39\xa6\xea\x78", "124"},
    {13, 141, 0, "\x40\x24\xfe\x5f\x4e\x82\x35\x6f\x3c\xec\xad\x93\x03\xa8\xbe\x98\x27\x24\x13\x96\x89\x68\x15\x2d",
     "13F97D3A08D5BCF3B2B64C0EA2FA609C904E"},
    {9, 64, 4, "\x96\x5b\x40\x4d\x35\x20\x9c\x15\x99\xfc\x8e\x19\xb9\x7b\xcd\x5d\x3c\x73\x47\xbd\xb5\x73\xb3\xfb", "-497F6595BEC7D4CD"},
    {15, 27, 2, "\xdc\x5a\x1f\xa6\x66\x1f\x72\xf3\x0f\x58\x25\xd3\xad\xf0\x13\x91\xd1\xcf\x2f\x43\xcb\xab\xae\x5e", "33D30F"},
    {15, 104, 6, "\xcf\x98\xce\x76\x3a\xf9\x70\x8b\xda\x8f\x45\x16\x01\x7c\x28\x93\xb8\xdc\x53\x03\xab\x36\xe2\x04",
     "14BE008BA247ED45B87C1D3B67"},
    {8, 24, 0, "\x9e\x6d\xda\x12\x5e\x41\xe1\x08\xee\xae\xa0\x74\x8f\x23\x6a\xa8\x1c\xae\x2e\x3c\x34\xf0\xc3\xb0", "6DDA12"},
    {7, 11, 4, "\x21\xed\xeb\x6b\x29\x92\x4c\xef\xca\xd1\x75\x0e\x69\xa2\x50\x38\x52\x11\xcf\x89\x03\xf3\xb0\xf1", "-49"},
    {9, 157, 2, "\xab\xae\x17\xe4\x89\x05\x42\xc7\x02\x7a\x93\x51\x10\x86\x33\x1f\xed\xef\xc0\x29\x4b\xe7\xec\x1d",
     "125280DFDB3F660C21A226F5048E850A12C92F5C"},
    {12, 48, 6, "\x57\xff\x6f\xe4\x55\xdb\xd7\x71\x05\x33\xb5\xda\x91\x17\x5b\x0e\x22\x9f\x52\xeb\x0d\xe0\x53\xda", "77BD5D45FEF6"},
    {3, 48, 0, "\xde\x00\x5e\x0d\x1d\x03\x7c\xb2\xcf\x4b\x7e\xaa\x4e\xd0\xd9\x7e\x8b\x26\xb6\x8d\x95\xf6\xf5\x8c", "F002F068E81B"},
};

TEST(integer_fields_as_erl_has_them) {
    begin();
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        term t = bits_from(&heap, fields[i].data, 24);
        View *m = match_of(match_start(&heap, t));
        CHECK(match_skip(m, fields[i].offset));
        term v = match_integer(&heap, m, fields[i].size, fields[i].flags);
        term expected = integer_from_text(&heap, (const uint8_t *)fields[i].value, strlen(fields[i].value), 16);
        CHECK(v != NONE && integer_compare(v, expected) == 0 && m->start == fields[i].offset + fields[i].size);
        /* The same back, behind as many other bits. */
        BitBuilder b;
        CHECK(build_begin(&b, &heap, fields[i].offset + fields[i].size));
        CHECK(build_bits(&b, t, fields[i].offset));
        CHECK(build_integer(&b, v, fields[i].size, fields[i].flags));
        CHECK(bits_equal(bits_of(b.result), bits_of(bits_sub(&heap, t, 0, fields[i].offset + fields[i].size))));
    }
    end();
}

static term bin(const char *bytes, size_t size) {
    return bits_from(&heap, bytes, size);
}
static bool holds(term t, const char *bytes, size_t size) {
    return bits_equal(bits_of(t), (Bits){(const uint8_t *)bytes, 0, size * 8});
}

TEST(floats_in_bitstrings) {
    static const struct {
        double d;
        unsigned bits;
        const char *bytes;
    } cases[] = {
        /* erl: <<D:Bits/float>> */
        {1.0e300, 16, "\x7c\x00"},    {65504.0, 16, "\x7b\xff"},     {65519.0, 16, "\x7b\xff"},
        {65520.0, 16, "\x7c\x00"},    {1.0e-8, 16, "\0\0"},          {5.0e-8, 16, "\0\x01"},
        {1.1, 16, "\x3c\x66"},        {-1.1, 16, "\xbc\x66"},        {6.0e-5, 16, "\x03\xef"},
        {1.0e39, 32, "\x7f\x80\0\0"}, {1.1, 32, "\x3f\x8c\xcc\xcd"}, {1.1, 64, "\x3f\xf1\x99\x99\x99\x99\x99\x9a"},
    };
    begin();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        BitBuilder b;
        CHECK(build_begin(&b, &heap, cases[i].bits) && build_float(&b, heap_float(&heap, cases[i].d), cases[i].bits, 0));
        CHECK(holds(b.result, cases[i].bytes, cases[i].bits / 8));
        term back = match_float(&heap, match_of(match_start(&heap, b.result)), cases[i].bits, 0);
        if ((cases[i].bytes[0] & 0x7c) == 0x7c) {
            CHECK(back == NONE);
        } else {
            BitBuilder again;
            CHECK(build_begin(&again, &heap, cases[i].bits));
            CHECK(build_float(&again, back, cases[i].bits, BITS_LITTLE));
            CHECK((uint8_t)cases[i].bytes[0] == bits_of(again.result).at[cases[i].bits / 8 - 1]);
        }
    }
    BitBuilder b;
    CHECK(build_begin(&b, &heap, 64) && !build_float(&b, SMALL(1), 33, 0));
    CHECK(b.cause == A_invalid && b.culprit == SMALL(33) && heap.reason == A_badarg);
    CHECK(!build_float(&b, A_true, 32, 0) && b.cause == A_type && b.culprit == A_true);
    end();
}

TEST(characters_in_bitstrings) {
    static const struct {
        const char *bytes;
        int size;
        int c; /* -1: no match */
        // clang-format off
    } cases[] = {
        {"a", 1, 'a'}, {"\xc3\xa9", 2, 0xe9}, {"\xe2\x82\xac", 3, 0x20ac}, {"\xf0\x9f\x98\x80", 4, 0x1f600}, {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
        {"\xf4\x90\x80\x80", 4, -1}, {"\xc0\x80", 2, -1}, {"\xc1\xbf", 2, -1}, {"\xe0\x9f\xbf", 3, -1}, {"\xed\xa0\x80", 3, -1},
        {"\xf0\x8f\xbf\xbf", 4, -1}, {"\xe2\x82", 2, -1}, {"\x80", 1, -1}, {"\xff", 1, -1}, {"", 0, -1}, {"\xf0\x9f\x98", 3, -1},
    };
    // clang-format on
    begin();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (unsigned shift = 0; shift < 8; shift++) {
            BitBuilder b;
            CHECK(build_begin(&b, &heap, shift + 8 * (size_t)cases[i].size));
            build_number(&b, 5, shift), build_string(&b, (const uint8_t *)cases[i].bytes, (size_t)cases[i].size);
            View *m = match_of(match_start(&heap, b.result));
            CHECK(match_skip(m, shift));
            term c = match_utf8(m);
            CHECK(c == (cases[i].c < 0 ? NONE : SMALL(cases[i].c)));
            CHECK(match_left(m) == (cases[i].c < 0 ? 8 * (size_t)cases[i].size : 0));
        }
        if (cases[i].c >= 0) {
            BitBuilder b;
            term c = SMALL(cases[i].c);
            CHECK(build_begin(&b, &heap, build_utf8_size(c)) && build_utf8(&b, c) &&
                  holds(b.result, cases[i].bytes, (size_t)cases[i].size));
            for (unsigned flags = 0; flags <= BITS_LITTLE; flags += BITS_LITTLE) {
                CHECK(build_begin(&b, &heap, build_utf16_size(c) + 32) && build_utf16(&b, c, flags) && build_utf32(&b, c, flags));
                View *m = match_of(match_start(&heap, b.result));
                CHECK(match_utf16(m, flags) == c && match_utf32(m, flags) == c && match_left(m) == 0);
            }
        }
    }
    CHECK(match_utf16(match_of(match_start(&heap, bin("\xd8\x00", 2))), 0) == NONE);
    CHECK(match_utf16(match_of(match_start(&heap, bin("\xd8\x00\xd8\x00", 4))), 0) == NONE);
    CHECK(match_utf16(match_of(match_start(&heap, bin("\xdc\x00\xdc\x00", 4))), 0) == NONE);
    CHECK(match_utf32(match_of(match_start(&heap, bin("\0\0\xd8\x00", 4))), 0) == NONE);
    CHECK(match_utf32(match_of(match_start(&heap, bin("\0\x11\0\x00", 4))), 0) == NONE);
    end();
}

TEST(appending_in_place) {
    begin();
    term t = bin("", 0), before = NONE;
    Buffer *buffer = NULL;
    for (unsigned i = 0; i < 3000; i++) { /* 5 bits at a time */
        BitBuilder b;
        CHECK(build_append(&b, &heap, t, 5, 1, i % 2));
        build_number(&b, i, 5);
        t = b.result;
        if (i == 1500) {
            before = bits_sub(&heap, t, 0, bits_size(t));
            buffer = buffer_share(((BufferRef *)boxed(((View *)boxed(t))->base))->buffer);
        }
    }
    CHECK(bits_size(t) == 15000 && bits_size(before) == 1501 * 5);
    View *m = match_of(match_start(&heap, t));
    for (unsigned i = 0; i < 3000; i++) {
        CHECK(match_take(m, 5) == i % 32);
    }
    CHECK(bits_equal(bits_of(before), bits_of(bits_sub(&heap, t, 0, 1501 * 5))));
    buffer_release(&vm, buffer);
    /* Two that continue the same one do not disturb each other. */
    BitBuilder b1, b2;
    CHECK(build_append(&b1, &heap, t, 16, 1, false) && build_append(&b2, &heap, t, 16, 1, false));
    build_number(&b1, 0x1234, 16), build_number(&b2, 0x5678, 16);
    CHECK(b1.base != b2.base && bits_size(b1.result) == 15016);
    CHECK(bitrun_read(b1.base, 15000, 16) == 0x1234 && bitrun_read(b2.base, 15000, 16) == 0x5678);
    CHECK(!build_append(&b1, &heap, A_true, 1, 1, false) && b1.cause == A_type);
    CHECK(!build_append(&b1, &heap, t, 1, 7, false) && b1.cause == A_unit && b1.culprit == t);
    CHECK(build_append(&b1, &heap, t, 0, 8, false) && b1.result == t);
    end();
}

TEST(whole_constructions) {
    begin();
    term cause, big = integer_from_text(&heap, (const uint8_t *)"123456789012345678901234567890", 30, 10);
    BitSegment good[] = {
        {.type = SEGMENT_APPEND, .unit = 8, .number = 1, .value = bin("abc", 3)},
        {.type = SEGMENT_INTEGER, .unit = 1, .number = 2, .value = big, .size = SMALL(100)},
        {.type = SEGMENT_STRING, .unit = 8, .number = 3, .string = (const uint8_t *)"xy", .size = SMALL(2)},
        {.type = SEGMENT_UTF8, .number = 4, .value = SMALL(0x20ac)},
        {.type = SEGMENT_BINARY, .unit = 8, .number = 5, .value = bin("hello", 5), .size = SMALL(2)},
        {.type = SEGMENT_FLOAT, .unit = 1, .number = 6, .value = SMALL(1), .size = SMALL(64)},
        {.type = SEGMENT_INTEGER, .unit = 1, .number = 7, .value = SMALL(-1), .size = SMALL(4)},
    };
    term t = bits_create(&heap, good, ARRAY_LEN(good), &cause);
    /* erl: <<"abc", 123456789012345678901234567890:100, "xy", 16#20ac/utf8, "he", 1:64/float, -1:4>> */
    CHECK(t != NONE &&
          holds(t, "\x61\x62\x63\x18\xee\x90\xff\x6c\x37\x3e\x0e\xe4\xe3\xf0\xad\x27\x87\x9e\x28\x2a\xc6\x86\x53\xff\0\0\0\0\0\0\x0f", 31));
    t = bits_sub(&heap, t, 0, 247);
    struct {
        BitSegment s;
        term reason, type, cause, value;
        // clang-format off
    } bad[] = {
        {{.type = SEGMENT_INTEGER, .unit = 1, .value = A_true, .size = SMALL(8)}, A_badarg, A_integer, A_type, A_true},
        {{.type = SEGMENT_INTEGER, .unit = 1, .value = SMALL(1), .size = A_true}, A_badarg, A_integer, A_size, A_true},
        {{.type = SEGMENT_INTEGER, .unit = 1, .value = SMALL(1), .size = SMALL(-1)}, A_badarg, A_integer, A_size, SMALL(-1)},
        {{.type = SEGMENT_INTEGER, .unit = 1, .value = SMALL(1), .size = big}, A_system_limit, A_integer, A_size, big},
        {{.type = SEGMENT_INTEGER, .unit = 256, .value = SMALL(1), .size = SMALL(SMALL_MAX)}, A_system_limit, A_integer, A_size, SMALL(SMALL_MAX)},
        {{.type = SEGMENT_BINARY, .unit = 8, .value = t, .size = A_all}, A_badarg, A_binary, A_unit, NONE},
        {{.type = SEGMENT_BINARY, .unit = 8, .value = A_true, .size = A_all}, A_badarg, A_binary, A_type, A_true},
        {{.type = SEGMENT_BINARY, .unit = 8, .value = t, .size = SMALL(1000)}, A_badarg, A_binary, A_short, NONE},
        {{.type = SEGMENT_UTF8, .value = SMALL(0xd800)}, A_badarg, A_utf8, A_type, SMALL(0xd800)},
        {{.type = SEGMENT_UTF32, .value = SMALL(-1)}, A_badarg, A_utf32, A_type, SMALL(-1)},
        {{.type = SEGMENT_FLOAT, .unit = 1, .value = SMALL(1), .size = SMALL(8)}, A_badarg, A_float, A_invalid, SMALL(8)},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        BitSegment two[2] = {good[2], bad[i].s};
        two[1].number = 2;
        CHECK(bits_create(&heap, two, 2, &cause) == NONE && heap.reason == bad[i].reason);
        CHECK(is_tuple_of(cause, 4) && element(cause, 1) == SMALL(2) && element(cause, 2) == bad[i].type &&
              element(cause, 3) == bad[i].cause);
        CHECK(element(cause, 4) == (bad[i].value == NONE ? t : bad[i].value));
    }
    end();
}

TEST(views) {
    begin();
    uint8_t data[300];
    random_bytes(data, sizeof data);
    term whole = bits_from(&heap, data, sizeof data), shorter = bits_from(&heap, data, 60);
    for (int i = 0; i < 2000; i++) {
        size_t start = random_below(480), size = random_below(480 - (uint32_t)start + 1), from = random_below((uint32_t)size + 1);
        term a = bits_sub(&heap, whole, start, size), b = bits_sub(&heap, shorter, start, size);
        CHECK(bits_size(a) == size && bits_equal(bits_of(a), bits_of(b)));
        CHECK(bits_equal(bits_of(bits_sub(&heap, a, from, size - from)), (Bits){data, start + from, size - from}));
        CHECK(bits_equal(bits_of(bits_copy(&heap, bits_of(a))), bits_of(b)));
        View *m = match_of(match_start(&heap, a));
        term part = match_bits(&heap, m, from);
        CHECK(bits_equal(bits_of(part), (Bits){data, start, from}));
        CHECK(bits_equal(bits_of(match_tail(&heap, m)), (Bits){data, start + from, size - from}));
        match_set_position(m, match_position(&heap, m));
        CHECK(match_left(m) == size - from && match_bits(&heap, m, size - from + 1) == NONE);
        CHECK(match_all(&heap, m, 1) != NONE && match_left(m) == 0);
    }
    end();
}
