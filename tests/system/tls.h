/*
 * TLS for the client. Sessions trust every certificate, so that a test can look at the one that
 * came.
 */
#ifndef TESTS_SYSTEM_TLS_H
#define TESTS_SYSTEM_TLS_H

#include <stdbool.h>
#include <sys/types.h>

struct gnutls_session_int;

/* Shakes hands on a connected socket that does not block, with these protocols and ciphers, in the
 * words of GnuTLS (NULL: its own). NULL when that fails, or time is up. */
struct gnutls_session_int *tls_open(int fd, const char *priorities, double deadline);
/* As send() and recv(), errno included. */
ssize_t tls_send(struct gnutls_session_int *session, const void *bytes, size_t size);
ssize_t tls_receive(struct gnutls_session_int *session, void *bytes, size_t size);
/* Takes NULL. */
void tls_close(struct gnutls_session_int *session);

/* "TLS1.3". */
const char *tls_version(struct gnutls_session_int *session);
/* How many certificates the peer has shown, and of whom the first of them speaks. */
unsigned tls_chain(struct gnutls_session_int *session);
const char *tls_peer(struct gnutls_session_int *session);

#endif
