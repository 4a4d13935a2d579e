/* What the system was started with, as far as built-ins tell of it or heed it: the emulator flags of `erl`. vm->flags points
   to one; it is the caller's of vm/, and never NULL. */
#ifndef MOTE_BIF_SYSTEM_FLAGS_H
#define MOTE_BIF_SYSTEM_FLAGS_H

#include "term/term.h"

#define MOTE_VERSION "0.1.0"

typedef struct SystemFlags {
    char release[16];                          /* "25": the OTP whose libraries run here; "" : not looked for yet */
    char version[32];                          /* "13.1.5": its erts; "" : likewise */
    bool booted;                               /* this is `erl`, not bare mode */
    const char *root;                          /* the folder of that OTP; NULL in bare mode */
    int processes, ports, atoms, tables;       /* limits; 0: the default */
    int schedulers, schedulers_online;         /* 0: as many as there are processors */
    int dirty_cpu, dirty_cpu_online, dirty_io; /* likewise; told, not made */
    int async_threads;
    int min_heap, min_binary, dictionary_size; /* words; 0: the default */
    int64_t max_heap;
    bool max_heap_keep, max_heap_quiet, max_heap_binaries; /* +hmaxk false, +hmaxel false, +hmaxib true */
    bool off_heap_messages, compressed_tables, async_dist;
    bool no_time_correction, port_parallelism, unicode_printable, no_crash_dump;
    int full_sweep_after; /* -1: the default */
    int timing_level;
    int compat_release;  /* 0: this one */
    int dist_busy_limit; /* KB; 0: the default */
    int outstanding_requests;
    int delayed_node_gc;      /* seconds; -1: the default; -2: infinity */
    term time_warp;           /* an atom; NONE: the default */
    term warnings;            /* atoms */
    const char *bind_type;    /* +sbt; NULL: unbound */
    bool bind_may_fail;       /* it was +stbt */
    const char *cpu_topology; /* +sct; NULL: as the system says */
    char file_names;          /* 'u', 'l' or 0: as the locale says */
    char file_name_warnings;  /* 'w', 'i', 'e' */
    char break_mode;          /* 'i': ignored, 'd': the signal ends the VM, 'c': interrupts the shell; 0: menu */
} SystemFlags;

struct Process;
term info_time_offset(struct Process *p); /* preliminary, final or volatile */

#endif
