#include "server/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail(char fault[NETWORK_FAULT_SIZE], const char *text, size_t length, const char *why)
{
    snprintf(fault, NETWORK_FAULT_SIZE, "'%.*s' %s", length < 50 ? (int)length : 50, text, why);
    return false;
}

/* The digits after the slash. */
static bool parse_bits(const char *text, size_t length, unsigned *ret_bits)
{
    if (length < 1 || length > 3 || strspn(text, "0123456789") < length) return false;
    *ret_bits = (unsigned)strtoul(text, NULL, 10);
    return true;
}

/* "10.0.0.1/8" is more likely a slip than a way to write 10.0.0.0/8. */
static bool fail_for_host(char fault[NETWORK_FAULT_SIZE], const char *text, size_t length,
                          const struct network *network)
{
    char first[IP_TEXT_SIZE], why[NETWORK_FAULT_SIZE / 2];
    const struct ip masked = ip_masked(&network->first, network->bits);
    snprintf(why, sizeof why, "is an address inside of its network, which is %s/%u",
             ip_format(&masked, first), network->bits);
    return fail(fault, text, length, why);
}

static bool parse_one(const char *text, size_t length, struct network *ret_network,
                      char fault[NETWORK_FAULT_SIZE])
{
    struct network network;
    const char *slash = memchr(text, '/', length);
    const size_t address = slash == NULL ? length : (size_t)(slash - text);
    if (!ip_parse(text, address, &network.first))
        return fail(fault, text, length, "is no network, such as 10.0.0.0/8 or fd00::/8");
    const unsigned most = ip_bits(&network.first);
    /* What is mapped into IPv6 counts its bits from there on. */
    const unsigned before = most == 32 && memchr(text, ':', address) != NULL ? 96 : 0;
    network.bits = most + before;
    if (slash != NULL && !parse_bits(slash + 1, length - address - 1, &network.bits))
        return fail(fault, text, length, "needs a number of bits behind its slash");
    if (network.bits > most + before || network.bits < before)
        return fail(fault, text, length, "has a number of bits that does not fit its address");
    network.bits -= before;
    const struct ip masked = ip_masked(&network.first, network.bits);
    if (!ip_equal(&masked, &network.first)) return fail_for_host(fault, text, length, &network);
    *ret_network = network;
    return true;
}

bool networks_parse(const char *text, struct networks *ret_networks, char fault[NETWORK_FAULT_SIZE])
{
    struct networks networks = {0};
    for (const char *rest = text;; rest++) {
        const size_t length = strcspn(rest, ",");
        if (networks.count == NETWORKS_MAX)
            return fail(fault, rest, length, "is one network too many");
        if (!parse_one(rest, length, &networks.network[networks.count], fault)) return false;
        networks.count++;
        rest += length;
        if (*rest == '\0') break;
    }
    *ret_networks = networks;
    return true;
}

bool networks_hold(const struct networks *networks, const struct ip *ip)
{
    for (size_t i = 0; i < networks->count; i++) {
        const struct ip masked = ip_masked(ip, networks->network[i].bits);
        if (ip_equal(&masked, &networks->network[i].first)) return true;
    }
    return false;
}
