/* Libraries that few programs need are loaded when the first of their functions is called, instead of at every start: that is a
   third of the time and a quarter of the memory of a program that says hello. Only the mote command does so, and only where it
   is asked for (MOTE_LATE: x86-64, ELF); everywhere else they are linked as usual, and this file is empty. */
#ifdef MOTE_LATE

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

// clang-format off
#define GMP(F)                                                                                                            \
    F(0, __gmpn_add_n) F(0, __gmpn_divrem_1) F(0, __gmpn_get_str) F(0, __gmpn_lshift) F(0, __gmpn_mul) F(0, __gmpn_mul_1) \
    F(0, __gmpn_rshift) F(0, __gmpn_set_str) F(0, __gmpn_sqr) F(0, __gmpn_sub_n) F(0, __gmpn_tdiv_qr)
#define ZLIB(F)                                                                                                           \
    F(1, adler32) F(1, adler32_combine) F(1, crc32) F(1, crc32_combine) F(1, deflate) F(1, deflateEnd) F(1, deflateInit2_) \
    F(1, deflateInit_) F(1, deflateParams) F(1, deflateReset) F(1, deflateSetDictionary) F(1, inflate) F(1, inflateEnd)   \
    F(1, inflateGetDictionary) F(1, inflateInit2_) F(1, inflateInit_) F(1, inflateReset) F(1, inflateSetDictionary)       \
    F(1, uncompress)
#define MATH(F)                                                                                                           \
    F(2, acos) F(2, acosh) F(2, asin) F(2, asinh) F(2, atan) F(2, atan2) F(2, atanh) F(2, ceil) F(2, cos) F(2, cosh)      \
    F(2, erf) F(2, erfc) F(2, exp) F(2, floor) F(2, fmax) F(2, fmod) F(2, frexp) F(2, ldexp) F(2, log) F(2, log10)        \
    F(2, log2) F(2, pow) F(2, round) F(2, sin) F(2, sinh) F(2, sqrt) F(2, tan) F(2, tanh)
#define TINFO(F)                                                                                                          \
    F(3, setupterm) F(3, tgetflag) F(3, tgetnum) F(3, tgetstr) F(3, tgoto) F(3, tigetstr)  \
    F(3, tiparm)
// clang-format on
#define FUNCTIONS(F) GMP(F) ZLIB(F) MATH(F) TINFO(F)

static const char *const libraries[] = {"libgmp.so.10", "libz.so.1", "libm.so.6", "libtinfo.so.6"};

/* What a function's stub jumps through: first to code that has it looked up, then to the function. */
#define NUMBER(library, name) LATE_##name,
enum { FUNCTIONS(NUMBER) LATE_COUNT };
#define NAME(library, name) {library, #name},
static const struct {
    int library;
    const char *name;
} late_functions[LATE_COUNT] = {FUNCTIONS(NAME)};
#define FIRST(library, name) extern const char late_first_##name[];
FUNCTIONS(FIRST)
#define SLOT(library, name) late_first_##name,
const void *late_slots[LATE_COUNT] = {FUNCTIONS(SLOT)};

const void *late_resolve(size_t n);
const void *late_resolve(size_t n) {
    const char *library = libraries[late_functions[n].library];
    void *handle = dlopen(library, RTLD_NOW);
    void *at = handle == NULL ? NULL : dlsym(handle, late_functions[n].name);
    if (at == NULL) {
        fprintf(stderr, "mote: %s\n", dlerror());
        exit(1);
    }
    __atomic_store_n(&late_slots[n], at, __ATOMIC_RELEASE);
    return at;
}

#define STUB(library, name)                                                                          \
    ".globl " #name "\n.type " #name ", @function\n" #name ": jmp *late_slots+8*late_number(%rip)\n" \
    "late_first_" #name ": push $late_number\njmp late_enter\n.set late_number, late_number+1\n"

/* late_enter keeps the arguments (words in registers, two floats) while the function is looked up. */
__asm__(".pushsection .text.late,\"ax\",@progbits\n"
        ".set late_number, 0\n" FUNCTIONS(STUB) "late_enter:\n"
                                                "push %rdi\npush %rsi\npush %rdx\npush %rcx\npush %r8\npush %r9\n"
                                                "sub $32, %rsp\nmovsd %xmm0, (%rsp)\nmovsd %xmm1, 8(%rsp)\n"
                                                "mov 80(%rsp), %rdi\ncall late_resolve\nmov %rax, %r11\n"
                                                "movsd (%rsp), %xmm0\nmovsd 8(%rsp), %xmm1\nadd $32, %rsp\n"
                                                "pop %r9\npop %r8\npop %rcx\npop %rdx\npop %rsi\npop %rdi\nadd $8, %rsp\njmp *%r11\n"
                                                ".popsection");

#endif
