/* How schedulers rest and wake each other: src/proc/rest.c (schedulers_help, wake_one, scheduler_rest, come_back, end_search),
   schedule.c (before_slice). One of those that rest waits in poll for all; what wakes it there may be taken by another
   one that asks io/ in passing. What is locked in the code by rest_lock or a queue's lock is one step here where
   nothing else is looked at in between.

   Proved for all interleavings: at most one searches, and none that has found something to run still counts as searching (as long as
   one does, nobody else is woken); the counters are those of the flags; when nothing happens any more, all rest and all queues are
   empty. */
#define SCHEDULERS 3
#ifndef ITEMS
#define ITEMS 4
#endif

byte length[SCHEDULERS];              /* of the queues */
bool resting[SCHEDULERS], searching[SCHEDULERS], event[SCHEDULERS];
byte resting_count, searching_count;  /* Processes.resting, searching: read without the lock */
byte made = 2, finished, poller = SCHEDULERS;

inline help() {
    if
    :: searching_count == 0 ->
        if
        :: resting_count > 0 -> /* wake_one */
            atomic {
                if
                :: searching_count == 0 && resting_count > 0 ->
                    if
                    :: resting[0] -> other = 0
                    :: resting[1] -> other = 1
                    :: resting[2] -> other = 2
                    fi;
                    resting[other] = false;
                    searching[other] = true;
                    resting_count--;
                    searching_count++;
                    assert(searching_count == 1)
                :: else -> other = SCHEDULERS
                fi
            }
            if
            :: other < SCHEDULERS -> event[other] = true
            :: else
            fi;
            other = 0
        :: else
        fi
    :: else
    fi
}

inline end_search() {
    if
    :: searching[me] -> searching[me] = false; searching_count--
    :: else
    fi
}

/* Processes come into being: started by others, or by a timer. */
inline put() {
    atomic {
        if
        :: made < ITEMS -> made++; length[me]++
        :: else
        fi
    }
}

/* scheduler_look_around, schedulers_polled: it has taken what poll_wake had left for the one that waits there. */
inline poll() {
    if
    :: atomic { poller < SCHEDULERS && event[poller] -> event[poller] = false }
#ifndef BROKEN_POLL
        atomic {
            if
            :: poller < SCHEDULERS && !resting[poller] -> event[poller] = true
            :: else
            fi
        }
#endif
    :: true
    fi
}

/* More than one process waits there; or one, whose scheduler is busy. */
inline find_work() {
    if
    :: atomic { length[(me + 1) % SCHEDULERS] > 0 -> length[(me + 1) % SCHEDULERS]--; length[me]++ } found = true
    :: atomic { length[(me + 2) % SCHEDULERS] > 0 -> length[(me + 2) % SCHEDULERS]--; length[me]++ } found = true
    :: length[(me + 1) % SCHEDULERS] < 2 && length[(me + 2) % SCHEDULERS] < 2 -> found = false
    fi
}

proctype Scheduler(byte me) {
    byte other;
    bool found;
    do
    :: /* before_slice */
        if
        :: length[me] > 1 -> help()
        :: true /* or it has not been crowded for long enough */
        fi;
        atomic {
            found = length[me] > 0;
            if
            :: found -> length[me]--
            :: else
            fi
        }
        if
        :: found ->
            assert(!searching[me]);
            if
            :: put()
            :: poll()
            :: true
            fi;
            finished++
        :: else -> /* scheduler_rest */
            find_work();
            atomic {
                end_search();
                if
                :: !found ->
                    resting[me] = true;
                    resting_count++;
                    if
                    :: poller == SCHEDULERS -> poller = me
                    :: else
                    fi
                :: else
                fi
            }
            if
            :: !found ->
                if
                :: length[me] > 0
                :: else ->
end:                atomic { event[me] -> event[me] = false }
                fi;
                atomic { /* come_back */
                    if
                    :: resting[me] -> resting[me] = false; resting_count--
                    :: else
                    fi;
                    if
                    :: poller == me -> poller = SCHEDULERS
                    :: else
                    fi
                }
                if
                :: put() /* a timer: scheduler_look_around */
                :: true
                fi;
#ifndef BROKEN /* what the model says if what a timer has started is run by one that still counts as searching */
                if
                :: length[me] > 0 -> atomic { end_search() }
                :: else
                fi
#endif
            :: else
            fi
        fi;
        found = false
    od
}

init {
    byte i;
    atomic {
        length[0] = 2;
        for (i : 0 .. SCHEDULERS - 1) { run Scheduler(i) }
        i = 0
    }
    timeout;
    assert(finished == made && searching_count == 0 && resting_count == SCHEDULERS);
    assert(length[0] + length[1] + length[2] == 0)
}
