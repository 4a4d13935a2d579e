/* How every thread of the VM is made. */
#ifndef MOTE_PLATFORM_UNIX_NEW_THREAD_H
#define MOTE_PLATFORM_UNIX_NEW_THREAD_H

#include <pthread.h>

/* Signals of the process are never delivered to it, and it is bound to no processor, whatever its maker is bound to. 0, or an error. */
int new_thread(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *arg), void *arg);

#endif
