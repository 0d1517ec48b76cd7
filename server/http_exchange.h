/* A request under way, as the files http*.c share it: made on the first call for it, freed by
 * http_exchange_completed alone. All calls come from threads of the HTTP library, and none blocks:
 * what may, the routes, runs on the request pool while the connection is suspended. */
#ifndef GRADCHECKD_HTTP_EXCHANGE_H
#define GRADCHECKD_HTTP_EXCHANGE_H

#include "server/events.h"
#include "server/listener.h"
#include "server/pool.h"
#include "server/route.h"

#include <microhttpd.h>

#include <pthread.h>

/* The server; see http.h. */
struct http {
    struct MHD_Daemon *daemon;
    struct pool *pool;
    struct service *service;
    const struct listener *listener;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    size_t exchanges; /* requests under way */
    size_t suspended; /* those of them that the library may not be stopped with */
    bool stopping;
};

enum { PATH_LOGGED = 200 };

/* While the connection is suspended it belongs to the request pool, or to the table of waiters;
 * otherwise to the connection's thread. */
struct exchange {
    struct task task;     /* first: the pool hands it back */
    struct waiter waiter; /* second, see exchange_of_waiter */
    struct http *http;
    struct MHD_Connection *connection;
    const struct route *route;
    struct ip client; /* who asks, as far as the proxies in front can be believed */
    char method[16], path[PATH_LOGGED];
    struct problem problem; /* found before the handler runs */
    char allow[ALLOW_SIZE];
    const char *challenge; /* of a 401 */
    struct request request;
    struct reply reply;
    struct buf body;
    uint64_t dropped;    /* bytes of the body */
    int64_t dropping_ns; /* since when; 0: not at all */
    int64_t started_ns;
    bool answered; /* the reply is complete */
};

/* ---- http_exchange.c: the library's calls for each request ---- */

enum MHD_Result http_exchange_handle(void *http, struct MHD_Connection *connection,
                                     const char *path, const char *method, const char *version,
                                     const char *data, size_t *size, void **state);
void http_exchange_completed(void *http, struct MHD_Connection *connection, void **state,
                             enum MHD_RequestTerminationCode code);

/* ---- http_read.c: everything that headers tell ---- */

/* Who asks, as far as the proxies in front can be believed. */
struct ip http_read_client(struct exchange *exchange);
/* The request's id: the client's own, or a new one. */
void http_read_id(struct exchange *exchange);
/* False after a problem, when two parsers could see two different requests: the connection cannot
 * be used any further. */
bool http_read_framing(struct exchange *exchange);
/* The user, the route and what it is asked for; or the first fault, in the order in which answers
 * are promised. */
void http_read_head(struct exchange *exchange, const char *path);
/* The bytes that the body is said to have; 0: it does not say. */
unsigned long long http_read_length(struct exchange *exchange);

#endif
