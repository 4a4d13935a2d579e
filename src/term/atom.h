/* Atoms: indices into a table per VM. Those that C code names (A_ok, A_badarg ...) have constant indices and live in
   read-only memory; the build collects them by scanning the sources for A_name (odd texts: see atoms.tab). */
#ifndef MOTE_TERM_ATOM_H
#define MOTE_TERM_ATOM_H

#include "gen/atoms.h"
#include "term/vm.h"

enum { ATOM_MAX_CHARS = 255, ATOM_LIMIT = 1 << 20 };

bool atoms_init(VM *vm);
void atoms_done(VM *vm);

/* The atom with this text (UTF-8, checked). NONE: too long, not UTF-8, table full, or no memory; *reason (if not NULL)
   then says which: A_system_limit or A_badarg. */
term atom_intern(VM *vm, const uint8_t *utf8, size_t size, term *reason);
term atom_from(VM *vm, const char *text);                 /* of a C string; text known to be good */
term atom_find(VM *vm, const uint8_t *utf8, size_t size); /* NONE if there is no such atom */
Bytes atom_text(const VM *vm, term atom);                 /* valid as long as the VM */
int atom_compare(const VM *vm, term a, term b);           /* in the order of their characters */
uint32_t atom_hash(const VM *vm, term atom);              /* OTP's hash of the text, part of phash2 */
size_t atom_count(const VM *vm);
void atoms_expect(VM *vm, uint32_t count);    /* so many will be added: its table need not grow step by step */
void atoms_set_limit(VM *vm, uint32_t limit); /* at most ATOM_LIMIT, which it is at first */
uint32_t atoms_limit(const VM *vm);

#endif
