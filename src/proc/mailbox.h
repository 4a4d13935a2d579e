/* Messages from the receiver's side: what the receive instructions do. Only for the scheduler that runs the process.

       loop_rec       message = mailbox_peek(p). NONE: nothing that has not been looked at; if process_must_leave(p), leave
                      with RUN_YIELD (ip at this instruction, nothing live), else go on at the wait instruction
       remove_message mailbox_remove(p)
       loop_rec_end   mailbox_advance(p), and back to loop_rec
       wait           leave with RUN_WAIT (ip at loop_rec, nothing live)
       wait_timeout   by mailbox_wait(p, timeout)
       timeout        mailbox_timed_out(p)

   A message is adopted by the heap when it is first looked at, so what peek returns is an ordinary term of p; the mailbox is
   a root of the collection. */
#ifndef MOTE_PROC_MAILBOX_H
#define MOTE_PROC_MAILBOX_H

#include "proc/process.h"
#include "proc/signal.h"

/* The message the receive looks at now; fetches (and handles the other signals) when the inner queue is at its end. */
term mailbox_peek(Process *p);
/* The same if nothing needs to be done for it; else NONE. */
static inline term mailbox_at_hand(Process *p) {
    Signal *m = *p->save;
    if (m == NULL || m->data != NULL) {
        return NONE;
    }
    m->seen = true;
    return m->value;
}
static inline void mailbox_advance(Process *p) { /* to the next one */
    assert(*p->save != NULL);
    p->save = &(*p->save)->next;
}
/* Puts a message behind those that have priority, and in front of all others; a receive that is on its way sees it. */
void mailbox_put_first(Process *p, Signal *m);
void mailbox_remove(Process *p); /* the message at hand is taken; the next receive begins at the oldest; stops the timer */

typedef enum {
    MAILBOX_WAIT,      /* leave with RUN_WAIT, ip at loop_rec, nothing live */
    MAILBOX_TIMED_OUT, /* go on with the next instruction (timeout) */
    MAILBOX_BAD_TIME   /* raise the error timeout_value */
} MailboxWait;
MailboxWait mailbox_wait(Process *p, term timeout);
void mailbox_timed_out(Process *p); /* the next receive begins at the oldest message */

/* Receive markers: where in the queue a receive of a fresh reference may begin. A marker in a register is a small integer
   or undefined. Old recv_mark/recv_set: bind to any immediate that names the label. */
term mailbox_marker_reserve(Process *p);
void mailbox_marker_bind(Process *p, term marker, term reference);
void mailbox_marker_use(Process *p, term reference);
void mailbox_marker_clear(Process *p, term reference_or_marker);

/* demonitor with flush: takes out the first message {_, Ref, _, _, _}. */
bool mailbox_flush_down(Process *p, term ref);

/* For the end of a process, hibernation and the collection. */
/* Visits the messages that receive has looked at, and whose values are therefore on the heap: the first ones of the queue, and those
   from where markers have led to. Returns how many there are. */
size_t mailbox_seen(const Process *p, void (*visit)(Signal *m, void *data), void *data);
size_t mailbox_words(const Process *p); /* what the messages take that no receive has looked at */
void mailbox_drop_markers(Process *p);
void mailbox_drop_timer(Process *p);

#endif
