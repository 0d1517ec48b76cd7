/* An IP address without a port: of a peer, of a network, or as a proxy names its own peer. An IPv4
 * address mapped into IPv6 is the IPv4 address. Pure; any thread. */
#ifndef GRADCHECKD_IP_H
#define GRADCHECKD_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { IP_TEXT_SIZE = 48 };

struct ip {
    sa_family_t family; /* AF_INET, AF_INET6; AF_UNSPEC: none, at a socket file */
    unsigned char byte[16];
};

/* Of a peer, or of a socket of one's own. */
struct ip ip_of_socket(const struct sockaddr *address);
/* "192.0.2.1", "2001:db8::1", without brackets. */
bool ip_parse(const char *text, size_t length, struct ip *ret_ip);
/* Returns text; "unix" when there is no address. */
const char *ip_format(const struct ip *ip, char text[IP_TEXT_SIZE]);

/* 32 or 128; 0 when there is no address. */
unsigned ip_bits(const struct ip *ip);
/* With all bits but the first `bits` set to 0. */
struct ip ip_masked(const struct ip *ip, unsigned bits);
bool ip_equal(const struct ip *ip, const struct ip *other);
bool ip_is_loopback(const struct ip *ip);

#endif
