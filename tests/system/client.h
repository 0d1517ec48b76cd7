/*
 * A small HTTP/1.1 client on raw sockets, so that tests can also send what no client library would.
 * Every read has a deadline. Answers live until the test ends.
 */
#ifndef TESTS_SYSTEM_CLIENT_H
#define TESTS_SYSTEM_CLIENT_H

#include "harness.h"

#include <jansson.h>

struct answer {
    int status;       /* 0: the connection ended, or time was up, before a whole answer came */
    const char *head; /* status line and headers, each line with its CRLF */
    const char *body; /* NUL-terminated, whatever it holds */
    size_t body_bytes;
    json_t *json; /* set by answer_json() */
};

struct client {
    int fd;
    struct gnutls_session_int *tls; /* NULL: plain */
    char *bytes;                    /* received and not yet consumed */
    size_t used, capacity;
};

/* Raw connections, to wherever the daemon listens, with TLS where it wants that. False: refused, or
 * the peer is gone. */
bool client_open(struct client *client, const struct service *service);
/* Without TLS, whatever the daemon wants; of a socket file or a port. */
bool client_connect(struct client *client, const struct service *service);
bool client_send(struct client *client, const void *bytes, size_t size);
bool client_send_text(struct client *client, const char *text);
/* Waits for events of poll(); false when time is up. */
bool socket_ready(int fd, short events, double deadline);
/* The next answer; bodiless for one to HEAD. */
struct answer *client_receive(struct client *client, bool bodiless);
/* Whether the peer has closed the connection, or does so before the deadline. */
bool client_closed(struct client *client);
void client_close(struct client *client);

/* One request on a connection of its own. Headers are lines with CRLF, body may be NULL. */
struct answer *request(const struct service *service, const char *method, const char *path,
                       const char *headers, const char *body);
struct answer *request_bytes(const struct service *service, const char *method, const char *path,
                             const char *headers, const void *body, size_t size);
struct answer *get(const struct service *service, const char *path);
/* Whether it still answers. */
bool service_alive(const struct service *service);
struct answer *get_with(const struct service *service, const char *path, const char *headers);
/* These take the body. */
struct answer *post(const struct service *service, const char *path, json_t *body);
struct answer *post_with(const struct service *service, const char *path, const char *headers,
                         json_t *body);

/* A header's value, or NULL. */
const char *answer_header(const struct answer *answer, const char *name);
/* The body as JSON; fails the test when it is none. */
json_t *answer_json(struct answer *answer);
/* Asserts the status; the message shows the body. */
void answer_expect(const struct answer *answer, int status);
/* The bytes of a member of the outermost object, as they were sent. */
const char *answer_member(const struct answer *answer, const char *name);

/* A new string that lives until the test ends. */
const char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

#endif
