/* base/: text and UTF-8, allocation counters and injected failures. */
#include "unit.h"

#include "base/text.h"
#include "base/utf8.h"

TEST(utf8_is_strict) {
    static const struct {
        const char *bytes;
        int length;
        uint32_t c;
        // clang-format off
    } cases[] = {
        {"a", 1, 'a'}, {"\xc3\xa9", 2, 0xe9}, {"\xe2\x82\xac", 3, 0x20ac}, {"\xf0\x9f\x98\x80", 4, 0x1f600},
        {"\xc0\x80", UTF8_BAD, 0}, {"\xed\xa0\x80", UTF8_BAD, 0}, {"\xf4\x90\x80\x80", UTF8_BAD, 0},
        {"\xe2\x82", UTF8_SHORT, 0}, {"\x80", UTF8_BAD, 0},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t c = 0;
        const uint8_t *p = (const uint8_t *)cases[i].bytes;
        CHECK(utf8_read(p, p + strlen(cases[i].bytes), &c) == cases[i].length);
        CHECK(cases[i].length < 0 || c == cases[i].c);
    }
}

TEST(memory_is_counted_and_can_fail) {
    Mem m;
    mem_init(&m);
    Text t;
    text_init(&t, &m);
    text_format(&t, "%d %s", 42, "x");
    CHECK(t.size == 4 && m.used[MEM_TEMPORARY] == t.capacity);
    m.fail_after = 0;
    CHECK(!text_reserve(&t, 10000) && t.failed && t.size == 4);
    text_done(&t);
    CHECK(mem_total(&m) == 0);
}
