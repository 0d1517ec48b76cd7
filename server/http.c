#include "server/http.h"
#include "server/clock.h"
#include "server/http_exchange.h"
#include "server/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HTTP_THREADS = 2,
    POOL_THREADS = 16,          /* they wait for commits, which are made for many at once */
    CONNECTION_BYTES = 64 << 10 /* headers, and one chunk of a body */
};

/* For how long answers may still be on their way after a signal. */
#define STOP_NS INT64_C(1000000000)

/* ---- connections ---- */

static enum MHD_Result accept_peer(void *closure, const struct sockaddr *address, socklen_t size)
{
    (void)size;
    const struct http *http = closure;
    const struct ip peer = ip_of_socket(address);
    if (listener_accepts(http->listener, &peer)) return MHD_YES;
    char text[IP_TEXT_SIZE];
    log_info("refused", "client=\"%s\" reason=\"neither a proxy nor this machine\"",
             ip_format(&peer, text));
    return MHD_NO;
}

/* Under TLS a connection holds its certificate from before the handshake until after its end. */
static void connection_changed(void *closure, struct MHD_Connection *connection, void **state,
                               enum MHD_ConnectionNotificationCode code)
{
    const struct http *http = closure;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        tls_end(*state);
        return;
    }
    const union MHD_ConnectionInfo *session =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    *state = session == NULL ? NULL : tls_begin(http->listener->tls, session->tls_session);
}

/* ---- life ---- */

static void log_library(void *closure, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void log_library(void *closure, const char *format, va_list arguments)
{
    (void)closure;
    char text[200], quoted[LOG_QUOTED_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    log_error("http", "message=%s", log_quote(text, quoted));
}

static void panic(void *closure, const char *file, unsigned line, const char *reason)
{
    (void)closure;
    log_error("panic", "file=%s line=%u reason=\"%s\"", file, line, reason == NULL ? "" : reason);
    log_close();
    abort();
}

/* A NUL would end the path or the value early; what holds one stays as it was sent, and matches
 * nothing. */
static size_t unescape(void *closure, struct MHD_Connection *connection, char *text)
{
    (void)closure, (void)connection;
    return strstr(text, "%00") != NULL ? strlen(text) : MHD_http_unescape(text);
}

/* epoll alone: suspending is unsound with select and poll in the library's version of Debian 12.
 * The library closes the socket, whatever comes. */
static struct MHD_Daemon *start(struct http *http, int fd)
{
    const struct config *config = http->service->config;
    const bool v6 = http->listener->address.socket.any.sa_family == AF_INET6;
    const bool tls = http->listener->tls != NULL;
    struct MHD_OptionItem https[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities()},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, tls_chooser()},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_changed, http},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (v6 ? MHD_USE_IPv6 : 0) | (tls ? MHD_USE_TLS : 0),
        0, accept_peer, http, http_exchange_handle, http, MHD_OPTION_EXTERNAL_LOGGER, log_library,
        NULL, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)config->connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)config->idle_seconds, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_NOTIFY_COMPLETED, http_exchange_completed, http, MHD_OPTION_ARRAY,
        tls ? https : https + sizeof https / sizeof https[0] - 1, MHD_OPTION_END);
}

struct http *http_start(struct listener *listener, struct service *service)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL) return NULL;
    http->service = service;
    http->listener = listener;
    pthread_mutex_init(&http->lock, NULL);
    clock_condition_init(&http->changed);
    MHD_set_panic_func(panic, NULL);
    http->pool = pool_start(POOL_THREADS);
    const bool bound = http->pool != NULL && listener_bind(listener, service->config->listen);
    if (bound) http->daemon = start(http, listener_hand_over(listener));
    if (http->daemon != NULL) return http;
    if (bound) fprintf(stderr, "gradcheckd: the HTTP library does not start\n");
    pool_stop(http->pool);
    free(http);
    return NULL;
}

/* Waits for what is under way, but no longer than a client may be slow; true when nothing is
 * suspended any more. */
static bool await_answers(struct http *http)
{
    const struct timespec until = clock_timespec(clock_monotonic_ns() + STOP_NS);
    int status = 0;
    pthread_mutex_lock(&http->lock);
    http->stopping = true;
    while ((http->exchanges > 0 || http->suspended > 0) && status == 0)
        status = pthread_cond_timedwait(&http->changed, &http->lock, &until);
    const bool resumed = http->suspended == 0;
    pthread_mutex_unlock(&http->lock);
    return resumed;
}

/* The library aborts the process when it is stopped with a connection suspended: an answer that
 * takes too long is given up together with the process. It is not quiesced before: in the version
 * of Debian 12 that call and a thread that accepts can both take the socket out of epoll, and the
 * second one aborts. Until the end whoever connects is told that the server stops. */
bool http_stop(struct http *http)
{
    if (http == NULL) return true;
    if (!await_answers(http)) return false;
    MHD_stop_daemon(http->daemon);
    pool_stop(http->pool);
    pthread_mutex_destroy(&http->lock);
    pthread_cond_destroy(&http->changed);
    free(http);
    return true;
}
