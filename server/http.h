/* HTTP: with http_*.c the one place of libmicrohttpd. Checks the framing, collects the body, finds
 * the route, and lets the request pool do the rest while the connection is suspended. Started and
 * stopped by the main thread. */
#ifndef GRADCHECKD_HTTP_H
#define GRADCHECKD_HTTP_H

#include "server/listener.h"
#include "server/route.h"

struct http;

/* Binds the listener, which must outlive this. NULL after a message on standard error. */
struct http *http_start(struct listener *listener, struct service *service);
/* After events_drain: lets answers under way go out, for a second at most, and stops. False when
 * one takes longer: then it still uses everything it was given, and only the end of the process can
 * follow. */
bool http_stop(struct http *http);

#endif
