/* What the files that rewrite instructions share. */
#ifndef MOTE_CODE_REWRITE_H
#define MOTE_CODE_REWRITE_H

#include "code/ins.h"
#include "gen/generic.h"

typedef struct {
    Program *pr;
    const GenericOp *end;
    const BeamFunction **function_of; /* by label of its entry */
    Arg scratch[4];
} Rewriter;

Ins *out(Rewriter *r, uint16_t op, uint8_t count);
const Arg *in_register(Rewriter *r, const Arg *a, unsigned which);
void set_value(Rewriter *r, Operand *o, const Arg *a);
void set_label(Rewriter *r, Operand *o, const Arg *a);
void set_number(Operand *o, uintptr_t n);
void set_pointer(Operand *o, const void *p);
Operand *set_room(Rewriter *r, Operand *o, uint32_t count); /* a list of so many operands; NULL: no memory */
uint32_t heap_words(const Arg *a);

#endif
