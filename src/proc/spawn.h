/* How processes begin and end. */
#ifndef MOTE_PROC_SPAWN_H
#define MOTE_PROC_SPAWN_H

#include "proc/process.h"

typedef struct {
    bool link, system;
    bool monitor;
    uint8_t monitor_flags; /* RELATION_ALIAS_..., RELATION_PRIORITY of the monitor */
    uint8_t link_flags;    /* 0 or RELATION_PRIORITY */
    term monitor_tag;      /* NONE: 'DOWN' */
    term reply_tag;        /* what spawn_request answers with */
    bool held;             /* whoever made it says when it begins, by schedule_new */
    term reference;        /* of the monitor or the request; made by the caller. NONE: none needed */
    Priority priority;
    uint32_t scheduler; /* to which it is bound; 0: none */
    HeapSettings heap;
    bool off_heap_messages, async_dist;
    const uint64_t *quota; /* limits of a group that begins with it, see quota.h; NULL: it is part of its parent's */
} SpawnOptions;
void spawn_options_init(VM *vm, SpawnOptions *o);

/* Makes a process that calls module:function(args...) and makes it runnable. parent NULL: none (the first process).
   Returns its pid, or NONE with *reason: A_system_limit (too many processes) or A_enomem. Args is a proper list. */
term process_spawn(VM *vm, Process *parent, term module, term function, term args, const SpawnOptions *o, term *reason);

/* Begins the end of p: from here on it runs no more code and takes no signals. The scheduler does the rest (names, timers,
   links, monitors, memory), in slices. reason: a term on p's heap. */
void process_end(Process *p, term reason);
/* The same, with the error report that uncaught errors and throws get: to the process registered as logger. */
void process_end_logged(Process *p, term reason);

/* Goes on with the end of a process that has STATE_EXITING; false: not done yet, wants another slice. When it is done, only
   its memory is left, to be freed when it is in no run queue. */
bool process_end_continue(Process *p);
/* Frees it but for what others may still look at, who have found it before it left the table: that is done when they no longer do,
   by process_free_rest, and what they have sent meanwhile is answered (epoch.h). */
void process_free(Process *p);
void process_free_rest(Process *p);

/* Frees a process and all it has without telling anybody: when the VM ends. */
void process_discard(Process *p);

/* {log, Level, Format, Args, Metadata} to the process registered as logger; dropped if there is none. args: a term. */
void log_send(VM *vm, term level, const char *format, term args, term group_leader, term from_pid);

#endif
