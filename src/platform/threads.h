/* Threads, and how they wait for each other. */
#ifndef MOTE_PLATFORM_THREADS_H
#define MOTE_PLATFORM_THREADS_H

#include "base/mem.h"

typedef struct Thread Thread;
/* Is there memory left when one more thread has been started? One more is no help to processes that get none. */
bool threads_leave_memory(void);
/* Signals of the process are never delivered to it. NULL: there can be no more threads. */
Thread *thread_start(Mem *mem, void (*run)(void *arg), void *arg);
void thread_join(Mem *mem, Thread *t); /* waits for its end and frees it; NULL is no error */

/* One thread waits for it, any may set it. It stays set until it has been waited for. */
typedef struct Event Event;
Event *event_new(Mem *mem); /* NULL: no memory */
void event_free(Mem *mem, Event *e);
void event_set(Event *e);
void event_wait(Event *e, int64_t nanoseconds); /* at most so long; < 0: for ever */

/* A lock that is waited for asleep, for what may take long. Its owner may take it again, and gives it back as often. */
typedef struct Mutex Mutex;
Mutex *mutex_new(Mem *mem); /* NULL: no memory */
void mutex_free(Mem *mem, Mutex *m);
void mutex_take(Mutex *m);
bool mutex_try(Mutex *m); /* false: another thread has it */
void mutex_give(Mutex *m);

#endif
