/* Probes: jobs whose work their owner does, round by round. */
#include "server/clock.h"
#include "server/codec_probe.h"
#include "server/codec_spec.h"
#include "server/jobs_table.h"

#include <stdlib.h>
#include <string.h>

/* For how long an answer waits for the end to be stored. */
#define LEAVE_NS INT64_C(5000000000)

/* One round, as its owner sends it. */
struct round {
    size_t number, count;
    const double *value;
};

/* ---- a probe that has ended ---- */

static bool fail_ended(const struct job_record *record, struct problem *problem)
{
    return problem_set(problem, PROBLEM_CONFLICT, "the probe is %s: it takes no values any more",
                       job_state_name(record->state));
}

/* The probe's work, from its request and the values that it was given. */
static struct probe_work *work_of(const struct jobs *jobs, const struct job_record *record,
                                  struct spec **ret_spec, struct problem *problem)
{
    struct probe_work *work = NULL;
    gck_error error;
    *ret_spec = codec_spec_decode(JOB_PROBE, record->request, &jobs->limits, problem);
    if (*ret_spec == NULL) return NULL;
    const double *history = record->parameters == NULL ? NULL : (void *)record->parameters->data;
    const size_t count = blob_size(record->parameters) / sizeof *history;
    if (probe_work_again((*ret_spec)->probe, history, count, &work, &error) != GCK_OK)
        problem_from_error(problem, "", &error);
    return work;
}

/* The answer that an earlier round had, or none while the result is being stored; the work's lock
 * is held, or nobody else has it. */
static bool answer_again(const struct probe_work *work, const char *id, const struct round *round,
                         const struct blob *result, struct blob **ret_answer,
                         struct problem *problem)
{
    gck_session *session;
    gck_error error;
    if (!probe_work_had(work, round->number, round->value, round->count))
        return problem_set(problem, PROBLEM_CONFLICT, "round %zu was given other values",
                           round->number);
    if (round->number == work->count && gck_session_asked(work->session) == 0) {
        if (result == NULL) return true;
        *ret_answer = codec_probe_end(id, round->number, result);
        return *ret_answer != NULL || problem_memory(problem);
    }
    if (probe_work_replay(work, round->number, &session, &error) != GCK_OK)
        return problem_from_error(problem, "", &error);
    *ret_answer = codec_probe_ask(session, work->probe, id);
    gck_session_free(session);
    return *ret_answer != NULL || problem_memory(problem);
}

static bool take_ended(struct jobs *jobs, const struct job_record *record,
                       const struct round *round, struct blob **ret_answer, struct problem *problem)
{
    struct spec *spec;
    if (record->state != JOB_SUCCEEDED) return fail_ended(record, problem);
    struct probe_work *work = work_of(jobs, record, &spec, problem);
    const bool answered = work != NULL && (round->number <= work->count
                                               ? answer_again(work, record->id, round,
                                                              record->result, ret_answer, problem)
                                               : fail_ended(record, problem));
    probe_work_free(work);
    spec_free(spec);
    return answered;
}

/* ---- a probe that waits for values ---- */

static bool store_round(struct jobs *jobs, const struct job *job, const struct round *round,
                        struct problem *problem)
{
    struct store_write write = {.change = STORE_GRAIN,
                                .grain = {.index = round->number,
                                          .bytes = round->value,
                                          .size = round->count * sizeof *round->value}};
    memcpy(write.record.id, job->record.id, sizeof job->record.id);
    return store_problem(store_do(jobs->store, &write), problem);
}

/* The round that is asked for: kept, then taken. ret_ended: the job has ended with it. */
static bool take_next(struct jobs *jobs, struct job *job, const struct round *round,
                      bool *ret_ended, struct problem *problem)
{
    struct probe_work *work = job->probe;
    const size_t asked = gck_session_asked(work->session);
    gck_error error = {0};
    if (round->count != asked && asked > 0)
        return problem_set(problem, PROBLEM_INVALID, "round %zu asks for %zu values, got %zu",
                           round->number, asked, round->count);
    if (!job_begin_round(job))
        return problem_set(problem, PROBLEM_CONFLICT, "the probe has ended: it takes no values");
    const bool stored = store_round(jobs, job, round, problem);
    const gck_status status =
        stored ? probe_work_take(work, round->value, round->count, &error) : GCK_OK;
    *ret_ended = job_end_round(job, status, gck_session_asked(work->session) == 0, &error);
    return stored;
}

/* Without an answer where nothing is asked any more; the lock is held. */
static bool take_locked(struct jobs *jobs, struct job *job, const struct round *round,
                        struct blob **ret_answer, bool *ret_ended, struct problem *problem)
{
    struct probe_work *work = job->probe;
    if (round->number <= work->count)
        return answer_again(work, job->record.id, round, NULL, ret_answer, problem);
    if (round->number > work->count + 1)
        return problem_set(problem, PROBLEM_CONFLICT, "round %zu is asked for, not %zu",
                           work->count + 1, round->number);
    if (!take_next(jobs, job, round, ret_ended, problem)) return false;
    if (*ret_ended || gck_session_asked(work->session) == 0) return true;
    *ret_answer = codec_probe_ask(work->session, work->probe, job->record.id);
    return *ret_answer != NULL || problem_memory(problem);
}

