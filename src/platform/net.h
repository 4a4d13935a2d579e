/* What the machine is called in a network, and its interfaces. */
#ifndef MOTE_PLATFORM_NET_H
#define MOTE_PLATFORM_NET_H

#include "base/base.h"

/* All return 0 or an error number. Names are cut if they do not fit. */
int net_host_name(char *name, size_t size);
int net_interface_index(const char *name, unsigned *index);
int net_interface_name(unsigned index, char *name, size_t size);
/* Calls `visit` for each interface until it returns false. */
int net_interfaces(bool (*visit)(void *arg, unsigned index, const char *name), void *arg);

#endif
