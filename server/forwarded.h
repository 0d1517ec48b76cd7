/* Who a request comes from, when proxies stand in between: each of them appends the address that it
 * was asked from to the header X-Forwarded-For. Only what a known proxy has appended can be
 * believed, so the client is the last address of the list that is not itself a proxy's; what stands
 * before it may be invented, and is not looked at. Pure; any thread. */
#ifndef GRADCHECKD_FORWARDED_H
#define GRADCHECKD_FORWARDED_H

#include "server/network.h"

struct forwarded {
    const struct networks *proxies;
    struct ip peer;
    struct ip client; /* as far as the lines so far tell */
    bool told;        /* an address has come */
};

/* For a request of this peer. */
struct forwarded forwarded_start(const struct networks *proxies, const struct ip *peer);
/* One line of the header, first to last. */
void forwarded_add(struct forwarded *forwarded, const char *line);
/* The peer itself when it is no proxy, sent no such header, or passed on what is no address. */
struct ip forwarded_client(const struct forwarded *forwarded);

#endif
