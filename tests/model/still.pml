/* How all schedulers but one stand still: src/proc/rest.c (world_stop, world_go, stand_still, come_back, scheduler_leave_world, start_one).
   What is locked in the code by rest_lock is one step here.

   Proved for all interleavings: while one says that the world is still, nobody else runs a slice, a thread that has just begun
   included; two that want it at once both get it, one after the other, or are told to try again; nobody waits for ever. */
#define SCHEDULERS 3
#define NOBODY SCHEDULERS
#ifndef ROUNDS
#define ROUNDS 3 /* slices of each */
#endif

bool away[SCHEDULERS], runs[SCHEDULERS], event[SCHEDULERS], still;
byte started = SCHEDULERS - 1, ended, stopper = NOBODY;
bool starting;

inline set_away() {
    away[me] = true;
#ifndef BROKEN_SLEEP
    if
    :: stopper < NOBODY -> event[stopper] = true
    :: else
    fi
#endif
}

inline wait_for_event() {
    atomic { event[me] -> event[me] = false }
}

inline come_back() {
    do
    :: atomic { stopper == NOBODY || stopper == me -> away[me] = false } break
    :: atomic { stopper < NOBODY && stopper != me } wait_for_event()
    od
}

inline stand_still() {
    atomic { set_away() }
    come_back()
}

inline world_stop() {
    atomic {
        mine = stopper == NOBODY;
        if
        :: mine -> stopper = me
        :: else
        fi
    }
    if
    :: !mine -> stand_still()
    :: else ->
        do
        :: atomic {
               all = true;
               for (i : 0 .. started - 1) { all = all && (i == me || away[i]) }
               i = 0
           }
           if
           :: all -> break
           :: else -> wait_for_event()
           fi
        od
    fi
}

inline world_go() {
    atomic { stopper = NOBODY }
    for (i : 0 .. started - 1) { event[i] = true }
    i = 0
}

inline start_one() {
    atomic {
        mine = started < SCHEDULERS && !starting && stopper == NOBODY;
        starting = starting || mine
    }
    if
    :: mine ->
        away[SCHEDULERS - 1] = true;
        started++;
        run Scheduler(SCHEDULERS - 1);
        atomic { starting = false }
    :: else
    fi
}

proctype Scheduler(byte me) {
    byte i, rounds;
    bool mine, all;
#ifndef BROKEN_START
    if
    :: away[me] -> come_back() /* a new thread */
    :: else
    fi;
#endif
    do
    :: rounds < ROUNDS ->
        rounds++;
        if
        :: stopper < NOBODY -> stand_still() /* scheduler_checkpoint */
        :: else
        fi;
        assert(!still);
        runs[me] = true;
        assert(!still);
        runs[me] = false;
        if
        :: true
        :: atomic { set_away() } come_back() /* scheduler_rest: something comes at once */
        :: world_stop();
           if
           :: mine ->
               still = true;
               assert(!runs[(me + 1) % SCHEDULERS] && !runs[(me + 2) % SCHEDULERS]);
               still = false;
               world_go()
           :: else
           fi
        :: me == 0 -> start_one()
        fi
    :: else -> break
    od;
    atomic { set_away() } /* scheduler_leave_world */
    ended++
}

init {
    atomic {
        run Scheduler(0);
        run Scheduler(1)
    }
    timeout;
    assert(ended == started && stopper == NOBODY)
}
