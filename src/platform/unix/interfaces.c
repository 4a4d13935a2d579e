/* Names of the machine and its interfaces, from the C library. */
#include "platform/net.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

int net_host_name(char *name, size_t size) {
    if (gethostname(name, size) != 0) {
        return errno;
    }
    name[size - 1] = '\0';
    return 0;
}

int net_interface_index(const char *name, unsigned *index) {
    *index = if_nametoindex(name);
    return *index == 0 ? errno : 0;
}

int net_interface_name(unsigned index, char *name, size_t size) {
    char found[IF_NAMESIZE];
    if (if_indextoname(index, found) == NULL) {
        return errno;
    }
    snprintf(name, size, "%s", found);
    return 0;
}

int net_interfaces(bool (*visit)(void *arg, unsigned index, const char *name), void *arg) {
    struct if_nameindex *all = if_nameindex();
    if (all == NULL) {
        return errno;
    }
    for (struct if_nameindex *i = all; i->if_index != 0 && visit(arg, i->if_index, i->if_name); i++) {
    }
    if_freenameindex(all);
    return 0;
}
