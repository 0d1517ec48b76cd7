/* Fills a store with finished jobs, and measures it: fill FOLDER JOBS [THREADS]
 *
 * Jobs have four owners, labels (a project of eight, a branch of which most have one, a commit of
 * its own for every tenth job), mixed kinds and states, requests of 1 KB and results of 2 KB.
 * Prints how many were added a second, then for reads how long they took, as rows of
 * "name calls p50 p99 max" in milliseconds. What the folder already has stays. */
#include "server/clock.h"
#include "server/log.h"
#include "server/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWNERS = 4, PROJECTS = 8, THREADS_MAX = 64, CALLS = 1000, AHEAD = 256 };

static const char *const owners[OWNERS] = {"ada", "bob", "eve", "kim"};

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void make_id(uint64_t number, char id[ID_SIZE])
{
    uint64_t bits = 0;
    for (uint64_t i = 0; i < ID_SIZE - 1; i++) {
        bits = i % 8 == 0 ? mix(number * 4 + i / 8) : bits / 32;
        id[i] = "abcdefghijklmnopqrstuvwxyz234567"[bits % 32];
    }
    id[ID_SIZE - 1] = '\0';
}

static void add_label(struct labels *labels, const char *name, const char *format, unsigned value)
{
    struct label *label = &labels->label[labels->count++];
    snprintf(label->name, sizeof label->name, "%s", name);
    snprintf(label->value, sizeof label->value, format, value);
}

static void make_labels(uint64_t number, struct labels *labels)
{
    const uint64_t random = mix(number ^ 77);
    labels->count = 0;
    if (getenv("BARE") != NULL) return;
    add_label(labels, "project", "project-%u", (unsigned)(random % PROJECTS));
    if (random / 8 % 10 < 9)
        add_label(labels, "branch", "main%.0u", 0);
    else
        add_label(labels, "branch", "topic-%u", (unsigned)(random / 128 % 100));
    if (number % 10 == 0)
        add_label(labels, "commit", "9f86d081884c7d659a2feaa0c55ad01%08x", (unsigned)number);
}

/* Of 100 jobs 90 succeeded, 7 failed, 3 were cancelled; every fourth is a training. */
static void make_record(uint64_t number, struct job_record *record, struct label *label)
{
    const uint64_t random = mix(number ^ 99);
    const unsigned share = (unsigned)(random % 100);
    *record = (struct job_record){.position = number, .priority = PRIORITY_NORMAL};
    make_id(number, record->id);
    snprintf(record->owner, sizeof record->owner, "%s", owners[random / 128 % OWNERS]);
    record->kind = random / 512 % 4 == 0 ? JOB_TRAINING : JOB_CHECK;
    record->state = share < 90 ? JOB_SUCCEEDED : share < 97 ? JOB_FAILED : JOB_CANCELLED;
    record->created_ms = record->started_ms = 1700000000000 + (int64_t)number;
    record->finished_ms = record->created_ms + 5;
    record->version = 3;
    record->done = record->total = 218;
    record->cut = (struct job_cut){1, 128, 1, 2000000000, 4};
    snprintf(record->signature, sizeof record->signature, "1.0.0 avx2 OpenBLAS 0.3.21 Haswell");
    record->labels.label = label;
    make_labels(number, &record->labels);
}

/* ---- filling ---- */

struct parts {
    struct blob *request, *result, *summary;
};

struct filler {
    struct store *store;
    const struct parts *parts;
    _Atomic uint64_t *next;
    uint64_t end;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t room;
    size_t ahead; /* writes under way */
    size_t allowed;
};

struct addition {
    struct store_write write;
    struct label label[3];
    struct filler *filler;
};

static void added(struct store_write *write, enum store_status status)
{
    struct addition *addition = write->context;
    struct filler *filler = addition->filler;
    if (status != STORE_OK) {
        fprintf(stderr, "fill: job %s was refused: %d\n", write->record.id, status);
        exit(1);
    }
    free(addition);
    pthread_mutex_lock(&filler->lock);
    filler->ahead--;
    pthread_cond_signal(&filler->room);
    pthread_mutex_unlock(&filler->lock);
}

