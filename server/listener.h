/* Where connections come from: the listening socket, TLS, the proxies in front, and who may connect
 * at all. Made and taken apart by the main thread; what is const here may be called from any. */
#ifndef GRADCHECKD_LISTENER_H
#define GRADCHECKD_LISTENER_H

#include "server/address.h"
#include "server/config.h"
#include "server/network.h"
#include "server/tls.h"

#include <sys/stat.h>

enum { LISTENER_TEXT_SIZE = 160 };

struct listener {
    struct address address;
    struct networks proxies;      /* whose X-Forwarded-For counts */
    struct tls *tls;              /* NULL: plain HTTP */
    bool proxies_only;            /* beside this machine, nobody else may connect */
    int fd;                       /* -1 until listener_bind, and after listener_hand_over */
    struct stat file;             /* of a socket file, as it was made */
    char url[LISTENER_TEXT_SIZE]; /* from listener_bind on: "https://127.0.0.1:8080", "unix:PATH" */
};

/* From the options; reads the certificate. False after a message on standard error. */
bool listener_init(struct listener *listener, const struct config *config);
/* Whether this address may be served: one that others can reach needs tokens, and protection for
 * what travels. False after a message on standard error that says what is missing. */
bool listener_may_serve(const struct listener *listener, const struct config *config,
                        bool tokens_exist);
/* Opens the socket; connections wait in it from now on. A socket file gets mode 0600, and takes the
 * place of one that nobody listens on. False after a message on standard error. */
bool listener_bind(struct listener *listener, const char *listen);
/* The socket's file descriptor, to be closed by the caller. */
int listener_hand_over(struct listener *listener);

/* Whether a peer may connect. */
bool listener_accepts(const struct listener *listener, const struct ip *peer);

/* Removes the socket file, if it is still that of listener_bind. */
void listener_remove_file(struct listener *listener);
/* The same, and forgets the certificate: after the last connection. Takes what listener_init left,
 * be it true or false. */
void listener_done(struct listener *listener);

#endif
