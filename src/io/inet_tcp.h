/* Streams: what their input and output know of each other. Functions that return bool say whether the port still exists. */
#ifndef MOTE_IO_INET_TCP_H
#define MOTE_IO_INET_TCP_H

#include "io/inet.h"

void tcp_begin(Inet *s);
bool tcp_deliver(Inet *s, size_t length); /* a packet of that length; 0: what is there, if it is whole */
bool tcp_receive(Inet *s, size_t length);
void tcp_close_check(Inet *s); /* answers all who wait for something */
void tcp_close(Inet *s);       /* closes cleanly: nothing is left to be read or written */
void tcp_closed_message(Inet *s);
void tcp_drop_dead(Inet *s); /* those who have ended meanwhile accept nothing */

size_t tcp_queued(const Port *port);
void tcp_clear_output(Inet *s);
bool tcp_release(Inet *s); /* whoever is held up by a full queue is in s->caller then; false: nobody is */
void tcp_output(Port *port, Bytes data);
bool tcp_write_queue(Inet *s);
term tcp_shutdown(Inet *s, Process *p, Bytes data);
term tcp_send_file(Inet *s, Process *p, Bytes data);
void tcp_file_aborted(Inet *s, int error);

#endif