static void await(struct filler *filler, size_t ahead)
{
    pthread_mutex_lock(&filler->lock);
    while (filler->ahead > ahead)
        pthread_cond_wait(&filler->room, &filler->lock);
    filler->ahead++;
    pthread_mutex_unlock(&filler->lock);
}

static void add(struct filler *filler, uint64_t number)
{
    struct addition *addition = calloc(1, sizeof *addition);
    if (addition == NULL) exit(1);
    addition->filler = filler;
    addition->write = (struct store_write){.change = STORE_ADD, .done = added, .context = addition};
    struct job_record *record = &addition->write.record;
    make_record(number, record, addition->label);
    record->request = filler->parts->request;
    record->result = filler->parts->result;
    record->summary = filler->parts->summary;
    await(filler, filler->allowed - 1);
    filler->store->operations->submit(filler->store, &addition->write);
}

static void *fill(void *argument)
{
    struct filler *filler = argument;
    for (;;) {
        const uint64_t number = atomic_fetch_add(filler->next, 1);
        if (number > filler->end) break;
        add(filler, number);
    }
    await(filler, 0);
    return NULL;
}

/* `allowed`: how many writes a thread has under way at once. Returns jobs a second. */
static double fill_with(struct store *store, const struct parts *parts, uint64_t jobs,
                        size_t threads, size_t allowed)
{
    struct filler filler[THREADS_MAX];
    const uint64_t last = store->operations->last_position(store);
    _Atomic uint64_t next = last + 1;
    const int64_t begin_ns = clock_monotonic_ns();
    for (size_t i = 0; i < threads; i++) {
        filler[i] = (struct filler){.store = store,
                                    .parts = parts,
                                    .next = &next,
                                    .end = last + jobs,
                                    .lock = PTHREAD_MUTEX_INITIALIZER,
                                    .room = PTHREAD_COND_INITIALIZER,
                                    .allowed = allowed};
        if (pthread_create(&filler[i].thread, NULL, fill, &filler[i]) != 0) exit(1);
    }
    for (size_t i = 0; i < threads; i++)
        pthread_join(filler[i].thread, NULL);
    return (double)jobs * 1e9 / (double)(clock_monotonic_ns() - begin_ns);
}

/* ---- reading ---- */

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void print_times(const char *name, double *ms, size_t count)
{
    qsort(ms, count, sizeof *ms, by_size);
    printf("%-44s %5zu %8.3f %8.3f %8.3f\n", name, count, ms[count / 2], ms[count * 99 / 100],
           ms[count - 1]);
    fflush(stdout);
}

static void measure_get(struct store *store, uint64_t jobs, unsigned parts, const char *name)
{
    static double ms[CALLS];
    const struct scope scope = {.owner = "", .all = true};
    for (uint64_t i = 0; i < CALLS; i++) {
        char id[ID_SIZE];
        struct job_record record;
        make_id(1 + mix(i) % jobs, id);
        const int64_t begin_ns = clock_monotonic_ns();
        if (store->operations->get(store, &scope, id, parts, &record) != STORE_OK) exit(1);
        ms[i] = (double)(clock_monotonic_ns() - begin_ns) / 1e6;
        job_record_done(&record);
    }
    print_times(name, ms, CALLS);
}

static void measure_list(struct store *store, const char *name, struct store_filter filter,
                         uint64_t jobs, bool deep)
{
    static double ms[CALLS];
    for (uint64_t i = 0; i < CALLS; i++) {
        struct job_page page;
        filter.before = deep ? 1 + mix(i) % jobs : 0;
        if (!filter.scope.all) filter.scope.owner = owners[i % OWNERS];
        const int64_t begin_ns = clock_monotonic_ns();
        if (store->operations->list(store, &filter, &page) != STORE_OK) exit(1);
        ms[i] = (double)(clock_monotonic_ns() - begin_ns) / 1e6;
        job_page_done(&page);
    }
    print_times(name, ms, CALLS);
}

