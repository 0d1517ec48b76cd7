/*
 * Each allocation that a request makes, and each thing that it does to a file of the store, is made
 * to fail in turn: the daemon lives, answers with a problem (or rightly, where it could do
 * without), leaks nothing, and the next request is right.
 *
 * FAULTS=all tries every single call. Otherwise of each kind of request some dozens are tried,
 * other ones each day.
 */
#include "fault_requests.h"
#include "faults.h"
#include "integrity.h"
#include "jobs.h"
#include "problems.h"
#include "values.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { TRIES = 16, WRONG_MAX = 20, WARM = 4, REPEATS = 3 };

/* One kind of request on one daemon. */
struct trial {
    const struct fault_request *kind;
    struct scene scene;
    struct shim *shim;
    struct fault fault;           /* its number is the try's */
    const char *problems;         /* names of those that it may end in */
    int64_t live, live_libraries; /* the most allocations between requests so far */
    int wrong;
};

static void complain(struct trial *trial, const char *what)
{
    trial->wrong++;
    fprintf(stderr, "case \"%s\", call %lld (%lld): %s\n  at %s\n", trial->kind->name,
            (long long)trial->fault.number, (long long)trial->fault.count, what,
            trial->shim->where);
    ck_assert_msg(trial->wrong < WRONG_MAX, "and so on");
}

static void daemon_lives(struct trial *trial)
{
    int status;
    const pid_t pid = trial->scene.service->pid;
    if (waitpid(pid, &status, WNOHANG) == 0) return;
    complain(trial, "the daemon has ended");
    ck_abort_msg("the daemon has ended");
}

/* ---- leaks ---- */

static bool falls_to(_Atomic int64_t *count, int64_t most, double seconds)
{
    const double deadline = seconds_now() + seconds;
    while (atomic_load(count) > most && seconds_now() < deadline)
        poll(NULL, 0, 1);
    return atomic_load(count) <= most;
}

/* Whether allocations are more than ever between two requests, for so long. */
static bool has_grown(struct trial *trial, double seconds)
{
    const bool own = !falls_to(&trial->shim->live, trial->live, seconds);
    return !falls_to(&trial->shim->live_libraries, trial->live_libraries, seconds) || own;
}

static void note_growth(struct trial *trial)
{
    const int64_t own = atomic_load(&trial->shim->live);
    const int64_t libraries = atomic_load(&trial->shim->live_libraries);
    if (own > trial->live) trial->live = own;
    if (libraries > trial->live_libraries) trial->live_libraries = libraries;
}

/* ---- one try ---- */

static void prepare(struct trial *trial)
{
    trial->scene.round++;
    if (trial->kind->prepares == EACH && trial->kind->prepare != NULL)
        trial->kind->prepare(&trial->scene);
}

/* Where there is no memory for a problem, one that takes none is sent, which knows no request. */
static bool is_bare(struct answer *answer)
{
    static const char text[] =
        "{\"type\":\"urn:gradcheckd:problem:out-of-memory\",\"title\":\"Memory is out\","
        "\"status\":503,\"detail\":\"memory is out\"}";
    return answer->status == 503 && strcmp(answer->body, text) == 0 &&
           answer_header(answer, "X-Request-Id") != NULL;
}

static const char *answer_wrong(struct trial *trial, struct answer *answer, bool faulted)
{
    const char *wrong = fault_request_wrong(trial->kind, &trial->scene, answer);
    if (wrong == NULL || !faulted) return wrong;
    if (answer->status == 0) return "no answer";
    if (answer->status < 400) {
        const json_t *error = value_find(answer_json(answer), "/error");
        return problem_is_one_of(error, trial->problems) ? NULL : wrong;
    }
    const char *fault = problem_fault(answer, answer->status);
    if (fault != NULL && !is_bare(answer)) return fault;
    return problem_is_one_of(answer->json, trial->problems) ? NULL : wrong;
}

static void settle(struct trial *trial)
{
    const char *wrong = trial->kind->jobs ? jobs_settle(&trial->scene, trial->problems) : NULL;
    if (wrong != NULL) complain(trial, wrong);
}

/* The request with the fault, and the same once more without: false when no call failed. */
static bool try(struct trial *trial)
{
    prepare(trial);
    faults_order(trial->shim, trial->fault);
    struct answer *answer = trial->kind->ask(&trial->scene);
    const bool fired = faults_end(trial->shim) > 0;
    daemon_lives(trial);
    const char *wrong = answer_wrong(trial, answer, fired);
    if (wrong != NULL) complain(trial, wrong);
    settle(trial);
    prepare(trial);
    answer = trial->kind->ask(&trial->scene);
    wrong = answer_wrong(trial, answer, false);
    if (wrong != NULL) complain(trial, format("the next one: %s", wrong));
    settle(trial);
    return fired;
}

/* Most of what a request takes is given back soon after its answer, and all of it in some seconds,
 * when the store has tried again. A leak shows each time; what a library keeps for later does not.
 */
static bool try_for_leaks(struct trial *trial)
{
    const int64_t live = trial->live, live_libraries = trial->live_libraries;
    struct faults_sites before;
    faults_sites(trial->shim, &before);
    const bool fired = try(trial);
    for (int again = 0; has_grown(trial, again < REPEATS ? 0.1 : patience(5)); again++) {
        note_growth(trial);
        if (again == REPEATS) {
            complain(trial, format("leaks%s", faults_grown(trial->shim, &before)));
            break;
        }
        try(trial);
    }
    if (trial->live > live && falls_to(&trial->shim->live, live, 2)) trial->live = live;
    if (trial->live_libraries > live_libraries &&
        falls_to(&trial->shim->live_libraries, live_libraries, 0.1))
        trial->live_libraries = live_libraries;
    return fired;
}

