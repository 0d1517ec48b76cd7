/* Who comes in with which token, and what becomes of that when the file changes. Time stands for
 * nothing here: each look at the file is a call. */
#include "server/auth.h"
#include "server/clock.h"
#include "server/keeper.h"
#include "server/token.h"
#include "server/token_file.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/folders.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A name and its token. */
struct holder {
    const char *name;
    enum role role;
    int64_t expires_ms, revoked_ms;
    char token[TOKEN_SIZE];
};

static struct holder holder_new(const char *name, enum role role)
{
    struct holder holder = {.name = name, .role = role};
    token_new(holder.token);
    return holder;
}

/* The file has these, and no others. */
static void store(const char *folder, const struct holder *holders, size_t count)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    ck_assert(token_list_init(&list));
    for (size_t i = 0; i < count; i++) {
        struct token_entry entry = {.role = holders[i].role,
                                    .created_ms = 1,
                                    .expires_ms = holders[i].expires_ms,
                                    .revoked_ms = holders[i].revoked_ms};
        snprintf(entry.name, sizeof entry.name, "%s", holders[i].name);
        ck_assert(digest_of(holders[i].token, TOKEN_LENGTH, &entry.digest));
        ck_assert(token_list_add(&list, &entry, fault));
    }
    ck_assert_msg(token_file_store(folder, &list, fault), "%s", fault);
    token_list_done(&list);
}

static struct auth *open_auth(const char *folder)
{
    struct auth *auth = auth_open(folder);
    ck_assert_ptr_nonnull(auth);
    return auth;
}

static void expect_known(struct auth *auth, const struct holder *holder)
{
    struct user user = {"", ROLE_USER};
    ck_assert_int_eq(auth_check(auth, holder->token, &user), AUTH_KNOWN);
    ck_assert_str_eq(user.name, holder->name);
    ck_assert_int_eq(user.role, holder->role);
}

static void expect_refused(struct auth *auth, const char *token)
{
    struct user user = {"untouched", ROLE_READER};
    ck_assert_int_eq(auth_check(auth, token, &user), AUTH_REFUSED);
    ck_assert_str_eq(user.name, "untouched");
}

static void expect_open(struct auth *auth, const char *token)
{
    struct user user = {"", ROLE_ADMIN};
    ck_assert_int_eq(auth_check(auth, token, &user), AUTH_OPEN);
    ck_assert_str_eq(user.name, "local");
    ck_assert_int_eq(user.role, ROLE_USER);
    ck_assert(!auth_required(auth));
}

START_TEST(without_tokens_everyone_is_local)
{
    const struct holder alice = holder_new("alice", ROLE_ADMIN);
    const char *folder = folder_new();
    struct auth *auth = open_auth(folder);
    expect_open(auth, NULL);
    expect_open(auth, alice.token);
    auth_refresh(auth);
    expect_open(auth, "");
    auth_close(auth);
    auth = open_auth(folder_path(folder, "none"));
    expect_open(auth, NULL);
    auth_close(auth);
    folder_write(folder, "tokens", "gradcheckd tokens 1\n");
    auth = open_auth(folder);
    expect_open(auth, NULL);
    auth_close(auth);
}
END_TEST

START_TEST(each_token_is_its_users)
{
    const struct holder holders[] = {holder_new("alice", ROLE_USER), holder_new("bob", ROLE_ADMIN),
                                     holder_new("carol", ROLE_READER)};
    const struct holder other = holder_new("other", ROLE_ADMIN);
    const char *folder = folder_new();
    store(folder, holders, 3);
    struct auth *auth = open_auth(folder);
    ck_assert(auth_required(auth));
    for (int i = 0; i < 3; i++)
        expect_known(auth, &holders[i]);
    expect_refused(auth, NULL);
    expect_refused(auth, "");
    expect_refused(auth, "gck_");
    expect_refused(auth, other.token);
    char digest_text[DIGEST_TEXT_SIZE];
    struct digest digest;
    ck_assert(digest_of(holders[1].token, TOKEN_LENGTH, &digest));
    digest_format(&digest, digest_text);
    expect_refused(auth, digest_text); /* what the file has is no token */
    auth_close(auth);
}
END_TEST

