/* C tests: TEST(name) { CHECK(condition); ... }. Found by the build by their place and their first word. */
#ifndef MOTE_TESTS_UNIT_H
#define MOTE_TESTS_UNIT_H

#include <stdio.h>

#include "term/vm.h"

extern int unit_failures;

#define TEST(name)          \
    void test_##name(void); \
    void test_##name(void)
#define CHECK(c)                                                     \
    do {                                                             \
        if (!(c)) {                                                  \
            printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #c); \
            unit_failures++;                                         \
        }                                                            \
    } while (0)

#endif