/* ---- all of them ---- */

/* What the requests of this kind should give, and memory that is kept once and for all. */
static void warm_up(struct trial *trial)
{
    const struct fault_request *kind = trial->kind;
    if (kind->prepare != NULL && kind->prepares == ONCE) kind->prepare(&trial->scene);
    for (int i = 0; i < WARM; i++) {
        prepare(trial);
        struct answer *answer = kind->ask(&trial->scene);
        const char *wrong = fault_request_wrong(kind, &trial->scene, answer);
        ck_assert_msg(wrong == NULL, "%s: %s", kind->name, wrong);
        if (kind->same) trial->scene.right = answer->body;
        if (kind->prepare == NULL && kind->jobs) {
            const char *id = text_at(answer_json(answer), "/id");
            job_wait(trial->scene.service, id);
            answer = get(trial->scene.service, format("/v1/jobs/%s", id));
            trial->scene.result = answer_member(answer, "result");
        }
        settle(trial);
    }
    faults_end(trial->shim);
    trial->live = atomic_load(&trial->shim->live);
    trial->live_libraries = atomic_load(&trial->shim->live_libraries);
}

static int64_t calls_of(struct trial *trial)
{
    prepare(trial);
    faults_count(trial->shim, trial->fault.calls);
    trial->kind->ask(&trial->scene);
    const int64_t calls = faults_counted(trial->shim);
    settle(trial);
    return calls;
}

static bool tries_all(void)
{
    const char *which = getenv("FAULTS");
    return which != NULL && strcmp(which, "all") == 0;
}

/* Every call in turn, or every so many. */
static int try_calls(struct trial *trial, int64_t calls)
{
    const int64_t stride = tries_all() || calls <= TRIES ? 1 : calls / TRIES;
    int64_t number = 1 + time(NULL) / 86400 % stride;
    int tries = 0;
    bool fired;
    do {
        trial->fault.number = number;
        fired = try_for_leaks(trial);
        number += stride;
        tries += fired;
    } while (fired || number <= calls);
    return tries;
}

static int wrong_of(const struct trial *like, const struct fault_request *kind)
{
    struct trial trial = *like;
    const double start = seconds_now();
    trial.kind = kind;
    warm_up(&trial);
    const int64_t calls = calls_of(&trial);
    const int tries = try_calls(&trial, calls);
    /* What remains is no job of the next kind's. */
    trial.scene.result = NULL;
    jobs_settle(&trial.scene, trial.problems);
    printf("%-32s %6lld calls, %4d failed, %5.1f s\n", kind->name, (long long)calls, tries,
           seconds_now() - start);
    fflush(stdout);
    return trial.wrong;
}

static void fault_expect(const char *store, struct fault fault, const char *problems)
{
    struct service service;
    struct trial trial = {.shim = faults_open(), .fault = fault, .problems = problems};
    int wrong = 0;
    service_start(&service, format("--workers 1 --store %s", store));
    trial.scene.service = &service;
    if (fault.calls == SHIM_ALLOCATE && !faults_allocate(trial.shim)) {
        printf("skipped: a sanitizer's allocator does not fail\n");
        service_end(&service);
        return;
    }
    for (const struct fault_request *kind = fault_requests; kind->name != NULL; kind++)
        wrong += wrong_of(&trial, kind);
    service_end(&service);
    store_is_sound(&service);
    ck_assert_msg(wrong == 0, "%d are wrong", wrong);
}

static const struct fault allocation = {.calls = SHIM_ALLOCATE};
static const struct fault allocations = {.calls = SHIM_ALLOCATE, .count = 5};

/* What a full disk refuses; of a file that cannot be synchronised the library does not tell why. */
enum { ROOM = SHIM_WRITE | SHIM_RESIZE | SHIM_OPEN };

static void store_fault_expect(unsigned calls, int error, bool half, const char *problems)
{
    fault_expect("sqlite:", (struct fault){.calls = calls, .error = error, .half = half}, problems);
}

START_TEST(allocation_with_memory)
{
    fault_expect("memory:", allocation, "out-of-memory");
}

START_TEST(allocations_with_memory)
{
    fault_expect("memory:", allocations, "out-of-memory");
}

START_TEST(allocation_with_sqlite)
{
    fault_expect("sqlite:", allocation, "out-of-memory");
}

START_TEST(allocations_with_sqlite)
{
    fault_expect("sqlite:", allocations, "out-of-memory");
}

START_TEST(broken_writes)
{
    store_fault_expect(SHIM_STORE, EIO, false, "internal");
}

START_TEST(torn_writes)
{
    store_fault_expect(SHIM_STORE, EIO, true, "internal");
}

START_TEST(writes_without_room)
{
    store_fault_expect(ROOM, ENOSPC, false, "storage-full");
}

START_TEST(torn_writes_without_room)
{
    store_fault_expect(ROOM, ENOSPC, true, "storage-full");
}

START_TEST(broken_reads)
{
    store_fault_expect(SHIM_READ, EIO, false, "internal");
}

int main(void)
{
    if (tries_all()) setenv("TEST_TIMEOUT_SCALE", "10", 0);
    const TTest *const tests[] = {allocation_with_memory, allocations_with_memory,
                                  allocation_with_sqlite, allocations_with_sqlite,
                                  broken_writes,          torn_writes,
                                  writes_without_room,    torn_writes_without_room,
                                  broken_reads,           NULL};
    return suite_main("faults", tests);
}
