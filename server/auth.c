#include "server/auth.h"
#include "server/clock.h"
#include "server/log.h"
#include "server/token.h"
#include "server/token_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two writes of the last uses. */
#define USES_NS INT64_C(60000000000)

/* Never changed once it is in use, but for its atomics. */
struct table {
    atomic_uint references;
    bool required;
    struct token_list list;
    _Atomic int64_t *used_ms; /* of each token; 0: not that we know */
    atomic_bool used;         /* since the last uses were written */
};

struct auth {
    char *folder;
    pthread_mutex_t refreshing;   /* for what follows */
    bool was_there;               /* the file, when it was read last */
    struct buf text;              /* what it said */
    char fault[TOKEN_FAULT_SIZE]; /* what was wrong with it, and has been told */
    int64_t written_ns;           /* when the last uses were written, by the monotonic clock */
    pthread_mutex_t lock;         /* for the pointer */
    struct table *table;
};

/* ---- tables ---- */

static void table_unref(struct table *table)
{
    if (table == NULL || atomic_fetch_sub(&table->references, 1) > 1) return;
    token_list_done(&table->list);
    free(table->used_ms);
    free(table);
}

/* Takes the list. NULL when memory is out. */
static struct table *table_new(struct token_list *list, bool required)
{
    struct table *table = calloc(1, sizeof *table);
    if (table != NULL) table->used_ms = calloc(TOKENS_MAX, sizeof *table->used_ms);
    if (table == NULL || table->used_ms == NULL) {
        free(table);
        token_list_done(list);
        return NULL;
    }
    atomic_init(&table->references, 1);
    table->required = required;
    table->list = *list;
    return table;
}

static struct table *current(struct auth *auth)
{
    pthread_mutex_lock(&auth->lock);
    struct table *table = auth->table;
    if (table != NULL) atomic_fetch_add(&table->references, 1);
    pthread_mutex_unlock(&auth->lock);
    return table;
}

/* A token that stays keeps its last use. */
static void keep_uses(struct table *table, const struct table *before)
{
    atomic_store(&table->used, atomic_load(&before->used));
    for (size_t i = 0; i < table->list.count; i++) {
        const struct token_entry *entry = &table->list.entry[i];
        const struct token_entry *known = token_list_find(&before->list, entry->name);
        if (known != NULL && digest_is(&known->digest, &entry->digest))
            table->used_ms[i] = before->used_ms[known - before->list.entry];
    }
}

/* Takes the list; false when memory is out. */
static bool install(struct auth *auth, struct token_list *list, bool required)
{
    struct table *before = auth->table;
    struct table *table = table_new(list, required || (before != NULL && before->required));
    if (table == NULL) return false;
    if (before != NULL) keep_uses(table, before);
    pthread_mutex_lock(&auth->lock);
    auth->table = table;
    pthread_mutex_unlock(&auth->lock);
    table_unref(before);
    return true;
}

static bool install_nothing(struct auth *auth, bool required)
{
    struct token_list list;
    return token_list_init(&list) && install(auth, &list, required);
}

/* ---- the file ---- */

static bool is_as_before(const struct auth *auth, bool is_there, const struct buf *text)
{
    return auth->table != NULL && auth->fault[0] == '\0' && is_there == auth->was_there &&
           text->size == auth->text.size &&
           (text->size == 0 || memcmp(text->data, auth->text.data, text->size) == 0);
}

/* What the text says becomes the table. */
static bool take_text(struct auth *auth, const struct buf *text, char fault[TOKEN_FAULT_SIZE])
{
    struct token_list list;
    if (!token_list_parse(text->data, text->size, &list, fault)) {
        token_file_name_fault(auth->folder, fault);
        return false;
    }
    const size_t count = list.count;
    if (!install(auth, &list, count > 0)) {
        snprintf(fault, TOKEN_FAULT_SIZE, "memory is out");
        return false;
    }
    if (count > 0) log_info("tokens", "count=%zu", count);
    return true;
}

static bool take_absence(struct auth *auth, char fault[TOKEN_FAULT_SIZE])
{
    const bool required = auth->table != NULL && auth->table->required;
    if (auth->table != NULL && auth->table->list.count == 0) return true;
    if (!install_nothing(auth, required)) {
        snprintf(fault, TOKEN_FAULT_SIZE, "memory is out");
        return false;
    }
    if (required) log_error("tokens", "reason=\"the file is gone: nobody has a token\"");
    return true;
}

/* True unless the file is damaged, or cannot be read. */
static bool reload(struct auth *auth, char fault[TOKEN_FAULT_SIZE])
{
    struct buf text;
    const enum token_file_status status = token_file_read(auth->folder, &text, fault);
    if (status == TOKEN_FILE_BAD) return false;
    const bool is_there = status == TOKEN_FILE_OK;
    if (is_as_before(auth, is_there, &text)) {
        buf_done(&text);
        return true;
    }
    const bool taken = is_there ? take_text(auth, &text, fault) : take_absence(auth, fault);
    buf_done(&auth->text);
    auth->text = text;
    auth->was_there = is_there;
    return taken;
}

/* A file that cannot be read may have tokens, so nobody comes in without one. The fault is told
 * once. */
