/* How a process ends while others look it up: src/proc/exit.c (leave_table, process_end_continue, process_free), signal.c
   (signal_send, refuse), epoch.c. Two watchers ask for monitors of a process that ends on another scheduler.

   Proved for all interleavings: every request is answered by exactly one DOWN; nobody touches the process after its memory has been
   given back, though nobody takes a lock or counts references. */
#define WATCHERS 2
#ifndef REQUESTS
#define REQUESTS 2
#endif
#define AWAY 255

bool in_table = true, freed;
byte outer;     /* requests in p->outer */
byte down;      /* answers */
byte epoch;     /* Processes.epoch */
byte at[3];     /* Scheduler.epoch; the last one is of the scheduler on which the process ends */
byte done;

inline pass(me) { /* epoch_pass, of one that has put nothing aside */
    byte e = epoch;
    at[me] = e;
    e = 0
}

proctype Watcher(byte me) {
    byte i = 0;
    bool found;
    at[me] = epoch; /* epoch_back */
    do
    :: i < REQUESTS ->
        found = in_table; /* process_find_any */
        if
        :: found ->
            assert(!freed); /* push */
            atomic { assert(!freed); outer++ }
            assert(!freed) /* process_set, schedule */
        :: else -> down++ /* noproc at once */
        fi;
        i++;
        if
        :: pass(me)            /* the slice is over */
        :: true                /* or it is not */
        :: at[me] = AWAY;      /* or it rests */
            at[me] = epoch
        fi
    :: else -> break
    od;
    at[me] = AWAY;
    done++
}

proctype Owner() {
    byte taken = 0, relations = 0, aside, now, least;
    at[2] = epoch;
    /* Runs, and handles what has come in. */
    atomic { relations = outer; outer = 0 }
    /* process_end: from here on signals are refused. */
    if
    :: atomic { taken = outer; outer = 0 }; down = down + taken; taken = 0
    :: true
    fi;
    in_table = false; /* leave_table */
    down = down + relations;
    relations = 0;
    atomic { taken = outer; outer = 0 } /* signals_refuse */
    down = down + taken;
    taken = 0;
    aside = epoch; /* process_free */
    do
    :: /* between slices: epoch_pass */
        now = epoch;
        at[2] = now;
        /* The schedulers are looked at one after the other. */
        least = at[0];
        if
        :: at[1] < least -> least = at[1]
        :: else
        fi;
        if
        :: at[2] < least -> least = at[2]
        :: else
        fi;
        if
#ifndef BROKEN
        :: aside < least -> break
#else   /* what the model says if memory is given back in the epoch in which it was put aside */
        :: aside <= least -> break
#endif
        :: else ->
            atomic {
                if
                :: least == now && epoch == now -> epoch++
                :: else
                fi
            }
        fi
    od;
    atomic { taken = outer; outer = 0 } /* process_free_rest */
    down = down + taken;
    freed = true;
    done++
}

init {
    byte i;
    atomic {
        at[0] = AWAY;
        at[1] = AWAY;
        at[2] = AWAY;
        for (i : 0 .. WATCHERS - 1) { run Watcher(i) }
        run Owner();
        i = 0
    }
    done == WATCHERS + 1;
    assert(outer == 0 && down == WATCHERS * REQUESTS)
}
