/* Who may come in: the tokens of the data folder, as a running daemon sees them.
 *
 * Once there has been a token, nobody comes in without one until the daemon ends, whatever becomes
 * of the file: a damaged one leaves the tokens as they were, without the file there are none.
 *
 * auth_check may be called from any thread, those of the HTTP library too: it hashes what was sent
 * and compares it with each token, and waits for nothing but the copy of a pointer. auth_refresh
 * blocks for the disk. */
#ifndef GRADCHECKD_AUTH_H
#define GRADCHECKD_AUTH_H

#include "server/user.h"

struct auth;

enum auth_outcome {
    AUTH_OPEN,  /* there are no tokens: everyone is `local` */
    AUTH_KNOWN, /* the token's user */
    AUTH_REFUSED
};

/* NULL after a message on standard error, when the file is there and cannot be read. */
struct auth *auth_open(const char *folder);
/* Writes down when tokens were used last. */
void auth_close(struct auth *auth);

/* Whether requests need a token. */
bool auth_required(struct auth *auth);
/* `token` as it was sent; NULL: none was. AUTH_REFUSED leaves the user alone. */
enum auth_outcome auth_check(struct auth *auth, const char *token, struct user *ret_user);

/* Looks at the file, and once a minute writes down the last uses; to be called each second. */
void auth_refresh(struct auth *auth);

#endif