/* ---- either ---- */

/* The record of a probe that the user may read; `parts` of one that has ended. */
static bool find(struct jobs *jobs, const struct user *user, const char *id, unsigned parts,
                 struct job_record *ret_record, struct problem *problem)
{
    if (!jobs_get(jobs, user, id, parts, ret_record, problem)) return false;
    if (ret_record->kind == JOB_PROBE) return true;
    job_record_done(ret_record);
    return problem_set(problem, PROBLEM_NOT_FOUND, "there is no such probe");
}

/* Likewise, and change. */
static bool find_mine(struct jobs *jobs, const struct user *user, const char *id, unsigned parts,
                      struct job_record *ret_record, struct problem *problem)
{
    const struct scope scope = user_changes(user);
    if (!find(jobs, user, id, parts, ret_record, problem)) return false;
    if (scope_has(&scope, ret_record->owner, ret_record->shared)) return true;
    job_record_done(ret_record);
    return problem_set(problem, PROBLEM_FORBIDDEN, "only the probe's owner may do this");
}

/* The result, once it is stored. */
static bool answer_result(struct jobs *jobs, const struct user *user, const char *id,
                          struct blob **ret_answer, struct problem *problem)
{
    struct job_record record;
    if (!find(jobs, user, id, PART_RESULT | PART_PARAMETERS, &record, problem)) return false;
    size_t rounds = 0;
    const double *history = record.parameters == NULL ? NULL : (void *)record.parameters->data;
    const size_t count = blob_size(record.parameters) / sizeof *history;
    for (size_t at = 0; at < count; at += 1 + (size_t)history[at])
        rounds++;
    bool answered = record.state == JOB_SUCCEEDED || fail_ended(&record, problem);
    if (answered) *ret_answer = codec_probe_end(id, rounds, record.result);
    answered = answered && (*ret_answer != NULL || problem_memory(problem));
    job_record_done(&record);
    return answered;
}

static bool take_active(struct jobs *jobs, const struct user *user, struct job *job,
                        const struct round *round, struct blob **ret_answer,
                        struct problem *problem)
{
    bool ended = false;
    pthread_mutex_lock(&job->probe->lock);
    const bool taken = take_locked(jobs, job, round, ret_answer, &ended, problem);
    pthread_mutex_unlock(&job->probe->lock);
    if (ended) jobs_finish(jobs, job);
    if (!taken || *ret_answer != NULL) return taken;
    job_await_leave(job, clock_monotonic_ns() + LEAVE_NS);
    return answer_result(jobs, user, job->record.id, ret_answer, problem);
}

bool jobs_probe_take(struct jobs *jobs, const struct user *user, const char *id, size_t number,
                     const double *value, size_t count, struct blob **ret_answer,
                     struct problem *problem)
{
    const struct round round = {number, count, value};
    struct job_record record;
    *ret_answer = NULL;
    if (!find_mine(jobs, user, id, PARTS_ALL, &record, problem)) return false;
    struct job *job = table_find(jobs, id);
    const bool taken = job != NULL ? take_active(jobs, user, job, &round, ret_answer, problem)
                                   : take_ended(jobs, &record, &round, ret_answer, problem);
    job_unref(job);
    job_record_done(&record);
    return taken;
}

bool jobs_probe_ask(struct jobs *jobs, const struct user *user, const char *id,
                    struct blob **ret_answer, struct problem *problem)
{
    struct job_record record;
    *ret_answer = NULL;
    if (!find(jobs, user, id, 0, &record, problem)) return false;
    job_record_done(&record);
    struct job *job = table_find(jobs, id);
    if (job == NULL) return answer_result(jobs, user, id, ret_answer, problem);
    pthread_mutex_lock(&job->probe->lock);
    const bool asks = gck_session_asked(job->probe->session) > 0;
    if (asks) *ret_answer = codec_probe_ask(job->probe->session, job->probe->probe, id);
    pthread_mutex_unlock(&job->probe->lock);
    if (!asks) job_await_leave(job, clock_monotonic_ns() + LEAVE_NS);
    job_unref(job);
    if (!asks) return answer_result(jobs, user, id, ret_answer, problem);
    return *ret_answer != NULL || problem_memory(problem);
}

void jobs_probe_expire(struct jobs *jobs)
{
    size_t count;
    struct job **job = table_copy(jobs, &count);
    for (size_t i = 0; i < count; i++) {
        if (job[i]->probe != NULL && job_expire(job[i])) jobs_finish(jobs, job[i]);
        job_unref(job[i]);
    }
    free(job);
}
