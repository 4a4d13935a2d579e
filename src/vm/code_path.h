/* Where modules come from in bare mode: packs, the modules the executable carries, folders, and the installed OTP. */
#ifndef MOTE_VM_CODE_PATH_H
#define MOTE_VM_CODE_PATH_H

#include "code/error.h"
#include "term/vm.h"

typedef struct CodePath CodePath;

CodePath *code_path_new(VM *vm);
void code_path_free(CodePath *c);

bool code_path_add(CodePath *c, const char *dir, bool first); /* false: no memory */
void code_path_clear(CodePath *c);
/* An AVM pack, kept mapped; packs added earlier win. False: *error says why. */
bool code_path_add_pack(CodePath *c, const char *file, LoadError *error);

/* The n-th folder, those of ERL_LIBS and of the installed OTP included; NULL behind the last one. */
const char *code_path_dir(CodePath *c, size_t n);
/* Root of the installed OTP: MOTE_OTP, else what the erl on the PATH belongs to, else the usual places. NULL: none. */
const char *code_path_otp(CodePath *c);
/* Its release, "25"; "" if there is none. */
const char *code_path_otp_release(CodePath *c);
const char *code_path_erts_version(CodePath *c); /* "13.1.5", likewise */

/* The bytes of a module. `where` (of where_size bytes) gets the file's name, "" for a module that the executable carries.
   The bytes are valid until code_path_close. */
typedef enum { MODULE_FOUND, MODULE_ABSENT, MODULE_UNREADABLE } ModuleFound;
typedef struct {
    Bytes bytes;
    bool mapped;
    bool gathered; /* they are a block of MEM_CODE */
    bool trusted;  /* it belongs to the installed OTP, or the executable carries it */
} ModuleBytes;
/* to_run: without chunks that are not needed for that, if possible. */
ModuleFound code_path_open(CodePath *c, Bytes name, bool to_run, ModuleBytes *module, char *where, size_t where_size);
void code_path_close(CodePath *c, ModuleBytes *m);

/* A private file of a pack: the entry APP/priv/PATH. */
bool code_path_private(CodePath *c, Bytes app, Bytes path, Bytes *content);
/* The module that a pack starts with; size 0: no pack has one. */
Bytes code_path_pack_entry(CodePath *c);

#endif
