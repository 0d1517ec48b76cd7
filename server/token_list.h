/* The tokens of a folder, and their text. One line says which version it is, then each token has
 * one, of six words:
 *
 *   gradcheckd tokens 1
 *   NAME ROLE SHA-256 CREATED EXPIRES REVOKED
 *
 * Times are RFC 3339 in UTC with milliseconds, `-` is never. What a token is, is not there: only
 * its SHA-256. Pure; one thread at a time. */
#ifndef GRADCHECKD_TOKEN_LIST_H
#define GRADCHECKD_TOKEN_LIST_H

#include "server/buf.h"
#include "server/digest.h"
#include "server/user.h"

enum { TOKENS_MAX = 1000, TOKEN_LIST_BYTES = 1 << 18, TOKEN_FAULT_SIZE = 400 };

enum token_state { TOKEN_ACTIVE, TOKEN_EXPIRED, TOKEN_REVOKED };

struct token_entry {
    char name[NAME_SIZE];
    enum role role;
    struct digest digest;
    int64_t created_ms, expires_ms, revoked_ms; /* wall time; 0: never */
};

struct token_list {
    size_t count;
    struct token_entry *entry; /* owned */
};

/* An empty one; false when memory is out. */
bool token_list_init(struct token_list *ret_list);
/* False with the fault, which names the line: `line 3: …`. */
bool token_list_parse(const char *text, size_t size, struct token_list *ret_list,
                      char fault[TOKEN_FAULT_SIZE]);
/* False when memory is out, or the buffer's limit is reached. */
bool token_list_format(const struct token_list *list, struct buf *buf);
void token_list_done(struct token_list *list);

enum token_state token_state(const struct token_entry *entry, int64_t now_ms);
const char *token_state_name(enum token_state state);
/* NULL when there is none of that name. */
struct token_entry *token_list_find(const struct token_list *list, const char *name);
/* Puts it in the place of an inactive one of that name, or at the end; a full list lets go of its
 * first inactive one. False with the fault. */
bool token_list_add(struct token_list *list, const struct token_entry *entry,
                    char fault[TOKEN_FAULT_SIZE]);

#endif