START_TEST(what_is_over_is_refused)
{
    struct holder holders[] = {holder_new("expired", ROLE_USER), holder_new("revoked", ROLE_ADMIN),
                               holder_new("lasting", ROLE_USER)};
    const char *folder = folder_new();
    holders[0].expires_ms = clock_wall_ms() - 1;
    holders[1].revoked_ms = clock_wall_ms() - 1;
    holders[2].expires_ms = clock_wall_ms() + 3600000;
    store(folder, holders, 3);
    struct auth *auth = open_auth(folder);
    expect_refused(auth, holders[0].token);
    expect_refused(auth, holders[1].token);
    expect_known(auth, &holders[2]);
    auth_close(auth);
    /* Also when nobody is left. */
    store(folder, holders, 2);
    auth = open_auth(folder);
    ck_assert(auth_required(auth));
    expect_refused(auth, NULL);
    expect_refused(auth, holders[0].token);
    auth_close(auth);
}
END_TEST

/* Asked at each request: no change of the file says so. */
START_TEST(a_token_expires_by_itself)
{
    struct holder alice = holder_new("alice", ROLE_USER);
    struct user user;
    const char *folder = folder_new();
    alice.expires_ms = clock_wall_ms() + 50;
    store(folder, &alice, 1);
    struct auth *auth = open_auth(folder);
    while (auth_check(auth, alice.token, &user) == AUTH_KNOWN)
        ck_assert_int_lt(clock_wall_ms(), alice.expires_ms + 10000);
    ck_assert_int_ge(clock_wall_ms(), alice.expires_ms);
    auth_close(auth);
}
END_TEST

START_TEST(a_change_is_seen)
{
    struct holder holders[] = {holder_new("alice", ROLE_USER), holder_new("bob", ROLE_USER)};
    const char *folder = folder_new();
    struct auth *auth = open_auth(folder);
    store(folder, holders, 1);
    expect_open(auth, NULL);
    auth_refresh(auth);
    expect_known(auth, &holders[0]);
    expect_refused(auth, holders[1].token);
    store(folder, holders, 2);
    auth_refresh(auth);
    expect_known(auth, &holders[0]);
    expect_known(auth, &holders[1]);
    holders[0].revoked_ms = 2;
    holders[1].role = ROLE_READER;
    store(folder, holders, 2);
    auth_refresh(auth);
    expect_refused(auth, holders[0].token);
    expect_known(auth, &holders[1]);
    auth_close(auth);
}
END_TEST

/* However fast the changes come, and whatever the time stamps say. */
START_TEST(every_change_is_seen)
{
    struct holder holder = holder_new("a", ROLE_USER);
    static const char names[] = "abcdefghijklmnopqrstuvwxyz";
    const char *folder = folder_new();
    store(folder, &holder, 1);
    struct auth *auth = open_auth(folder);
    for (int i = 0; i < 200; i++) {
        char name[2] = {names[i % 26], '\0'};
        holder.name = name;
        store(folder, &holder, 1);
        auth_refresh(auth);
        expect_known(auth, &holder);
    }
    auth_close(auth);
}
END_TEST

/* Standard error goes to a file of that name. */
static void log_to(const char *folder)
{
    fflush(stderr);
    ck_assert_ptr_nonnull(freopen(folder_path(folder, "log"), "w", stderr));
}

static int logged(const char *folder, const char *text)
{
    fflush(stderr);
    const char *log = folder_read(folder, "log");
    int count = 0;
    for (const char *found = strstr(log, text); found != NULL; found = strstr(found + 1, text))
        count++;
    return count;
}

START_TEST(a_damaged_file_leaves_the_tokens)
{
    const struct holder holders[] = {holder_new("alice", ROLE_USER), holder_new("bob", ROLE_USER)};
    const char *folder = folder_new();
    store(folder, holders, 1);
    struct auth *auth = open_auth(folder);
    log_to(folder);
    folder_write(folder, "tokens", "gradcheckd tokens 1\nalice admin\n");
    for (int i = 0; i < 3; i++)
        auth_refresh(auth);
    expect_known(auth, &holders[0]);
    expect_refused(auth, NULL);
    ck_assert_int_eq(logged(folder, "level=error"), 1);
    ck_assert_int_eq(logged(folder, "line 2"), 1);
    /* Another fault is told, the next good file is taken, and then the first fault again. */
    folder_write(folder, "tokens", "");
    auth_refresh(auth);
    ck_assert_int_eq(logged(folder, "level=error"), 2);
    store(folder, holders, 2);
    auth_refresh(auth);
    expect_known(auth, &holders[1]);
    folder_write(folder, "tokens", "gradcheckd tokens 1\nalice admin\n");
    auth_refresh(auth);
    ck_assert_int_eq(logged(folder, "level=error"), 3);
    /* The very file of before the fault. */
    store(folder, holders, 2);
    auth_refresh(auth);
    expect_known(auth, &holders[0]);
    auth_close(auth);
}
END_TEST

