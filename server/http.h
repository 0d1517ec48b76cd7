/* HTTP: the one file with libmicrohttpd. Checks the framing, collects the body, finds the route,
 * and lets the request pool do the rest while the connection is suspended. */
#ifndef GRADCHECKD_HTTP_H
#define GRADCHECKD_HTTP_H

#include "server/address.h"
#include "server/events.h"
#include "server/route.h"

struct http;

/* NULL after a message on standard error. */
struct http *http_start(const struct address *address, struct service *service);
unsigned http_port(const struct http *http);
/* After events_drain: answers what is under way, then stops. */
void http_stop(struct http *http);

#endif
