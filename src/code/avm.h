/* AVM packs: many files in one, as AtomVM lays them out. The header is the 24 bytes `#!/usr/bin/env AtomVM\n\0\0`; then entries:
   size (32 bits, big-endian, padding included), flags, reserved, zero-terminated name padded to 4, content padded to 4. Flag 1:
   exports start/0; flag 2: a BEAM file. Other files start with their own 32-bit size. The last entry has size 0 and the name
   `end`. */
#ifndef MOTE_CODE_AVM_H
#define MOTE_CODE_AVM_H

#include "base/text.h"
#include "code/error.h"

enum { AVM_STARTS = 1, AVM_BEAM = 2, AVM_HEADER_SIZE = 24 };

/* A pack in memory, checked as a whole when it is opened: looking into it afterwards cannot fail. */
typedef struct {
    Bytes bytes;
} Avm;

typedef struct {
    Bytes name;    /* without the zero */
    Bytes content; /* without padding and, of plain files, without their own size */
    uint32_t flags;
} AvmEntry;

bool avm_open(Avm *a, const char *file, Bytes bytes, LoadError *error);
/* Goes through the entries: *at is 0 at first. False behind the last one. */
bool avm_next(const Avm *a, size_t *at, AvmEntry *entry);
bool avm_find(const Avm *a, Bytes name, Bytes *content);
/* The name of the first module flagged as a start, without `.beam`. */
bool avm_start(const Avm *a, Bytes *module);
bool avm_is_pack(Bytes file);

/* Writing a pack: its header, entries, its end. Failed allocations stick to the text. */
void avm_begin(Text *out);
void avm_add(Text *out, Bytes name, uint32_t flags, Bytes content);
void avm_end(Text *out);

/* What a pack keeps of a .beam file: the chunks needed to run it, literals not compressed. */
enum { AVM_KEEP_LINES = 1, AVM_KEEP_TYPES = 2 };
typedef struct {
    char name[1024]; /* the entry's name: the module's, and .beam */
    bool starts;     /* it exports start/0 */
} AvmModule;
bool avm_strip(Text *out, const char *file, Bytes beam, unsigned keep, AvmModule *module, LoadError *error);

#endif
