/* Where to listen: "127.0.0.1:8080", "[::1]:0", "localhost:8080", "0.0.0.0:8080", "unix:PATH". */
#ifndef GRADCHECKD_ADDRESS_H
#define GRADCHECKD_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/un.h>

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un file;
    } socket;
    socklen_t size; /* of the member in use */
    char host[64];  /* as written in a URL; "" of a socket file */
};

/* False after a message on standard error. */
bool address_parse(const char *text, struct address *ret_address);
/* A socket file, whose mode says who may connect. */
bool address_is_file(const struct address *address);
/* Whether nobody but this machine can connect. */
bool address_is_local(const struct address *address);

#endif
