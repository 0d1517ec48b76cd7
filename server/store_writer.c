#include "server/store_writer.h"
#include "server/clock.h"
#include "server/hash.h"
#include "server/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 512, BATCH_BYTES = 32 << 20, MARKS = 4096 };

#define RETRY_NS INT64_C(100000000) /* doubled with each attempt, up to the next */
#define RETRY_MAX_NS INT64_C(1000000000)
#define MS_NS INT64_C(1000000)

struct list {
    struct store_write *first, **end;
};

/* Ids by their hash: a job that is not in it is not marked, others may seem to be. */
struct marks {
    uint64_t bits[MARKS / 64];
};

struct store_writer {
    struct store_writer_backend backend;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    struct list queue;   /* in the order of submission */
    struct list stalled; /* patient ones that could not be made; older than the queue's */
    int64_t retry_ns;    /* when the stalled are tried again */
    int64_t sleeps_to_ns;
    bool gave_up, closing;
    /* The thread's own. */
    struct store_write *batch[BATCH];
    enum store_status status[BATCH];
    bool made[BATCH];
    size_t count, failures;
    enum store_status fault; /* of the last transaction that failed */
    int64_t back_off_ns;
    bool ailing;
};

/* ---- lists ---- */

static void list_init(struct list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_push(struct list *list, struct store_write *write)
{
    write->next = NULL;
    *list->end = write;
    list->end = &write->next;
}

/* Takes out the write that *place points at. */
static void list_take(struct list *list, struct store_write **place)
{
    struct store_write *write = *place;
    *place = write->next;
    if (write->next == NULL) list->end = place;
}

static bool list_remove(struct list *list, const struct store_write *write)
{
    struct store_write **place = &list->first;
    while (*place != NULL && *place != write)
        place = &(*place)->next;
    if (*place == NULL) return false;
    list_take(list, place);
    return true;
}

static unsigned mark_of(const struct store_write *write)
{
    return (unsigned)(hash_of(write->record.id) >> 32) % MARKS;
}

static void mark(struct marks *marks, const struct store_write *write)
{
    const unsigned bit = mark_of(write);
    marks->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool is_marked(const struct marks *marks, const struct store_write *write)
{
    const unsigned bit = mark_of(write);
    return (marks->bits[bit / 64] >> bit % 64 & 1) != 0;
}

/* ---- what goes next ---- */

static bool is_due(const struct store_writer *writer, const struct store_write *write,
                   int64_t now_ns)
{
    return writer->closing || write->due_ns <= now_ns;
}

static bool any_due(const struct store_writer *writer, int64_t now_ns)
{
    for (const struct store_write *write = writer->queue.first; write != NULL; write = write->next)
        if (is_due(writer, write, now_ns)) return true;
    return false;
}

/* The jobs of all that is due, and of what rides. */
static void mark_due(const struct store_writer *writer, int64_t now_ns, struct marks *marks)
{
    for (const struct store_write *write = writer->queue.first; write != NULL; write = write->next)
        if (write->rides || is_due(writer, write, now_ns)) mark(marks, write);
}

static bool retries(const struct store_writer *writer, int64_t now_ns, const struct marks *marks)
{
    if (writer->stalled.first == NULL) return false;
    if (writer->closing || writer->gave_up || writer->retry_ns <= now_ns) return true;
    for (const struct store_write *write = writer->stalled.first; write != NULL;
         write = write->next)
        if (is_marked(marks, write)) return true;
    return false;
}

static size_t bytes_of(const struct store_write *write)
{
    return job_record_bytes(&write->record) + write->grain.size;
}

/* Moves what is marked (NULL: all) into the batch until that is full. */
static void take(struct store_writer *writer, struct list *list, const struct marks *marks,
                 size_t *bytes)
{
    for (struct store_write **place = &list->first; *place != NULL;) {
        struct store_write *write = *place;
        if (writer->count == BATCH || *bytes > BATCH_BYTES) return;
        if (marks != NULL && !is_marked(marks, write)) {
            place = &write->next;
            continue;
        }
        list_take(list, place);
        *bytes += bytes_of(write);
        writer->batch[writer->count++] = write;
    }
}

static void collect(struct store_writer *writer, int64_t now_ns)
{
    struct marks marks = {0};
    size_t bytes = 0;
    writer->count = 0;
    const bool due = any_due(writer, now_ns);
    if (due) mark_due(writer, now_ns, &marks);
    if (retries(writer, now_ns, &marks)) take(writer, &writer->stalled, NULL, &bytes);
    if (due) take(writer, &writer->queue, &marks, &bytes);
}

/* ---- a transaction ---- */

/* Whether an earlier write of the same job has to be made first. */
static bool is_blocked(const struct store_writer *writer, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (!writer->made[i] && writer->batch[i]->patient &&
            strcmp(writer->batch[i]->record.id, writer->batch[index]->record.id) == 0)
            return true;
    return false;
}

static bool any_blocked(const struct store_writer *writer, size_t first, size_t count)
{
    for (size_t i = first; writer->failures > 0 && i < first + count; i++)
        if (is_blocked(writer, i)) return true;
    return false;
}

static bool commit(struct store_writer *writer, size_t first, size_t count)
{
    const struct store_writer_backend *backend = &writer->backend;
    const enum store_status status =
        backend->commit(backend->context, writer->batch + first, count, writer->status + first);
    if (status != STORE_OK) writer->fault = status;
    return status == STORE_OK;
}

/* Makes all of a part that can be made, alone if need be. */
static void attempt(struct store_writer *writer, size_t first, size_t count)
{
    if (!any_blocked(writer, first, count) && commit(writer, first, count)) return;
    if (count > 1) {
        attempt(writer, first, count / 2);
        attempt(writer, first + count / 2, count - count / 2);
        return;
    }
    writer->made[first] = false;
    writer->status[first] = writer->fault;
    writer->failures++;
}

static void make_batch(struct store_writer *writer)
{
    writer->failures = 0;
    for (size_t i = 0; i < writer->count; i++)
        writer->made[i] = true;
    attempt(writer, 0, writer->count);
}

static void log_health(struct store_writer *writer, bool ails)
{
    if (ails == writer->ailing) return;
    writer->ailing = ails;
    if (!ails)
        log_info("store", "state=recovered");
    else
        log_error("store", "state=%s fault=\"%s\"", writer->fault == STORE_FULL ? "full" : "broken",
                  writer->backend.fault(writer->backend.context));
}

/* Patient ones that could not be made go back, before those that wait there. */
static void put_back(struct store_writer *writer)
{
    struct list stalled;
    list_init(&stalled);
    const bool waits = !writer->gave_up && !writer->closing;
    for (size_t i = 0; i < writer->count; i++) {
        if (writer->made[i] || !writer->batch[i]->patient) continue;
        writer->status[i] = STORE_BROKEN;
        if (!waits) continue;
        list_push(&stalled, writer->batch[i]);
        writer->batch[i] = NULL;
    }
    if (stalled.first == NULL) return;
    *stalled.end = writer->stalled.first;
    if (writer->stalled.first == NULL) writer->stalled.end = stalled.end;
    writer->stalled.first = stalled.first;
}

static void end_batch(struct store_writer *writer)
{
    const bool failed = writer->failures > 0;
    pthread_mutex_lock(&writer->lock);
    put_back(writer);
    const int64_t back_off_ns = writer->back_off_ns * 2;
    writer->back_off_ns = back_off_ns < RETRY_MAX_NS ? back_off_ns : RETRY_MAX_NS;
    if (!failed) writer->back_off_ns = RETRY_NS / 2;
    if (failed) writer->retry_ns = clock_monotonic_ns() + writer->back_off_ns;
    const bool ails = failed || writer->stalled.first != NULL;
    pthread_mutex_unlock(&writer->lock);
    log_health(writer, ails);
    for (size_t i = 0; i < writer->count; i++)
        if (writer->batch[i] != NULL) writer->batch[i]->done(writer->batch[i], writer->status[i]);
    writer->backend.rest(writer->backend.context);
}

/* ---- the thread ---- */

static int64_t next_due(const struct store_writer *writer)
{
    int64_t due_ns = writer->stalled.first != NULL ? writer->retry_ns : INT64_MAX;
    for (const struct store_write *write = writer->queue.first; write != NULL; write = write->next)
        if (write->due_ns < due_ns) due_ns = write->due_ns;
    return due_ns;
}

static void sleep_until_due(struct store_writer *writer)
{
    writer->sleeps_to_ns = next_due(writer);
    if (writer->sleeps_to_ns == INT64_MAX) {
        pthread_cond_wait(&writer->wake, &writer->lock);
    } else {
        const struct timespec time = clock_timespec(writer->sleeps_to_ns);
        pthread_cond_timedwait(&writer->wake, &writer->lock, &time);
    }
    writer->sleeps_to_ns = INT64_MIN;
}

static void *run(void *argument)
{
    struct store_writer *writer = argument;
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        collect(writer, clock_monotonic_ns());
        if (writer->count > 0) {
            pthread_mutex_unlock(&writer->lock);
            make_batch(writer);
            end_batch(writer);
            pthread_mutex_lock(&writer->lock);
            continue;
        }
        if (writer->closing) break;
        sleep_until_due(writer);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* ---- life ---- */

static bool start(struct store_writer *writer)
{
    pthread_mutex_init(&writer->lock, NULL);
    clock_condition_init(&writer->wake);
    return pthread_create(&writer->thread, NULL, run, writer) == 0;
}

static void destroy(struct store_writer *writer)
{
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

struct store_writer *store_writer_open(const struct store_writer_backend *backend)
{
    struct store_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) return NULL;
    writer->backend = *backend;
    writer->back_off_ns = RETRY_NS / 2;
    writer->sleeps_to_ns = INT64_MIN;
    list_init(&writer->queue);
    list_init(&writer->stalled);
    if (start(writer)) return writer;
    destroy(writer);
    return NULL;
}

void store_writer_submit(struct store_writer *writer, struct store_write *write)
{
    write->due_ns = clock_monotonic_ns() + write->delay_ms * MS_NS;
    pthread_mutex_lock(&writer->lock);
    const bool refused = writer->closing;
    if (!refused) {
        list_push(&writer->queue, write);
        if (write->due_ns < writer->sleeps_to_ns) pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->lock);
    if (refused) write->done(write, STORE_BROKEN);
}

bool store_writer_withdraw(struct store_writer *writer, struct store_write *write)
{
    pthread_mutex_lock(&writer->lock);
    const bool taken = list_remove(&writer->queue, write) || list_remove(&writer->stalled, write);
    pthread_mutex_unlock(&writer->lock);
    return taken;
}

void store_writer_hurry(struct store_writer *writer, const char *id)
{
    pthread_mutex_lock(&writer->lock);
    for (struct store_write *write = writer->queue.first; write != NULL; write = write->next)
        if (id == NULL || strcmp(write->record.id, id) == 0) write->due_ns = INT64_MIN;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

void store_writer_give_up(struct store_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->gave_up = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

void store_writer_close(struct store_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->closing = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    destroy(writer);
}