START_TEST(without_its_file_nobody_has_a_token)
{
    const struct holder alice = holder_new("alice", ROLE_USER);
    const char *folder = folder_new();
    store(folder, &alice, 1);
    struct auth *auth = open_auth(folder);
    log_to(folder);
    ck_assert_int_eq(unlink(folder_path(folder, "tokens")), 0);
    for (int i = 0; i < 3; i++)
        auth_refresh(auth);
    ck_assert(auth_required(auth));
    expect_refused(auth, NULL);
    expect_refused(auth, alice.token);
    ck_assert_int_eq(logged(folder, "level=error"), 1);
    folder_write(folder, "tokens", "gradcheckd tokens 1\n");
    auth_refresh(auth);
    expect_refused(auth, NULL);
    store(folder, &alice, 1);
    auth_refresh(auth);
    expect_known(auth, &alice);
    auth_close(auth);
}
END_TEST

/* It may have had tokens. */
START_TEST(a_new_file_that_is_damaged_closes)
{
    const char *folder = folder_new();
    struct auth *auth = open_auth(folder);
    log_to(folder);
    folder_write(folder, "tokens", "");
    auth_refresh(auth);
    ck_assert(auth_required(auth));
    expect_refused(auth, NULL);
    auth_close(auth);
}
END_TEST

START_TEST(no_start_with_a_damaged_file)
{
    const char *folder = folder_new();
    folder_write(folder, "tokens", "gradcheckd tokens 1\nalice\n");
    log_to(folder);
    ck_assert_ptr_null(auth_open(folder));
    ck_assert_int_eq(logged(folder, "tokens: line 2: "), 1);
}
END_TEST

/* ---- last uses ---- */

static int64_t used_ms(const char *folder, const char *name)
{
    static struct token_use uses[TOKENS_MAX];
    const size_t count = token_file_load_uses(folder, uses);
    for (size_t i = 0; i < count; i++)
        if (strcmp(uses[i].name, name) == 0) return uses[i].used_ms;
    return 0;
}

START_TEST(last_uses_are_written_at_the_end)
{
    const struct holder holders[] = {holder_new("alice", ROLE_USER), holder_new("bob", ROLE_USER)};
    const char *folder = folder_new();
    const int64_t before_ms = clock_wall_ms();
    store(folder, holders, 2);
    struct auth *auth = open_auth(folder);
    expect_known(auth, &holders[0]);
    auth_refresh(auth); /* not yet a minute */
    ck_assert_ptr_null(folder_read(folder, "tokens.used"));
    auth_close(auth);
    const int64_t alice_ms = used_ms(folder, "alice");
    ck_assert(alice_ms >= before_ms && alice_ms <= clock_wall_ms());
    ck_assert_int_eq(used_ms(folder, "bob"), 0);
    /* Of who was not seen since, what was written stays. */
    auth = open_auth(folder);
    expect_known(auth, &holders[1]);
    auth_close(auth);
    ck_assert_int_eq(used_ms(folder, "alice"), alice_ms);
    ck_assert_int_ge(used_ms(folder, "bob"), before_ms);
}
END_TEST

START_TEST(last_uses_outlive_a_change_of_the_file)
{
    const struct holder holders[] = {holder_new("alice", ROLE_USER), holder_new("bob", ROLE_USER)};
    const char *folder = folder_new();
    store(folder, holders, 1);
    struct auth *auth = open_auth(folder);
    expect_known(auth, &holders[0]);
    store(folder, holders, 2);
    auth_refresh(auth);
    auth_close(auth);
    ck_assert_int_gt(used_ms(folder, "alice"), 0);
    ck_assert_int_eq(used_ms(folder, "bob"), 0);
}
END_TEST

START_TEST(a_refusal_is_no_use)
{
    struct holder alice = holder_new("alice", ROLE_USER);
    const char *folder = folder_new();
    alice.revoked_ms = 2;
    store(folder, &alice, 1);
    struct auth *auth = open_auth(folder);
    expect_refused(auth, alice.token);
    auth_close(auth);
    ck_assert_int_eq(used_ms(folder, "alice"), 0);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4 };

