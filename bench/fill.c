/* Fills a folder with jobs that have ended: fill FOLDER JOBS
 *
 * Through the store's own interface, without any daemon. Of 10 jobs 7 are ada's; bob, eve and kim
 * have one each. Of 100, 90 succeeded, 7 failed, 3 were cancelled; every fourth is a training.
 * Their labels: one of 8 projects; the branch main for 9 of 10, else one of 100 topics; a commit
 * for every 5; half are of a suite, nightly, the other half have a trigger, push. Requests have
 * about 1 KB, results 2 KB. Everything follows from a job's number; what the folder already has
 * stays, and numbers go on from there. Prints how many were added a second. */
#include "bench/basics.h"
#include "server/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROJECTS = 8, TOPICS = 100, LABELS = 4, AHEAD = 1000 };

/* What jobs have in common. */
struct parts {
    struct blob *request, *error;
    struct blob *result[JOB_TRAINING + 1], *summary[JOB_TRAINING + 1];
};

struct filler {
    struct store *store;
    struct parts parts;
    pthread_mutex_t lock;
    pthread_cond_t room;
    size_t ahead; /* writes under way */
};

struct addition {
    struct store_write write;
    struct label label[LABELS];
    struct filler *filler;
};

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* ---- one job ---- */

static void make_id(uint64_t number, char id[ID_SIZE])
{
    uint64_t bits = 0;
    for (uint64_t i = 0; i < ID_SIZE - 1; i++) {
        bits = i % 12 == 0 ? mix(number * 4 + i / 12) : bits / 32;
        id[i] = "abcdefghijklmnopqrstuvwxyz234567"[bits % 32];
    }
    id[ID_SIZE - 1] = '\0';
}

static void add_label(struct labels *labels, const char *name, const char *value)
{
    struct label *label = &labels->label[labels->count++];
    snprintf(label->name, sizeof label->name, "%s", name);
    snprintf(label->value, sizeof label->value, "%s", value);
}

static void add_numbered(struct labels *labels, const char *name, const char *value,
                         uint64_t number)
{
    char text[LABEL_VALUE_SIZE];
    snprintf(text, sizeof text, "%s-%llu", value, (unsigned long long)number);
    add_label(labels, name, text);
}

static void make_labels(uint64_t number, struct labels *labels)
{
    const uint64_t random = mix(number ^ 77);
    labels->count = 0;
    add_numbered(labels, "project", "project", random % PROJECTS);
    if (random / 8 % 10 < 9)
        add_label(labels, "branch", "main");
    else
        add_numbered(labels, "branch", "topic", random / 128 % TOPICS);
    add_numbered(labels, "commit", "9f86d081884c7d659a2feaa0", mix(number / 5));
    if (random >> 63 != 0)
        add_label(labels, "suite", "nightly");
    else
        add_label(labels, "trigger", "push");
}

static const char *make_owner(uint64_t random)
{
    static const char *const others[] = {"bob", "eve", "kim"};
    return random % 10 < 7 ? "ada" : others[random % 10 - 7];
}

static void make_record(uint64_t number, struct job_record *record, struct label *label)
{
    const uint64_t random = mix(number ^ 99);
    const unsigned share = (unsigned)(random % 100);
    *record = (struct job_record){.position = number, .priority = PRIORITY_NORMAL};
    make_id(number, record->id);
    snprintf(record->owner, sizeof record->owner, "%s", make_owner(random / 128));
    record->kind = random / 2048 % 4 == 0 ? JOB_TRAINING : JOB_CHECK;
    record->state = share < 90 ? JOB_SUCCEEDED : share < 97 ? JOB_FAILED : JOB_CANCELLED;
    record->created_ms = record->started_ms = 1700000000000 + (int64_t)number * 1000;
    record->finished_ms = record->created_ms + 5;
    record->version = 3;
    record->done = record->total = 218;
    record->seconds = 0.005;
    record->cut = (struct job_cut){1, 128, 1, 2000000000, 4};
    snprintf(record->signature, sizeof record->signature, "1.0.0 avx2 OpenBLAS 0.3.21 Haswell");
    record->labels.label = label;
    make_labels(number, &record->labels);
}

static void make_parts(const struct parts *parts, struct job_record *record)
{
    record->request = parts->request;
    if (record->state == JOB_FAILED) record->error = parts->error;
    if (record->state != JOB_SUCCEEDED) return;
    record->result = parts->result[record->kind];
    record->summary = parts->summary[record->kind];
}

