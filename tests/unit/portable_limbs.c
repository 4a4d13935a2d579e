/* The portable limb functions under other names, next to those that the build has chosen. */
#define limb_add_n portable_add_n
#define limb_sub_n portable_sub_n
#define limb_add_1 portable_add_1
#define limb_sub_1 portable_sub_1
#define limb_cmp portable_cmp
#define limb_mul_1 portable_mul_1
#define limb_mul portable_mul
#define limb_sqr portable_sqr
#define limb_divrem_1 portable_divrem_1
#define limb_divrem portable_divrem
#define limb_lshift portable_lshift
#define limb_rshift portable_rshift
#define limb_get_str portable_get_str
#define limb_set_str portable_set_str
#define limb_digits portable_digits
#define limb_room portable_room
#ifndef MOTE_PORTABLE_LIMBS
#define MOTE_PORTABLE_LIMBS
#endif
#include "../../src/data/limb.c"

#include "limbs.h"

const LimbFunctions portable = {
    portable_add_n, portable_sub_n,    portable_add_1,  portable_sub_1,  portable_cmp,    portable_mul_1,   portable_mul,
    portable_sqr,   portable_divrem_1, portable_divrem, portable_lshift, portable_rshift, portable_get_str, portable_set_str,
};
