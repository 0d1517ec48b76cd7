/* The files of tokens in the data folder: `tokens` has the list, `tokens.used` when each was used
 * last, as far as a daemon has told, and `tokens.lock` is held by whoever changes the list.
 *
 * Files are replaced whole, so a reader needs no lock and sees the old or the new one. All calls
 * block for the disk; any thread. A fault names the file. */
#ifndef GRADCHECKD_TOKEN_FILE_H
#define GRADCHECKD_TOKEN_FILE_H

#include "server/token_list.h"

enum token_file_status { TOKEN_FILE_OK, TOKEN_FILE_MISSING, TOKEN_FILE_BAD };

/* The list as it stands there, into an empty buffer, which gets its limit here. */
enum token_file_status token_file_read(const char *folder, struct buf *text,
                                       char fault[TOKEN_FAULT_SIZE]);
/* The same, parsed; MISSING is an empty list. */
enum token_file_status token_file_load(const char *folder, struct token_list *ret_list,
                                       char fault[TOKEN_FAULT_SIZE]);
/* Whether somebody else than the owner may write to the list, or put another in its place. */
bool token_file_is_open(const char *folder);
/* `fault` as the parser tells it, with the file's name in front. */
void token_file_name_fault(const char *folder, char fault[TOKEN_FAULT_SIZE]);

/* To change the list: the lock, then load and store. Makes the folder if need be and wanted, for
 * its owner alone. Waits for whoever has the lock; -1 with the fault. */
int token_file_lock(const char *folder, bool make_folder, char fault[TOKEN_FAULT_SIZE]);
void token_file_unlock(int lock);
/* Durable once it returns. A list that is a symbolic link is refused. A list that root writes is
 * readable to the folder's owner. */
bool token_file_store(const char *folder, const struct token_list *list,
                      char fault[TOKEN_FAULT_SIZE]);

/* When a token was used last. */
struct token_use {
    char name[NAME_SIZE];
    int64_t used_ms;
};

/* At most TOKENS_MAX of them; none where the file is missing or damaged. Returns how many. */
size_t token_file_load_uses(const char *folder, struct token_use uses[TOKENS_MAX]);
bool token_file_store_uses(const char *folder, const struct token_use *uses, size_t count,
                           char fault[TOKEN_FAULT_SIZE]);

#endif
