#include "server/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail(const char *text, const char *why)
{
    fprintf(stderr, "gradcheckd: --listen '%s': %s\n", text, why);
    return false;
}

static bool parse_port(const char *text, in_port_t *ret_port)
{
    const size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 5 || text[digits] != '\0') return false;
    const long port = strtol(text, NULL, 10);
    *ret_port = htons((in_port_t)port);
    return port <= 65535;
}

static bool is_loopback(const struct address *address)
{
    if (address->socket.any.sa_family == AF_INET)
        return ntohl(address->socket.v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&address->socket.v6.sin6_addr);
}

bool address_parse(const char *text, struct address *ret_address)
{
    struct address address = {0};
    const char *colon = strrchr(text, ':');
    in_port_t port;
    if (colon == NULL || (size_t)(colon - text) >= sizeof address.host ||
        !parse_port(colon + 1, &port))
        return fail(text, "must be ADDRESS:PORT, such as 127.0.0.1:8080");
    snprintf(address.host, sizeof address.host, "%.*s", (int)(colon - text), text);
    char bare[sizeof address.host];
    const size_t length = strlen(address.host);
    const bool bracketed = length > 2 && address.host[0] == '[' && address.host[length - 1] == ']';
    snprintf(bare, sizeof bare, "%.*s", (int)(bracketed ? length - 2 : length),
             address.host + bracketed);
    if (strcmp(bare, "localhost") == 0) snprintf(bare, sizeof bare, "127.0.0.1");
    if (!bracketed && inet_pton(AF_INET, bare, &address.socket.v4.sin_addr) == 1) {
        address.socket.v4.sin_family = AF_INET;
        address.socket.v4.sin_port = port;
    } else if (bracketed && inet_pton(AF_INET6, bare, &address.socket.v6.sin6_addr) == 1) {
        address.socket.v6.sin6_family = AF_INET6;
        address.socket.v6.sin6_port = port;
    } else {
        return fail(text, "is no IP address (an IPv6 one stands in brackets)");
    }
    if (!is_loopback(&address))
        return fail(text,
                    "is not a loopback address, and there are no tokens that would protect it");
    *ret_address = address;
    return true;
}
