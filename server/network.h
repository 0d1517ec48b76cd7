/* Networks of IP addresses, such as 10.0.0.0/8, and which addresses they hold. Pure; any thread. */
#ifndef GRADCHECKD_NETWORK_H
#define GRADCHECKD_NETWORK_H

#include "server/ip.h"

enum { NETWORKS_MAX = 64, NETWORK_FAULT_SIZE = 160 };

struct network {
    struct ip first;
    unsigned bits; /* of it that all addresses share */
};

struct networks {
    size_t count;
    struct network network[NETWORKS_MAX];
};

/* A list with commas; an address alone is a network of one. False with what is wrong in `fault`:
 * no address, bits that are out of range or belong to a host, too many. */
bool networks_parse(const char *text, struct networks *ret_networks,
                    char fault[NETWORK_FAULT_SIZE]);
/* An IPv6 network holds no IPv4 address, whatever its size. */
bool networks_hold(const struct networks *networks, const struct ip *ip);

#endif