static void endure(struct auth *auth, const char *fault)
{
    char quoted[LOG_QUOTED_SIZE];
    if (!auth->table->required) install_nothing(auth, true);
    if (strcmp(auth->fault, fault) == 0) return;
    snprintf(auth->fault, sizeof auth->fault, "%s", fault);
    log_error("tokens", "reason=%s", log_quote(fault, quoted));
}

/* ---- last uses ---- */

static int64_t use_find(const struct token_use *uses, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(uses[i].name, name) == 0) return uses[i].used_ms;
    return 0;
}

/* Those of this table, and what was written before of tokens that were not used since. */
static size_t collect(struct table *table, const struct token_use *before, size_t before_count,
                      struct token_use *uses)
{
    size_t count = 0;
    for (size_t i = 0; i < table->list.count; i++) {
        const struct token_entry *entry = &table->list.entry[i];
        const int64_t here = atomic_load(&table->used_ms[i]);
        const int64_t there = use_find(before, before_count, entry->name);
        const int64_t used_ms = here > there ? here : there;
        if (used_ms < entry->created_ms) continue;
        snprintf(uses[count].name, sizeof uses[count].name, "%s", entry->name);
        uses[count++].used_ms = used_ms;
    }
    return count;
}

static void write_uses(struct auth *auth)
{
    char fault[TOKEN_FAULT_SIZE], quoted[LOG_QUOTED_SIZE];
    if (!atomic_load(&auth->table->used) || auth->table->list.count == 0) return;
    struct token_use *uses = calloc(2 * TOKENS_MAX, sizeof *uses);
    if (uses == NULL) return;
    struct token_use *before = uses + TOKENS_MAX;
    atomic_store(&auth->table->used, false);
    auth->written_ns = clock_monotonic_ns();
    const size_t before_count = token_file_load_uses(auth->folder, before);
    const size_t count = collect(auth->table, before, before_count, uses);
    if (!token_file_store_uses(auth->folder, uses, count, fault))
        log_error("tokens", "reason=%s", log_quote(fault, quoted));
    free(uses);
}

/* ---- for everybody ---- */

static void warn(const char *folder)
{
    char quoted[LOG_QUOTED_SIZE];
    if (token_file_is_open(folder))
        log_warning("tokens", "folder=%s reason=\"others on this machine may write to the tokens\"",
                    log_quote(folder, quoted));
}

struct auth *auth_open(const char *folder)
{
    char fault[TOKEN_FAULT_SIZE] = "memory is out";
    struct auth *auth = calloc(1, sizeof *auth);
    if (auth == NULL) goto out;
    pthread_mutex_init(&auth->refreshing, NULL);
    pthread_mutex_init(&auth->lock, NULL);
    auth->folder = strdup(folder);
    if (auth->folder == NULL || !reload(auth, fault)) goto out;
    auth->written_ns = clock_monotonic_ns();
    warn(folder);
    return auth;
out:
    fprintf(stderr, "gradcheckd: %s\n", fault);
    auth_close(auth);
    return NULL;
}

void auth_close(struct auth *auth)
{
    if (auth == NULL) return;
    if (auth->table != NULL) write_uses(auth);
    table_unref(auth->table);
    buf_done(&auth->text);
    free(auth->folder);
    pthread_mutex_destroy(&auth->lock);
    pthread_mutex_destroy(&auth->refreshing);
    free(auth);
}

bool auth_required(struct auth *auth)
{
    struct table *table = current(auth);
    const bool required = table->required;
    table_unref(table);
    return required;
}

/* Looks at all of them, so that the time it takes does not tell where one stands. */
static const struct token_entry *find(const struct table *table, const char *token)
{
    const struct token_entry *found = NULL;
    struct digest digest;
    if (!token_is_sound(token) || !digest_of(token, strlen(token), &digest)) return NULL;
    for (size_t i = 0; i < table->list.count; i++)
        if (digest_is(&table->list.entry[i].digest, &digest)) found = &table->list.entry[i];
    return found;
}

static enum auth_outcome check(struct table *table, const char *token, struct user *ret_user)
{
    const int64_t now_ms = clock_wall_ms();
    if (!table->required) {
        *ret_user = (struct user){"local", ROLE_USER};
        return AUTH_OPEN;
    }
    const struct token_entry *entry = token == NULL ? NULL : find(table, token);
    if (entry == NULL || token_state(entry, now_ms) != TOKEN_ACTIVE) return AUTH_REFUSED;
    atomic_store(&table->used_ms[entry - table->list.entry], now_ms);
    if (!atomic_load(&table->used)) atomic_store(&table->used, true);
    snprintf(ret_user->name, sizeof ret_user->name, "%s", entry->name);
    ret_user->role = entry->role;
    return AUTH_KNOWN;
}

enum auth_outcome auth_check(struct auth *auth, const char *token, struct user *ret_user)
{
    struct table *table = current(auth);
    const enum auth_outcome outcome = check(table, token, ret_user);
    table_unref(table);
    return outcome;
}

void auth_refresh(struct auth *auth)
{
    char fault[TOKEN_FAULT_SIZE];
    pthread_mutex_lock(&auth->refreshing);
    if (!reload(auth, fault))
        endure(auth, fault);
    else
        auth->fault[0] = '\0';
    if (clock_monotonic_ns() - auth->written_ns >= USES_NS) write_uses(auth);
    pthread_mutex_unlock(&auth->refreshing);
}
