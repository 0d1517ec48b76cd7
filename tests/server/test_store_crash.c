/* A process that is killed while it stores: what it was told is there, whole, and nothing else is
 * half there. It is on the disk, too, which no kill shows. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/folders.h"
#include "tests/server/sick.h"
#include "tests/server/stores.h"

#include <sqlite3.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 6, EACH_ROUND = 150, DEADLINE_S = 60 };

/* How far each thread was told to have come; shared with the parent, and good after the end. */
struct told {
    _Atomic int added, worked, ended;
};

struct worker {
    struct store *store;
    struct told *told;
    int index;
};

/* Jobs are numbered; each third has its end with its acceptance. */
static struct job_record job_of(int thread, int number, bool ended)
{
    char id[ID_SIZE];
    snprintf(id, sizeof id, "%d-%d", thread, number);
    struct job_record record = job_keyed(id, "ada", id);
    record.position = (uint64_t)number * THREADS + (uint64_t)thread + 1;
    record.request = blob_copy(id, strlen(id));
    if (!ended) return record;
    record.state = JOB_SUCCEEDED;
    record.finished_ms = number + 1;
    record.result = blob_copy(record.id, strlen(record.id));
    return record;
}

static void must_store(struct store *store, enum store_change change, struct job_record record)
{
    struct store_write write = {.change = change, .patient = true, .record = record};
    if (change == STORE_GRAIN)
        write.grain = (struct store_grain){0, 1, record.id, strlen(record.id)};
    if (store_do(store, &write) != STORE_OK) _exit(1);
    job_record_done(&record);
}

static void *store_for_ever(void *argument)
{
    const struct worker *worker = argument;
    struct told *told = worker->told;
    for (int i = atomic_load(&told->added);; i++) {
        must_store(worker->store, STORE_ADD, job_of(worker->index, i, i % 3 == 0));
        atomic_store(&told->added, i + 1);
        if (i % 3 == 0) continue;
        must_store(worker->store, STORE_GRAIN, job_of(worker->index, i, false));
        atomic_store(&told->worked, i + 1);
        if (i % 3 == 1) continue; /* stays unfinished */
        must_store(worker->store, STORE_PUT, job_of(worker->index, i, true));
        atomic_store(&told->ended, i + 1);
    }
    return NULL;
}

static struct store *open_store(void)
{
    struct limits limits = limits_default();
    limits.active_jobs = 1000000;
    return store_open_with(STORE_ROW_SQLITE, limits);
}

static void run_child(struct told *told)
{
    struct store *store = open_store();
    struct worker worker[THREADS];
    pthread_t thread;
    for (int i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){store, &told[i], i};
        if (pthread_create(&thread, NULL, store_for_ever, &worker[i]) != 0) _exit(1);
    }
    for (;;)
        pause();
}

static int sum_added(struct told *told)
{
    int sum = 0;
    for (int i = 0; i < THREADS; i++)
        sum += atomic_load(&told[i].added);
    return sum;
}

/* Lets a child store until so many jobs are in, and kills it. */
static void run_and_kill(struct told *told, int jobs)
{
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) run_child(told);
    const time_t end = time(NULL) + DEADLINE_S;
    while (sum_added(told) < jobs)
        ck_assert(time(NULL) < end && waitpid(child, NULL, WNOHANG) == 0);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

static void check_job(struct store *store, int thread, int number, bool ended)
{
    struct job_record want = job_of(thread, number, ended);
    struct job_record got = store_read(store, want.id);
    if (!ended && job_state_is_final(got.state)) { /* untold, but whole */
        job_record_done(&want);
        want = job_of(thread, number, true);
    }
    assert_same_job(&got, &want);
    job_record_done(&got);
    job_record_done(&want);
}

static void check_told(struct store *store, struct told *told, int thread)
{
    for (int i = 0; i < atomic_load(&told->added); i++)
        check_job(store, thread, i, i % 3 == 0 || (i % 3 == 2 && i < atomic_load(&told->ended)));
}

/* A job that was not told may be there. What the killed one left of its last job is done, so that
 * the next begins with a new one. */
static void settle(struct store *store, struct told *told, int thread)
{
    struct job_record next = job_of(thread, atomic_load(&told->added), false);
    if (store_has(store, next.id)) atomic_fetch_add(&told->added, 1);
    job_record_done(&next);
    const int last = atomic_load(&told->added) - 1;
    if (last < 0 || last % 3 == 0) return;
    must_store(store, STORE_GRAIN, job_of(thread, last, false));
    atomic_store(&told->worked, last + 1);
    if (last % 3 == 1) return;
    must_store(store, STORE_PUT, job_of(thread, last, true));
    atomic_store(&told->ended, last + 1);
}

struct seen {
    struct told *told;
    int jobs;
};

/* Each unfinished job has the grain that was told. */
static bool check_recovered(void *context, const struct job_record *record,
                            const struct store_grain *grain, size_t count)
{
    struct seen *seen = context;
    int thread, number;
    ck_assert_int_eq(sscanf(record->id, "%d-%d", &thread, &number), 2);
    seen->jobs++;
    if (number >= atomic_load(&seen->told[thread].worked)) return true;
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(grain->size, strlen(record->id));
    ck_assert_mem_eq(grain->bytes, record->id, grain->size);
    return true;
}

static void check_file(void)
{
    sqlite3 *file;
    sqlite3_stmt *check;
    ck_assert_int_eq(sqlite3_open(folder_path(store_folder(), "jobs.db"), &file), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(file, "PRAGMA integrity_check", -1, &check, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(check), SQLITE_ROW);
    ck_assert_str_eq((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    sqlite3_close(file);
}

START_TEST(what_was_told_outlives_the_process)
{
    store_folder(); /* the parent's */
    struct told *told = mmap(NULL, THREADS * sizeof *told, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(told != MAP_FAILED);
    for (int round = 1; round <= ROUNDS; round++) {
        run_and_kill(told, round * EACH_ROUND);
        struct store *store = open_store();
        struct seen seen = {told, 0};
        for (int i = 0; i < THREADS; i++)
            check_told(store, &told[i], i);
        ck_assert_int_eq(store->operations->recover(store, check_recovered, &seen), STORE_OK);
        ck_assert_int_gt(seen.jobs, 0);
        for (int i = 0; i < THREADS; i++)
            settle(store, &told[i], i);
        store_close(store);
        check_file();
    }
    munmap(told, THREADS * sizeof *told);
}
END_TEST

/* A few jobs: no checkpoint comes between. */
START_TEST(what_was_told_is_on_the_disk)
{
    enum { JOBS = 8 };
    const enum store_change changes[] = {STORE_ADD, STORE_GRAIN, STORE_PUT};
    sick_start();
    struct store *store = store_open_large(STORE_ROW_SQLITE);
    for (int number = 0; number < JOBS; number++)
        for (size_t i = 0; i < COUNT(changes); i++) {
            must_store(store, changes[i], job_of(0, number, changes[i] == STORE_PUT));
            ck_assert(!sick_is_unsynced());
        }
    ck_assert_int_eq(store_remove(store, "ada", "0-0"), STORE_OK);
    ck_assert(!sick_is_unsynced());
    store_close(store);
}
END_TEST

SUITE_MAIN("store crash", {what_was_told_outlives_the_process, 0},
           {what_was_told_is_on_the_disk, 0})
