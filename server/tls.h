/* The certificate that HTTPS is served with: beside digest.c the one file with GnuTLS.
 *
 * A pair (chain and key) is read at the start and again by tls_reload. A connection keeps the pair
 * that was there when it began until its own end, so that a reload disturbs no handshake. Any
 * thread may begin and end connections; tls_reload blocks for the disk and belongs to one thread at
 * a time. */
#ifndef GRADCHECKD_TLS_H
#define GRADCHECKD_TLS_H

struct tls;
struct tls_pair;

/* PEM files. NULL after a message on standard error. */
struct tls *tls_open(const char *certificate_file, const char *key_file);
/* After the end of the last connection. */
void tls_close(struct tls *tls);
/* Reads the files again, for connections to come. A bad pair is told in the log, and the old one
 * stays. */
void tls_reload(struct tls *tls);

/* Protocols and ciphers, as GnuTLS wants them named: TLS 1.2 and 1.3. */
const char *tls_priorities(void);
/* A gnutls_certificate_retrieve_function3 for sessions given to tls_begin. */
void *tls_chooser(void);
/* Prepares a session (a gnutls_session_t) before its handshake. The pair goes to tls_end, which may
 * follow the session's own end, and takes NULL. */
struct tls_pair *tls_begin(struct tls *tls, void *session);
void tls_end(struct tls_pair *pair);

#endif
