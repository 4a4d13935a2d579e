/* Options that several built-ins about processes take. */
#ifndef MOTE_BIF_SPAWN_OPTIONS_H
#define MOTE_BIF_SPAWN_OPTIONS_H

#include "base/account.h"
#include "bif/bif.h"
#include "proc/spawn.h"

/* max_heap_size: a number of words or #{size, kill, error_logger, include_shared_binaries}. False: neither, or less than the
   smallest size in *h. */
bool parse_max_heap(VM *vm, term t, HeapSettings *h);
term max_heap_map(Process *p, const HeapSettings *h);

/* Options of monitor/3. -1: bad ones; else RELATION_ALIAS_... and RELATION_PRIORITY. *tag: NONE if not given. */
int parse_monitor_options(term list, term *tag);
/* [priority] of OTP 28's link/2, exit/3 and so on. -1: bad ones; else 0 or RELATION_PRIORITY. */
int parse_priority_option(term list);

bool parse_priority(term t, Priority *priority);
term priority_atom(Priority priority);

typedef enum { SPAWN_OPTIONS_OK, SPAWN_OPTIONS_BAD, SPAWN_OPTIONS_NO_LIST } SpawnOptionsResult;
typedef struct {
    SpawnOptions spawn;
    bool reply_ok, reply_error;
    uint64_t quota[ACCOUNT_ITEMS]; /* what spawn.quota leads to, if it does */
} ParsedSpawnOptions;
SpawnOptionsResult parse_spawn_options(VM *vm, term list, bool request, ParsedSpawnOptions *o);

/* Is it a proper list? Its length. */
static inline bool proper_list(term t, size_t *length) {
    size_t n = 0;
    for (; is_cons(t); t = tail(t)) {
        n++;
    }
    *length = n;
    return t == NIL;
}

#endif
