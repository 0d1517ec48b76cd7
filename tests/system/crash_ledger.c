#include "crash_ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ledger_fault(struct crash_ledger *ledger, const char *pattern, ...)
{
    va_list values;
    if (ledger->faults++ >= LEDGER_FAULTS) return;
    char *text = ledger->fault[ledger->faults - 1];
    va_start(values, pattern);
    vsnprintf(text, sizeof ledger->fault[0], pattern, values);
    va_end(values);
}

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* A string's member, without its quotes. */
static void copy_member(const struct answer *answer, const char *name, char *text, size_t size)
{
    const char *value = answer_member(answer, name);
    const size_t length = strlen(value);
    snprintf(text, size, "%.*s", (int)(length < 2 ? 0 : length - 2), value + 1);
}

bool shows_job(const struct answer *answer, const char *id)
{
    char shown[32];
    copy_member(answer, "id", shown, sizeof shown);
    return strcmp(shown, id) == 0;
}

static bool is_final(const char *state)
{
    return strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

/* An ETag stands for one body, and what has ended stays as it is. */
static void compare(struct crash_ledger *ledger, struct crash_job *job, const char *state,
                    const struct answer *answer)
{
    const char *etag = answer_header(answer, "ETag");
    const uint64_t tag = hash_of(etag != NULL ? etag : ""), body = hash_of(answer->body);
    if (etag == NULL) ledger_fault(ledger, "%s: no ETag", job->id);
    if (tag == job->tag && body != job->body)
        ledger_fault(ledger, "%s: another body under ETag %s (%s, %s)", job->id, etag, job->state,
                     state);
    if (job->ended && (tag != job->tag || body != job->body)) {
        ledger->changed++;
        ledger_fault(ledger, "%s: changed after its end (%s, %s)", job->id, job->state, state);
    }
    job->tag = tag;
    job->body = body;
}

static void compare_result(struct crash_ledger *ledger, const struct crash_job *job,
                           const struct answer *answer)
{
    if (strcmp(answer_member(answer, "result"), job->request->result) == 0) return;
    ledger->changed++;
    ledger_fault(ledger, "%s: not the result of an undisturbed run", job->id);
}

static void see_end(struct crash_ledger *ledger, struct crash_job *job, const struct answer *answer)
{
    job->ended = true;
    if (strcmp(job->state, "succeeded") == 0) compare_result(ledger, job, answer);
    if (strcmp(job->state, "cancelled") == 0 && !job->cancelling)
        ledger_fault(ledger, "%s: cancelled by nobody", job->id);
    if (strcmp(job->state, "failed") != 0) return;
    job->crashed = strstr(answer_member(answer, "error"), "problem:crashed\"") != NULL;
    if (!job->crashed) ledger_fault(ledger, "%s: failed: %.300s", job->id, answer->body);
}

static void see_progress(struct crash_ledger *ledger, const struct crash_job *job,
                         const struct answer *answer)
{
    unsigned long long done, total;
    const char *progress = answer_member(answer, "progress");
    if (sscanf(progress, "{\"done\":%llu,\"total\":%llu}", &done, &total) != 2 || done > total)
        ledger_fault(ledger, "%s: progress %s", job->id, progress);
    else if (done < total && strcmp(job->state, "succeeded") == 0)
        ledger_fault(ledger, "%s: succeeded with %s", job->id, progress);
}

void ledger_see(struct crash_ledger *ledger, struct crash_job *job, const struct answer *answer)
{
    char state[16], owner[32];
    copy_member(answer, "state", state, sizeof state);
    copy_member(answer, "owner", owner, sizeof owner);
    if (!shows_job(answer, job->id)) ledger_fault(ledger, "%s: got another job", job->id);
    if (strcmp(owner, ledger->owner) != 0)
        ledger_fault(ledger, "%s: belongs to %s, not %s", job->id, owner, ledger->owner);
    compare(ledger, job, state, answer);
    memcpy(job->state, state, sizeof state);
    see_progress(ledger, job, answer);
    if (is_final(state)) see_end(ledger, job, answer);
}

void ledger_miss(struct crash_ledger *ledger, struct crash_job *job)
{
    if (job->removed) return;
    job->removed = true;
    if (job->removing) return;
    ledger->lost++;
    ledger_fault(ledger, "%s: lost (it was %s)", job->id, job->state);
}

size_t ledger_add(struct crash_ledger *ledger, const struct crash_request *request,
                  const struct answer *answer)
{
    if (ledger->count == ledger->capacity) {
        ledger->capacity = 2 * ledger->capacity + 256;
        ledger->job = realloc(ledger->job, ledger->capacity * sizeof *ledger->job);
        ck_assert_ptr_nonnull(ledger->job);
    }
    struct crash_job *job = &ledger->job[ledger->count];
    *job = (struct crash_job){.request = request};
    copy_member(answer, "id", job->id, sizeof job->id);
    ledger_see(ledger, job, answer);
    return ledger->count++;
}
