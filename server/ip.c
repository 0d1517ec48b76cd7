#include "server/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct ip ip_v4(const void *bytes)
{
    struct ip ip = {.family = AF_INET};
    memcpy(ip.byte, bytes, 4);
    return ip;
}

static struct ip ip_v6(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address)) return ip_v4(address->s6_addr + 12);
    struct ip ip = {.family = AF_INET6};
    memcpy(ip.byte, address, 16);
    return ip;
}

struct ip ip_of_socket(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ip_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr);
    if (address->sa_family == AF_INET6)
        return ip_v6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return (struct ip){.family = AF_UNSPEC};
}

bool ip_parse(const char *text, size_t length, struct ip *ret_ip)
{
    char copy[IP_TEXT_SIZE];
    struct in_addr v4;
    struct in6_addr v6;
    if (length >= sizeof copy || memchr(text, '\0', length) != NULL) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1)
        *ret_ip = ip_v4(&v4);
    else if (inet_pton(AF_INET6, copy, &v6) == 1)
        *ret_ip = ip_v6(&v6);
    else
        return false;
    return true;
}

const char *ip_format(const struct ip *ip, char text[IP_TEXT_SIZE])
{
    if (ip->family == AF_UNSPEC || inet_ntop(ip->family, ip->byte, text, IP_TEXT_SIZE) == NULL)
        snprintf(text, IP_TEXT_SIZE, "unix");
    return text;
}

unsigned ip_bits(const struct ip *ip)
{
    if (ip->family == AF_INET) return 32;
    return ip->family == AF_INET6 ? 128 : 0;
}

struct ip ip_masked(const struct ip *ip, unsigned bits)
{
    struct ip masked = *ip;
    for (unsigned i = 0; i < sizeof masked.byte; i++) {
        const unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8) masked.byte[i] &= (unsigned char)(0xff00U >> kept);
    }
    return masked;
}

bool ip_equal(const struct ip *ip, const struct ip *other)
{
    return ip->family == other->family && memcmp(ip->byte, other->byte, sizeof ip->byte) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
    if (ip->family == AF_INET) return ip->byte[0] == 127;
    return ip->family == AF_INET6 &&
           memcmp(ip->byte, &in6addr_loopback, sizeof in6addr_loopback) == 0;
}
