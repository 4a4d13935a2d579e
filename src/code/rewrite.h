/* What the files that rewrite instructions share. */
#ifndef MOTE_CODE_REWRITE_H
#define MOTE_CODE_REWRITE_H

#include "code/ins.h"
#include "gen/generic.h"

typedef struct {
    Program *pr;
    const GenericOp *end;
    bool has_bifs;             /* some of the module's functions may be built in */
    const GenericOp *required; /* what get_tuple_element before this one relies on has been seen to */
    uint32_t bad_label;        /* leads to bad_code; 0: not needed so far */
    const BifEntry *bif;       /* that make_bif is about */
    Arg scratch[4];
} Rewriter;

Ins *out(Rewriter *r, uint16_t op, uint8_t count);
const Arg *in_register(Rewriter *r, const Arg *a, unsigned which);
void set_value(Rewriter *r, Operand *o, const Arg *a);
void set_label(Rewriter *r, Operand *o, const Arg *a);
void set_number(Operand *o, uintptr_t n);
void set_pointer(Operand *o, const void *p);
Operand *set_room(Rewriter *r, Operand *o, uint32_t count); /* a list of so many operands; NULL: no memory */
void set_sure_label(Rewriter *r, Operand *o, const Arg *a); /* no label: one that leads to an exception */
uint32_t heap_words(const Arg *a);

/* rewrite_bits.c */
void make_unit_flags(Rewriter *r, Operand *o, const Arg *unit); /* the flags come behind it */
uint32_t rewrite_start_match(Rewriter *r, const GenericOp *g);
uint32_t rewrite_save_position(Rewriter *r, const GenericOp *g);
uint32_t rewrite_get_integer(Rewriter *r, const GenericOp *g);
uint32_t rewrite_get_binary(Rewriter *r, const GenericOp *g);
uint32_t rewrite_skip_bits(Rewriter *r, const GenericOp *g);
uint32_t rewrite_test_tail(Rewriter *r, const GenericOp *g);
uint32_t rewrite_test_unit(Rewriter *r, const GenericOp *g);
uint32_t rewrite_match_string(Rewriter *r, const GenericOp *g);
uint32_t rewrite_bs_match(Rewriter *r, const GenericOp *g);
uint32_t rewrite_create_bin(Rewriter *r, const GenericOp *g);
uint32_t rewrite_old_create(Rewriter *r, const GenericOp *g);

#endif