struct traffic {
    struct auth *auth;
    const struct holder *alice;
    atomic_bool over;
    atomic_int seen, wrong;
};

static void *ask(void *context)
{
    struct traffic *traffic = context;
    while (!atomic_load(&traffic->over)) {
        struct user user = {"", ROLE_USER};
        if (auth_check(traffic->auth, traffic->alice->token, &user) != AUTH_KNOWN ||
            strcmp(user.name, "alice") != 0 ||
            auth_check(traffic->auth, NULL, &user) != AUTH_REFUSED)
            atomic_fetch_add(&traffic->wrong, 1);
        atomic_fetch_add(&traffic->seen, 1);
    }
    return NULL;
}

/* Requests go on while the table is changed under them. */
START_TEST(changes_under_traffic)
{
    const struct holder holders[] = {holder_new("alice", ROLE_USER), holder_new("bob", ROLE_USER)};
    const char *folder = folder_new();
    store(folder, holders, 1);
    struct traffic traffic = {.auth = open_auth(folder), .alice = &holders[0]};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, &traffic), 0);
    for (int i = 0; i < 100 || atomic_load(&traffic.seen) < 100; i++) {
        store(folder, holders, (size_t)(1 + i % 2));
        auth_refresh(traffic.auth);
    }
    atomic_store(&traffic.over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&traffic.wrong), 0);
    auth_close(traffic.auth);
}
END_TEST

/* ---- the keeper, which looks each second ---- */

struct count {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int calls;
};

static void count_call(void *context)
{
    struct count *count = context;
    pthread_mutex_lock(&count->lock);
    count->calls++;
    pthread_cond_broadcast(&count->changed);
    pthread_mutex_unlock(&count->lock);
}

START_TEST(the_keeper_calls_until_it_is_closed)
{
    struct count count = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct keeper *keeper = keeper_open();
    ck_assert_ptr_nonnull(keeper);
    ck_assert(keeper_add(keeper, count_call, &count));
    ck_assert(keeper_start(keeper));
    pthread_mutex_lock(&count.lock);
    while (count.calls < 2)
        pthread_cond_wait(&count.changed, &count.lock);
    pthread_mutex_unlock(&count.lock);
    keeper_close(keeper);
    /* It is gone: nobody else has the counter now. */
    ck_assert_int_ge(count.calls, 2);
    keeper_close(NULL);
}
END_TEST

/* Waits until the keeper's other call has come twice. */
static void await_others(void *context)
{
    struct count *count = context;
    pthread_mutex_lock(&count->lock);
    while (count->calls < 2)
        pthread_cond_wait(&count->changed, &count->lock);
    pthread_mutex_unlock(&count->lock);
}

START_TEST(who_is_held_up_holds_up_nobody)
{
    struct count count = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct keeper *keeper = keeper_open();
    ck_assert(keeper_add(keeper, await_others, &count));
    ck_assert(keeper_add(keeper, count_call, &count));
    ck_assert(keeper_start(keeper));
    await_others(&count);
    keeper_close(keeper);
}
END_TEST

START_TEST(a_keeper_that_never_started_closes)
{
    struct keeper *keeper = keeper_open();
    int added = 0;
    while (added < 100 && keeper_add(keeper, count_call, NULL))
        added++;
    ck_assert(added > 0 && added < 100);
    keeper_close(keeper);
}
END_TEST

SUITE_MAIN("auth", {without_tokens_everyone_is_local, 0}, {each_token_is_its_users, 0},
           {what_is_over_is_refused, 0}, {a_token_expires_by_itself, 0}, {a_change_is_seen, 0},
           {every_change_is_seen, 0}, {a_damaged_file_leaves_the_tokens, 0},
           {without_its_file_nobody_has_a_token, 0}, {a_new_file_that_is_damaged_closes, 0},
           {no_start_with_a_damaged_file, 0}, {last_uses_are_written_at_the_end, 0},
           {last_uses_outlive_a_change_of_the_file, 0}, {a_refusal_is_no_use, 0},
           {changes_under_traffic, 0}, {the_keeper_calls_until_it_is_closed, 0},
           {who_is_held_up_holds_up_nobody, 0}, {a_keeper_that_never_started_closes, 0})
