/* The drivers of sockets: streams (TCP and local ones) and datagrams. A build without a network has neither. */
#ifndef MOTE_IO_PORT_INET_H
#define MOTE_IO_PORT_INET_H

#include "io/port.h"

Port *port_open_tcp(Process *p, const char *command, uint32_t flags, int *error) MAY_BE_MISSING;
Port *port_open_udp(Process *p, const char *command, uint32_t flags, int *error) MAY_BE_MISSING;

#endif
