/* Who has a process, and how it learns of what comes in: src/proc/process.h, schedule.c (schedule, claim), signal.c (push, fetch,
   message_send), process.c (process_leave). Each atomic step is one atomic operation of the code on p->state or p->outer.

   Proved for all interleavings: at most one has the process; it stands in at most one queue; when nothing happens any more, every
   message and every signal has been taken, each once. */
#define SCHEDULERS 2
#define SENDERS 2
#ifndef MESSAGES
#define MESSAGES 2
#endif /* of each sender */

bool runnable, running, signals, waiting = true; /* p->state */
byte outer_messages, outer_signals;              /* p->outer */
byte inbox;                                      /* messages that no receive has looked at: *p->save != NULL */
byte received, handled;                          /* in the end */
byte queued, owners, done;

inline schedule() {
    bool won = false;
    atomic {
        if
        :: runnable || running
        :: else -> runnable = true; won = true
        fi
    }
    if
    :: won -> atomic { queued++; assert(queued == 1); won = false }
    :: else
    fi
}

inline have() { owners++; assert(owners == 1) }

inline leave() {
    bool again, message;
    message = inbox > 0;
    atomic { /* process_clear */
        owners--;
        running = false;
        again = signals || !waiting
    }
#ifndef BROKEN /* what the model says if process_leave does not look at outer again */
    again = again || message || outer_messages + outer_signals > 0;
#endif
    if
    :: again -> schedule()
    :: else
    fi;
    again = false; message = false
}

inline take_over() { /* signals_handle */
    if
    :: outer_messages + outer_signals > 0 ->
        signals = false;
        atomic {
            inbox = inbox + outer_messages;
            handled = handled + outer_signals;
            outer_messages = 0;
            outer_signals = 0
        }
    :: else
    fi
}

inline push_message() {
    outer_messages++;
    if
    :: waiting -> schedule()
    :: else
    fi
}

inline push_signal() {
    outer_signals++;
    signals = true;
    schedule()
}

/* enter_waiting: the state is read, then outer, then the state is changed if it is still the same. */
inline send() {
    bool direct = false, was_runnable, was_signals;
    atomic {
        direct = waiting && !running;
        was_runnable = runnable;
        was_signals = signals
    }
    direct = direct && outer_messages + outer_signals == 0;
    atomic {
        if
        :: direct && waiting && !running && runnable == was_runnable && signals == was_signals -> running = true; have()
        :: else -> direct = false
        fi
    }
    if
    :: direct -> inbox++; leave()
    :: else -> push_message()
    fi;
    direct = false; was_runnable = false; was_signals = false
}

proctype Sender() {
    byte i = 0;
    push_signal();
    do
    :: i < MESSAGES -> send(); i++
    :: else -> break
    od;
    done++
}

proctype Scheduler() {
    bool mine;
end:
    do
    :: atomic { queued > 0 -> queued-- }
        atomic { /* claim */
            runnable = false;
            mine = !running;
            if
            :: mine -> running = true; have()
            :: else
            fi
        }
        if
        :: mine ->
            take_over();
            if
            :: waiting && inbox == 0
            :: else ->
                waiting = false;
                do
                :: inbox > 0 -> inbox--; received++
                :: inbox == 0 -> /* the end of the mailbox: looks at outer once more */
                    take_over();
                    if
                    :: inbox == 0 -> waiting = true; break
                    :: else
                    fi
                :: break /* the slice is over */
                od
            fi;
            leave()
        :: else
        fi;
        mine = false
    od
}

init {
    byte i;
    atomic {
        for (i : 1 .. SCHEDULERS) { run Scheduler() }
        for (i : 1 .. SENDERS) { run Sender() }
        i = 0
    }
    timeout; /* nobody can do anything */
    assert(done == SENDERS && received == SENDERS * MESSAGES && handled == SENDERS);
    assert(!running && !runnable && queued == 0 && outer_messages + outer_signals + inbox == 0)
}
