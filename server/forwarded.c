#include "server/forwarded.h"

#include <string.h>

static bool is_port(const char *text, size_t length)
{
    return length >= 1 && length <= 5 && strspn(text, "0123456789") >= length;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". */
static bool parse_entry(const char *text, size_t length, struct ip *ret_ip)
{
    if (ip_parse(text, length, ret_ip)) return true;
    const char *colon;
    if (text[0] == '[') {
        const char *end = memchr(text, ']', length);
        if (end == NULL || memchr(text, ':', (size_t)(end - text)) == NULL) return false;
        const size_t rest = length - (size_t)(end + 1 - text);
        return (rest == 0 || (end[1] == ':' && is_port(end + 2, rest - 1))) &&
               ip_parse(text + 1, (size_t)(end - text - 1), ret_ip);
    }
    colon = memchr(text, ':', length);
    return colon != NULL && is_port(colon + 1, length - (size_t)(colon + 1 - text)) &&
           ip_parse(text, (size_t)(colon - text), ret_ip);
}

/* A proxy's own address leaves what stands before it to be the client, unless it is the first. */
static void add_entry(struct forwarded *forwarded, const char *text, size_t length)
{
    struct ip ip;
    if (!parse_entry(text, length, &ip))
        forwarded->client = forwarded->peer;
    else if (!forwarded->told || !networks_hold(forwarded->proxies, &ip))
        forwarded->client = ip;
    forwarded->told = true;
}

struct forwarded forwarded_start(const struct networks *proxies, const struct ip *peer)
{
    return (struct forwarded){proxies, *peer, *peer, false};
}

void forwarded_add(struct forwarded *forwarded, const char *line)
{
    static const char space[] = " \t";
    for (;; line++) {
        line += strspn(line, space);
        const size_t length = strcspn(line, ",");
        size_t used = length;
        while (used > 0 && strchr(space, line[used - 1]) != NULL)
            used--;
        /* An empty element means nothing (RFC 9110, 5.6.1). */
        if (used > 0) add_entry(forwarded, line, used);
        line += length;
        if (*line == '\0') return;
    }
}

struct ip forwarded_client(const struct forwarded *forwarded)
{
    const bool believed = networks_hold(forwarded->proxies, &forwarded->peer);
    return believed ? forwarded->client : forwarded->peer;
}
