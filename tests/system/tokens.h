/*
 * Users: tokens made by the program beside a daemon, or before it starts.
 */
#ifndef TESTS_SYSTEM_TOKENS_H
#define TESTS_SYSTEM_TOKENS_H

#include "client.h"

/* "token WHAT" in the daemon's data folder; the output. */
void token_run(const struct service *service, const char *what, struct output *ret);
/* A new token: "alice", "bob --admin --expires 2w". */
const char *token_add(const struct service *service, const char *what);
void token_revoke(const struct service *service, const char *name);

/* The header line of a token; NULL: none. */
const char *bearer(const char *token);
/* Asks who that is until the answer has this status: a change must be noticed within 2 s. */
struct answer *token_await(const struct service *service, const char *token, int status);

#endif
