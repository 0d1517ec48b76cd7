/* Keep-alive connections to servers on 127.0.0.1, all driven by one thread with poll: a client that
 * takes little from the processors which it shares with the server that it measures. A connection
 * that fails ends the program. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

enum { REQUEST_MAX = 1024, ANSWER_MAX = 1 << 20 };

typedef struct text {
    const char *bytes;
    size_t size;
} text;

typedef struct connection {
    double since;              /* the driver's: when it began */
    size_t kind;               /* likewise */
    char request[REQUEST_MAX]; /* room for a request of the driver's */
    int socket;
    bool busy;
    text sending; /* borrowed */
    size_t sent, received;
    char answer[ANSWER_MAX + 1]; /* ends with 0 */
} connection;

/* What a client does with its connections. */
typedef struct driver {
    /* Begins something with a connection that has nothing to do (client_send); false: there is
     * nothing more. */
    bool (*begin)(void *context, connection *c);
    /* An answer is there as a whole. True when what was begun is done, false when client_send was
     * called once more. */
    bool (*answered)(void *context, connection *c, int status, const char *body);
    void *context;
} driver;

/* Ports, separated by commas, are dealt in turn to the connections. Returns when nothing is left to
 * begin, or after SIGTERM, and all that was begun is done. */
void client_run(const char *ports, size_t connections, const driver *by);

/* From within the driver. The request must stay until its answer is there. */
void client_send(connection *c, text request);
/* The value of a header of the answer, up to the end of its line; NULL without one. */
const char *client_header(const connection *c, const char *name);

#endif
