#include "server/address.h"
#include "server/ip.h"

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

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) return true;
    return false;
}

static bool parse_file(const char *text, const char *path, struct address *ret_address)
{
    struct address address = {0};
    struct sockaddr_un *file = &address.socket.file;
    const size_t length = strlen(path);
    char why[80];
    if (length == 0) return fail(text, "must be unix:PATH");
    if (has_control(path)) return fail(text, "holds a control character");
    if (length >= sizeof file->sun_path) {
        snprintf(why, sizeof why, "has a path of %zu bytes; a socket's may have %zu", length,
                 sizeof file->sun_path - 1);
        return fail(text, why);
    }
    file->sun_family = AF_UNIX;
    memcpy(file->sun_path, path, length + 1);
    address.size = sizeof *file;
    *ret_address = address;
    return true;
}

/* Fills in family and address; false when it is none. */
static bool parse_host(struct address *address)
{
    char bare[sizeof address->host];
    const size_t length = strlen(address->host);
    const bool bracketed =
        length > 2 && address->host[0] == '[' && address->host[length - 1] == ']';
    snprintf(bare, sizeof bare, "%.*s", (int)(bracketed ? length - 2 : length),
             address->host + bracketed);
    if (strcmp(bare, "localhost") == 0) snprintf(bare, sizeof bare, "127.0.0.1");
    if (!bracketed && inet_pton(AF_INET, bare, &address->socket.v4.sin_addr) == 1) {
        address->socket.v4.sin_family = AF_INET;
        address->size = sizeof address->socket.v4;
    } else if (bracketed && inet_pton(AF_INET6, bare, &address->socket.v6.sin6_addr) == 1) {
        address->socket.v6.sin6_family = AF_INET6;
        address->size = sizeof address->socket.v6;
    } else {
        return false;
    }
    return true;
}

bool address_parse(const char *text, struct address *ret_address)
{
    if (strncmp(text, "unix:", 5) == 0) return parse_file(text, text + 5, ret_address);
    struct address address = {0};
    const char *colon = strrchr(text, ':');
    in_port_t port;
    if (colon == NULL || (size_t)(colon - text) >= sizeof address.host ||
        !parse_port(colon + 1, &port))
        return fail(text, "must be ADDRESS:PORT, such as 127.0.0.1:8080, or unix:PATH");
    snprintf(address.host, sizeof address.host, "%.*s", (int)(colon - text), text);
    if (!parse_host(&address))
        return fail(text, "is no IP address (an IPv6 one stands in brackets)");
    if (address.socket.any.sa_family == AF_INET)
        address.socket.v4.sin_port = port;
    else
        address.socket.v6.sin6_port = port;
    *ret_address = address;
    return true;
}

bool address_is_file(const struct address *address)
{
    return address->socket.any.sa_family == AF_UNIX;
}

bool address_is_local(const struct address *address)
{
    const struct ip ip = ip_of_socket(&address->socket.any);
    return address_is_file(address) || ip_is_loopback(&ip);
}
