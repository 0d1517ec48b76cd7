/* Where to listen: "127.0.0.1:8080", "[::1]:0", "localhost:8080". */
#ifndef GRADCHECKD_ADDRESS_H
#define GRADCHECKD_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    char host[64]; /* as written in a URL */
};

/* False after a message on standard error: not an address, or not a loopback one. */
bool address_parse(const char *text, struct address *ret_address);

#endif
