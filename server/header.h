/* Values of request headers and of the query, parsed. Pure; any thread. */
#ifndef GRADCHECKD_HEADER_H
#define GRADCHECKD_HEADER_H

#include "server/record.h"

enum { PREFER_WAIT_MAX = 60, CURSOR_SIZE = 24, BEARER_SIZE = 256 };

/* N of `wait=N` in a Prefer header (RFC 7240), at most 60; -1 without one. What is not understood
 * is ignored. */
int header_prefer_wait(const char *prefer);

/* An Idempotency-Key, quoted or bare, 1 to 128 visible characters. */
bool header_idempotency_key(const char *header, char key[KEY_SIZE]);

/* The token of an Authorization header (RFC 6750, 2.1); "" for what cannot be one: several words,
 * or too long. False when none was sent: another scheme, or nothing behind it. */
bool header_bearer(const char *authorization, char token[BEARER_SIZE]);

/* Whether an If-None-Match header names this entity tag, or any. */
bool header_matches_etag(const char *header, const char *etag);

/* Whether a Host header names a loopback address or `name` (which may be NULL), with any port. */
bool header_host_is_local(const char *host, const char *name);

/* Whether a Content-Type is application/json, whatever its parameters. */
bool header_is_json(const char *content_type);

/* A client's own request id is kept when it is [A-Za-z0-9._-]{1,64}. */
bool header_request_id_is_valid(const char *id);

/* The cursor of a list, as text and back. */
void cursor_format(uint64_t position, char text[CURSOR_SIZE]);
bool cursor_parse(const char *text, uint64_t *ret_position);

#endif
