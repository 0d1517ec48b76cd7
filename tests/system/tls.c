#include "tls.h"
#include "client.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <stdlib.h>

/* One for all sessions of a test; without any trust, and never asked for it. */
static gnutls_certificate_credentials_t credentials(void)
{
    static gnutls_certificate_credentials_t all;
    if (all == NULL) ck_assert_int_eq(gnutls_certificate_allocate_credentials(&all), 0);
    return all;
}

struct gnutls_session_int *tls_open(int fd, const char *priorities, double deadline)
{
    gnutls_session_t session;
    int status;
    ck_assert_int_eq(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), 0);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials());
    gnutls_server_name_set(session, GNUTLS_NAME_DNS, "localhost", 9);
    if (priorities == NULL) priorities = "NORMAL";
    ck_assert_int_eq(gnutls_priority_set_direct(session, priorities, NULL), 0);
    gnutls_transport_set_int(session, fd);
    do {
        status = gnutls_handshake(session);
        short events = gnutls_record_get_direction(session) == 0 ? POLLIN : POLLOUT;
        if (status == GNUTLS_E_AGAIN && !socket_ready(fd, events, deadline)) break;
    } while (status != 0 && gnutls_error_is_fatal(status) == 0);
    if (status == 0) return session;
    tls_close(session);
    return NULL;
}

static ssize_t as_socket(ssize_t size)
{
    if (size >= 0) return size;
    errno = size == GNUTLS_E_AGAIN ? EAGAIN : size == GNUTLS_E_INTERRUPTED ? EINTR : ECONNRESET;
    return -1;
}

ssize_t tls_send(struct gnutls_session_int *session, const void *bytes, size_t size)
{
    return as_socket(gnutls_record_send(session, bytes, size));
}

ssize_t tls_receive(struct gnutls_session_int *session, void *bytes, size_t size)
{
    return as_socket(gnutls_record_recv(session, bytes, size));
}

void tls_close(struct gnutls_session_int *session)
{
    if (session == NULL) return;
    gnutls_bye(session, GNUTLS_SHUT_WR);
    gnutls_deinit(session);
}

const char *tls_version(struct gnutls_session_int *session)
{
    return gnutls_protocol_get_name(gnutls_protocol_get_version(session));
}

unsigned tls_chain(struct gnutls_session_int *session)
{
    unsigned count = 0;
    gnutls_certificate_get_peers(session, &count);
    return count;
}

const char *tls_peer(struct gnutls_session_int *session)
{
    char name[256];
    size_t size = sizeof name;
    gnutls_x509_crt_t certificate;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &(unsigned){0});
    ck_assert(chain != NULL && gnutls_x509_crt_init(&certificate) == 0);
    ck_assert_int_eq(gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER), 0);
    ck_assert_int_eq(
        gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size),
        0);
    gnutls_x509_crt_deinit(certificate);
    return format("%s", name);
}
