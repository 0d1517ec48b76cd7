/*
 * kill -9 at random moments, while four users work: what was accepted is there afterwards, ends
 * once, and with the result of a daemon that was left alone.
 *
 * CRASH_ROUNDS sets how often the daemon is ended (10), CRASH_SEED the moments and what the users
 * do; the seed is printed. Threads make what follows from a seed similar, not the same.
 */
#include "crash_log.h"
#include "crash_user.h"
#include "requests.h"
#include "tokens.h"
#include "values.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USERS = 4, CLIENTS = 2 * USERS };

/* Of the daemon; and how many ends of it make a job a crashed one. */
enum { WORKERS = 2, ATTEMPTS = 5 };

static const char *const names[USERS] = {"ada", "ben", "cem", "dua"};

static const char OPTIONS[] = "--workers 2 --save-seconds 1 --retain-jobs 10000000";

struct crash {
    struct service service;
    struct crash_gate gate;
    struct crash_user user[CLIENTS];
    pthread_t thread[CLIENTS];
    uint64_t random;
    size_t kills, starts_killed, stops_killed, stops;
};

struct counts {
    size_t accepted, finished, lost, changed, crashed;
    size_t crashed_trainings, cancelled, slow, removed, repeated, unanswered, faults;
};

static uint64_t number_from(const char *variable, uint64_t fallback)
{
    const char *value = getenv(variable);
    return value != NULL ? strtoull(value, NULL, 10) : fallback;
}

/* ---- ends ---- */

/* Some moment within so many milliseconds: the moment is what this test varies. */
static void some_time(struct crash *crash, unsigned most_ms)
{
    poll(NULL, 0, (int)(crash_random(&crash->random) % most_ms));
}

static bool one_in(struct crash *crash, unsigned n)
{
    return crash_random(&crash->random) % n == 0;
}

/* Lives last up to so long, each as likely: some see only what was begun before them, some keep
 * states of what they do. */
static const unsigned life_ms[] = {20, 20, 600, 600, 600, 600, 600, 3000};
enum { LIVES = sizeof life_ms / sizeof *life_ms };

/* Of ten ends one is a clean stop, and one a kill amid a clean stop. */
static void end_daemon(struct crash *crash, size_t round)
{
    struct service *service = &crash->service;
    some_time(crash, life_ms[crash_random(&crash->random) % LIVES]);
    if (round % 10 == 4) {
        ck_assert_int_eq(service_stop(service).status, 0);
        crash->stops++;
        return;
    }
    if (round % 10 == 7) {
        kill(service->pid, SIGTERM);
        some_time(crash, 3200);
        crash->stops_killed++;
    }
    service_kill(service);
    crash->kills++;
}

/* Some are killed while they start. */
static void start_daemon(struct crash *crash)
{
    while (one_in(crash, 3)) {
        service_launch(&crash->service);
        some_time(crash, 100);
        service_kill(&crash->service);
        crash->starts_killed++;
    }
    service_restart(&crash->service);
    gate_open(&crash->gate, crash->service.port);
}

/* ---- the users ---- */

static void users_start(struct crash *crash, const struct crash_request *requests,
                        const char *const tokens[])
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct crash_user *user = &crash->user[i];
        user->gate = &crash->gate;
        user->token = tokens[i % USERS];
        user->number = i;
        user->posts_slow = i < USERS;
        user->random = crash_random(&crash->random);
        user->ledger.owner = names[i % USERS];
        user->ledger.requests = requests;
        ck_assert_int_eq(pthread_create(&crash->thread[i], NULL, crash_user_run, user), 0);
    }
}

static void users_join(struct crash *crash)
{
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(crash->thread[i], NULL);
}

/* ---- what became of it ---- */

/* All ids that the user's lists show, page by page. */
static size_t list_all(const struct crash_user *user, char (**ret_id)[32])
{
    size_t count = 0, capacity = 0;
    char(*id)[32] = NULL;
    const char *cursor = "";
    const char *header = format("Authorization: Bearer %s\r\n", user->token);
    struct service service = {.port = user->life.port};
    while (cursor != NULL) {
        struct answer *answer = get_with(&service, format("/v1/jobs?limit=500%s", cursor), header);
        answer_expect(answer, 200);
        const json_t *page = answer_json(answer);
        const size_t more = length_at(page, "/jobs");
        char(*larger)[32] = realloc(id, (capacity += more + 1) * sizeof *id);
        ck_assert_ptr_nonnull(larger);
        id = larger;
        for (size_t i = 0; i < more; i++)
            snprintf(id[count++], sizeof *id, "%s", text_at(page, format("/jobs/%zu/id", i)));
        const json_t *next = value_at(page, "/next");
        cursor = json_is_null(next) ? NULL : format("&cursor=%s", json_string_value(next));
    }
    *ret_id = keep(id);
    return count;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The jobs of a client's ledger that are listed. */
static size_t compare_listed(struct crash_ledger *ledger, char (*id)[32], size_t count)
{
    size_t known = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct crash_job *job = &ledger->job[i];
        const bool listed = bsearch(job->id, id, count, sizeof *id, compare_ids) != NULL;
        if (listed == job->removed)
            ledger_fault(ledger, "%s: listed %d, removed %d", job->id, listed, job->removed);
        known += listed;
    }
    return known;
}

