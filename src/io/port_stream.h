/* Ports of bytes: programs, descriptors that are open already, and files. */
#ifndef MOTE_IO_PORT_STREAM_H
#define MOTE_IO_PORT_STREAM_H

#include "io/port.h"
#include "platform/child.h"

typedef struct {
    bool in, out;    /* as the port sees it */
    unsigned packet; /* bytes of length in front of each packet: 0, 1, 2, 4 */
    size_t line;     /* longest line; 0: not by lines */
    bool exit_status;
    size_t high, low; /* marks of its queue */
    uint32_t flags;   /* PORT_... */
} StreamOptions;

/* Each returns the port, linked to p, or NULL: *error is an error number. */
Port *port_open_program(Process *p, Bytes name, const ChildOptions *child, const StreamOptions *o, int *error);
Port *port_open_fd(Process *p, int in, int out, const StreamOptions *o, int *error);
Port *port_open_file(Process *p, const char *name, const StreamOptions *o, int *error);
void port_children_done(VM *vm); /* the VM ends: programs that have not ended are nobody's */

#endif
