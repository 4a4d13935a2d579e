/* The portable limb functions, for comparison with those that the build has chosen. */
#ifndef MOTE_TESTS_LIMBS_H
#define MOTE_TESTS_LIMBS_H

#include "base/base.h"

typedef uintptr_t Limb;
typedef struct {
    Limb (*add_n)(Limb *, const Limb *, const Limb *, size_t);
    Limb (*sub_n)(Limb *, const Limb *, const Limb *, size_t);
    Limb (*add_1)(Limb *, const Limb *, size_t, Limb);
    Limb (*sub_1)(Limb *, const Limb *, size_t, Limb);
    int (*cmp)(const Limb *, const Limb *, size_t);
    Limb (*mul_1)(Limb *, const Limb *, size_t, Limb);
    void (*mul)(Limb *, const Limb *, size_t, const Limb *, size_t);
    void (*sqr)(Limb *, const Limb *, size_t);
    Limb (*divrem_1)(Limb *, const Limb *, size_t, Limb);
    void (*divrem)(Limb *, Limb *, const Limb *, size_t, const Limb *, size_t);
    Limb (*lshift)(Limb *, const Limb *, size_t, unsigned);
    Limb (*rshift)(Limb *, const Limb *, size_t, unsigned);
    size_t (*get_str)(uint8_t *, unsigned, Limb *, size_t);
    size_t (*set_str)(Limb *, const uint8_t *, size_t, unsigned);
} LimbFunctions;
extern const LimbFunctions portable;

#endif