static void measure_filter(struct store *store, const char *name, struct store_filter filter,
                           uint64_t jobs)
{
    for (int all = 0; all < 2; all++)
        for (int deep = 0; deep < 2; deep++) {
            char text[80];
            filter.scope = (struct scope){.owner = "", .all = all > 0};
            snprintf(text, sizeof text, "list %s, %s, %s", name, all > 0 ? "all" : "own",
                     deep > 0 ? "deep" : "first");
            measure_list(store, text, filter, jobs, deep > 0);
        }
}

static void measure(struct store *store, uint64_t jobs)
{
    struct label project = {"project", "project-3"}, topic = {"branch", "topic-7"};
    struct label common[2] = {{"project", "project-3"}, {"branch", "main"}};
    struct label rare[2] = {project, topic};
    struct store_filter plain = {.limit = 50}, filter = plain;
    printf("%-44s %5s %8s %8s %8s\n", "", "calls", "p50 ms", "p99 ms", "max ms");
    measure_get(store, jobs, 0, "get");
    measure_get(store, jobs, PARTS_ALL, "get, whole");
    measure_filter(store, "50", plain, jobs);
    filter.states = 1u << JOB_FAILED;
    measure_filter(store, "failed", filter, jobs);
    filter.kinds = 1u << JOB_TRAINING;
    measure_filter(store, "failed trainings", filter, jobs);
    filter = plain;
    filter.labels = (struct labels){1, &project};
    measure_filter(store, "project", filter, jobs);
    filter.states = 1u << JOB_FAILED | 1u << JOB_CANCELLED;
    measure_filter(store, "project, not succeeded", filter, jobs);
    filter.states = 0;
    filter.labels = (struct labels){2, common};
    measure_filter(store, "project, main", filter, jobs);
    filter.labels = (struct labels){2, rare};
    measure_filter(store, "project, topic", filter, jobs);
    filter.states = 1u << JOB_CANCELLED;
    measure_filter(store, "project, topic, cancelled", filter, jobs);
    plain.limit = 500;
    measure_filter(store, "500", plain, jobs);
}

/* ---- the program ---- */

static struct blob *part_of(size_t size)
{
    char *bytes = malloc(size);
    if (bytes == NULL) exit(1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('0' + mix(i) % 10);
    return blob_take(bytes, size);
}

int main(int count, char **arguments)
{
    const uint64_t jobs = count > 2 ? strtoull(arguments[2], NULL, 10) : 0;
    const size_t threads = count > 3 ? strtoull(arguments[3], NULL, 10) : 0;
    if (count < 3 || threads > THREADS_MAX) {
        fprintf(stderr, "usage: fill FOLDER JOBS [THREADS]\n");
        return 2;
    }
    const struct limits limits = {
        .active_jobs = 1000, .retain_jobs = SIZE_MAX, .retain_bytes = INT64_MAX};
    struct store *store = store_sqlite_open(arguments[1], &limits);
    if (store == NULL) return 1;
    const struct parts parts = {part_of(1000), part_of(2000), part_of(100)};
    if (jobs > 0)
        printf("added a second: %.0f\n", threads > 0 ? fill_with(store, &parts, jobs, threads, 1)
                                                     : fill_with(store, &parts, jobs, 1, AHEAD));
    if (threads == 0) measure(store, store->operations->last_position(store));
    const int64_t begin_ns = clock_monotonic_ns();
    store->operations->close(store);
    printf("closed in %.1f ms\n", (double)(clock_monotonic_ns() - begin_ns) / 1e6);
    blob_unref(parts.request);
    blob_unref(parts.result);
    blob_unref(parts.summary);
    return 0;
}