/* Of both clients of a user: each job that is there is listed, once; what else is listed was posted
 * without an answer. */
static void compare_lists(struct crash_user *first, struct crash_user *second)
{
    char(*id)[32];
    const size_t count = list_all(first, &id);
    qsort(id, count, sizeof *id, compare_ids);
    for (size_t i = 1; i < count; i++)
        if (strcmp(id[i - 1], id[i]) == 0) ledger_fault(&first->ledger, "%s: listed twice", id[i]);
    const size_t known =
        compare_listed(&first->ledger, id, count) + compare_listed(&second->ledger, id, count);
    if (count - known > first->unanswered + second->unanswered)
        ledger_fault(&first->ledger, "%zu listed jobs were posted by nobody", count - known);
}

/* The log tells of no other end than the user saw. */
static void compare_log(struct crash_ledger *ledger, const struct crash_log *log)
{
    for (size_t i = 0; i < ledger->count; i++) {
        const struct crash_job *job = &ledger->job[i];
        const struct crash_end *end = crash_log_find(log, job->id);
        if (end != NULL && strcmp(end->state, job->state) != 0)
            ledger_fault(ledger, "%s: logged as %s, but it is %s", job->id, end->state, job->state);
    }
}

static void count_user(const struct crash_user *user, struct counts *counts)
{
    const struct crash_ledger *ledger = &user->ledger;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct crash_job *job = &ledger->job[i];
        counts->finished += job->ended;
        counts->crashed += job->crashed;
        counts->crashed_trainings += job->crashed && strcmp(job->request->path, TRAININGS) == 0;
        counts->cancelled += strcmp(job->state, "cancelled") == 0;
        counts->slow += job->request->slow;
    }
    counts->accepted += ledger->count;
    counts->lost += ledger->lost;
    counts->changed += ledger->changed;
    counts->faults += ledger->faults;
    counts->removed += user->removed;
    counts->repeated += user->repeated;
    counts->unanswered += user->unanswered;
    for (size_t i = 0; i < ledger->faults && i < LEDGER_FAULTS; i++)
        printf("client %u: %s\n", user->number, ledger->fault[i]);
}

static struct counts count_all(struct crash *crash, const struct crash_log *log)
{
    struct counts counts = {0};
    for (int i = 0; i < CLIENTS; i++) {
        compare_log(&crash->user[i].ledger, log);
        count_user(&crash->user[i], &counts);
    }
    return counts;
}

static void report(const struct crash *crash, const struct counts *counts, size_t rounds,
                   size_t twice)
{
    printf(
        "crash: %zu rounds, %zu accepted, %zu finished, %zu lost, %zu finished twice, %zu "
        "results changed, %zu crashed\n",
        rounds, counts->accepted, counts->finished, counts->lost, twice, counts->changed,
        counts->crashed);
    printf("       (%zu kills, %zu of them amid a stop, and %zu amid a start; %zu stops; ",
           crash->kills, crash->stops_killed, crash->starts_killed, crash->stops);
    printf("%zu slow jobs, %zu crashed trainings; %zu jobs cancelled, %zu removed; ", counts->slow,
           counts->crashed_trainings, counts->cancelled, counts->removed);
    printf("%zu POSTs repeated by key, %zu without an answer)\n", counts->repeated,
           counts->unanswered);
    fflush(stdout);
}

/* ---- the test ---- */

static void crash_start(struct crash *crash, const struct crash_request *requests)
{
    const char *tokens[USERS];
    gate_init(&crash->gate);
    service_prepare(&crash->service, OPTIONS);
    for (int i = 0; i < USERS; i++)
        tokens[i] = token_add(&crash->service, names[i]);
    service_restart(&crash->service);
    gate_open(&crash->gate, crash->service.port);
    users_start(crash, requests, tokens);
}

START_TEST(nothing_is_lost_by_kills)
{
    static struct crash crash;
    const size_t rounds = (size_t)number_from("CRASH_ROUNDS", 10);
    const uint64_t seed = number_from("CRASH_SEED", (uint64_t)time(NULL));
    printf("CRASH_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    crash.random = seed;
    crash_start(&crash, crash_requests());
    for (size_t round = 0; round < rounds; round++) {
        end_daemon(&crash, round);
        start_daemon(&crash);
    }
    gate_end(&crash.gate);
    users_join(&crash);
    for (int i = 0; i < USERS; i++)
        compare_lists(&crash.user[i], &crash.user[i + USERS]);
    service_end(&crash.service);
    const struct crash_log log = crash_log_read(&crash.service);
    const struct counts counts = count_all(&crash, &log);
    report(&crash, &counts, rounds, log.twice);
    ck_assert_msg(log.errors == 0, "%zu errors are logged: %s", log.errors, log.error);
    ck_assert_uint_eq(log.twice, 0);
    ck_assert_uint_eq(counts.faults, 0);
    ck_assert_uint_eq(counts.accepted, counts.finished);
    /* A kill is charged to at most one job a worker. */
    const size_t kills = crash.kills + crash.starts_killed;
    ck_assert_uint_le(ATTEMPTS * counts.crashed, WORKERS * kills);
}

int main(void)
{
    const TTest *const tests[] = {nothing_is_lost_by_kills, NULL};
    return suite_main("crash", tests);
}
