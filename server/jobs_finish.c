/* How a job goes out: its result is encoded, stored, and told. */
#include "server/clock.h"
#include "server/codec_outcome.h"
#include "server/codec_probe.h"
#include "server/codec_report.h"
#include "server/jobs_table.h"
#include "server/log.h"

/* What a probe came to: the result and summary, unless there is a problem. */
static void encode_probe(struct job *job, struct job_record *record, struct problem *problem)
{
    gck_session_result *result = NULL;
    gck_error error;
    if (gck_session_result_new(job->probe->session, &result, &error) != GCK_OK) {
        problem_from_error(problem, "", &error);
        return;
    }
    record->result = codec_probe_result(result, job->spec->probe->core.dtype);
    record->summary = codec_probe_summary(result);
    gck_session_result_free(result);
}

/* What a check or training that went through came to, likewise, unless it was stopped. */
static gck_status encode_work(struct job *job, struct job_record *record, struct problem *problem)
{
    struct outcome outcome = {0};
    gck_status status = GCK_OK;
    if (job->train != NULL)
        outcome = codec_training_outcome(job->train);
    else
        status = codec_check_outcome(job->spec, job->check, job_stop(job), &outcome, problem);
    record->result = outcome.result;
    record->summary = outcome.summary;
    return status;
}

/* False when a server that stops left the job as it was. */
static bool encode(struct job *job, struct job_record *record, struct problem *problem)
{
    if (job->probe != NULL)
        encode_probe(job, record, problem);
    else if (encode_work(job, record, problem) == GCK_STOPPED)
        return job_break_off(job);
    if (record->result == NULL || record->summary == NULL) problem_memory(problem);
    return true;
}

/* A training's parameters are there however it ended; and the values that a probe was given, so
 * that its last round can be sent again. */
static void keep_parameters(const struct job *job, struct job_record *record,
                            struct problem *problem)
{
    if (job->train != NULL) {
        const gck_train_result result = gck_train_result_of(job->train);
        record->parameters = blob_copy(result.parameters, job->spec->model->parameter_count *
                                                              sizeof *result.parameters);
    } else if (job->probe != NULL) {
        size_t count;
        double *history = probe_work_history(job->probe, &count);
        record->parameters =
            history == NULL ? NULL : blob_take((char *)history, count * sizeof *history);
    } else {
        return;
    }
    if (record->parameters == NULL) problem_memory(problem);
}

void record_fail(struct job_record *record, const struct problem *problem)
{
    blob_unref(record->result);
    blob_unref(record->summary);
    record->result = record->summary = NULL;
    record->state = JOB_FAILED;
    record->error = codec_problem(problem, NULL);
}

/* A result that no store can take. */
static bool fails_by_size(struct store_write *write, enum store_status status)
{
    if (status != STORE_FULL || write->change != STORE_PUT || write->record.state == JOB_FAILED)
        return false;
    struct problem problem = {0};
    problem_set(&problem, PROBLEM_STORAGE_FULL, "the result is too large to be stored");
    blob_unref(write->record.parameters);
    write->record.parameters = NULL;
    record_fail(&write->record, &problem);
    return true;
}

static void end_stored(struct store_write *write, enum store_status status)
{
    struct job *job = write->context;
    struct jobs *jobs = job->jobs;
    if (fails_by_size(write, status)) {
        jobs->store->operations->submit(jobs->store, write);
        return;
    }
    if (write->change == STORE_ADD) job_settle(job, status);
    if (status == STORE_OK)
        log_info("job", "id=%s kind=%s state=%s seconds=%.6f", write->record.id,
                 job_kind_name(write->record.kind), job_state_name(write->record.state),
                 write->record.seconds);
    else if (status != STORE_NOT_FOUND) /* its acceptance was refused */
        log_error("store", "job=%s status=%d", write->record.id, status);
    job_record_done(&write->record);
    table_leave(jobs, job);
    job_unref(job);
}

/* Whether the acceptance was still held back: then it is made together with the end. */
static bool take_acceptance(struct jobs *jobs, struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool pending = job->acceptance == ACCEPT_PENDING;
    pthread_mutex_unlock(&job->lock);
    if (!pending || !jobs->store->operations->withdraw(jobs->store, &job->accept)) return false;
    job_record_done(&job->accept.record);
    job_unref(job);
    return true;
}

/* Takes what was encoded over; it is there for a job that succeeded alone. */
static void put_result(struct job_record *from, struct job_record *record)
{
    record->result = from->result;
    record->summary = from->summary;
}

static bool make_record(struct job *job, struct job_record *record)
{
    struct job_record encoded = {0};
    struct problem problem = {0}, of_encoding = {0};
    if (job_is_complete(job) && !encode(job, &encoded, &of_encoding)) return false;
    const enum job_state state = job_outcome(job, &problem);
    job_last_snapshot(job, record);
    record->state = state;
    keep_parameters(job, record, &problem);
    put_result(&encoded, record);
    if (problem.type == PROBLEM_NONE) problem = of_encoding;
    if (problem.type != PROBLEM_NONE) record_fail(record, &problem);
    record->finished_ms = clock_wall_ms();
    record->version++;
    return true;
}

bool jobs_finish(struct jobs *jobs, struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool refused = job->acceptance == ACCEPT_REFUSED;
    pthread_mutex_unlock(&job->lock);
    if (refused) {
        table_leave(jobs, job);
        return true;
    }
    struct store_write *end = &job->end;
    *end = (struct store_write){.done = end_stored};
    if (!make_record(job, &end->record)) return false;
    end->context = job_ref(job);
    progress_drop(jobs->progress, job);
    end->change = take_acceptance(jobs, job) ? STORE_ADD : STORE_PUT;
    end->patient = end->change == STORE_PUT;
    jobs->store->operations->submit(jobs->store, end);
    return true;
}