/* ---- what jobs have in common ---- */

static struct blob *document(const char *text)
{
    struct blob *blob = blob_copy(text, strlen(text));
    if (blob == NULL) fail("memory is out");
    return blob;
}

/* Begins with `text`, and has a list of numbers, so many, and the end of an object. */
static struct blob *numbers(const char *text, uint64_t count)
{
    struct buf buf = {.limit = 1 << 20};
    bool fits = buf_append_text(&buf, text);
    for (uint64_t i = 0; i < count; i++) {
        char number[32];
        snprintf(number, sizeof number, "%s0.%016llu", i == 0 ? "[" : ",",
                 (unsigned long long)(mix(i) % UINT64_C(10000000000000000)));
        fits = fits && buf_append_text(&buf, number);
    }
    struct blob *blob = fits && buf_append_text(&buf, "]}") ? blob_from_buf(&buf) : NULL;
    if (blob == NULL) fail("memory is out");
    return blob;
}

static void parts_init(struct parts *parts)
{
    static const char check[] =
        "{\"verdict\":\"pass\",\"distance\":3.1e-9,"
        "\"refined_distance\":3.1e-9,\"parameters_checked\":218}";
    static const char training[] =
        "{\"epochs\":100,\"cost\":0.70210000000000006,"
        "\"accuracy\":0.97999999999999998}";
    static const char error[] =
        "{\"type\":\"urn:gradcheckd:problem:non-finite-cost\","
        "\"title\":\"The cost is not finite\",\"status\":422,"
        "\"detail\":\"the cost is nan\"}";
    *parts = (struct parts){
        .request = numbers("{\"x\":", 52),
        .error = document(error),
        .result = {numbers("{\"verdict\":\"pass\",\"worst\":", 104), numbers("{\"cost\":", 104)},
        .summary = {document(check), document(training)}};
}

static void parts_done(struct parts *parts)
{
    blob_unref(parts->request);
    blob_unref(parts->error);
    for (int kind = 0; kind <= JOB_TRAINING; kind++) {
        blob_unref(parts->result[kind]);
        blob_unref(parts->summary[kind]);
    }
}

/* ---- filling ---- */

static void added(struct store_write *write, enum store_status status)
{
    struct addition *addition = write->context;
    struct filler *filler = addition->filler;
    if (status != STORE_OK) fail("the store refused a job: %d", status);
    free(addition);
    pthread_mutex_lock(&filler->lock);
    filler->ahead--;
    pthread_cond_signal(&filler->room);
    pthread_mutex_unlock(&filler->lock);
}

/* Waits until no more than so many are under way. */
static void await(struct filler *filler, size_t ahead)
{
    pthread_mutex_lock(&filler->lock);
    while (filler->ahead > ahead)
        pthread_cond_wait(&filler->room, &filler->lock);
    pthread_mutex_unlock(&filler->lock);
}

static void add(struct filler *filler, uint64_t number)
{
    struct addition *addition = calloc(1, sizeof *addition);
    if (addition == NULL) fail("memory is out");
    addition->filler = filler;
    addition->write = (struct store_write){.change = STORE_ADD, .done = added, .context = addition};
    make_record(number, &addition->write.record, addition->label);
    make_parts(&filler->parts, &addition->write.record);
    await(filler, AHEAD - 1);
    pthread_mutex_lock(&filler->lock);
    filler->ahead++;
    pthread_mutex_unlock(&filler->lock);
    filler->store->operations->submit(filler->store, &addition->write);
}

int main(int count, char **arguments)
{
    const uint64_t jobs = count == 3 ? strtoull(arguments[2], NULL, 10) : 0;
    const struct limits limits = {
        .active_jobs = 1, .retain_jobs = SIZE_MAX, .retain_bytes = INT64_MAX};
    if (count != 3) fail("usage: fill FOLDER JOBS");
    struct filler filler = {.lock = PTHREAD_MUTEX_INITIALIZER, .room = PTHREAD_COND_INITIALIZER};
    filler.store = store_sqlite_open(arguments[1], &limits);
    if (filler.store == NULL) return 1;
    parts_init(&filler.parts);
    const uint64_t last = filler.store->operations->last_position(filler.store);
    const double start = now();
    for (uint64_t number = last + 1; number <= last + jobs; number++)
        add(&filler, number);
    await(&filler, 0);
    filler.store->operations->close(filler.store);
    printf("%.6g\n", (double)jobs / (now() - start));
    parts_done(&filler.parts);
    return 0;
}
