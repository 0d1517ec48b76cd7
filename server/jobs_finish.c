/* How a job goes out: its result is encoded, stored, and told. */
#include "server/clock.h"
#include "server/codec_report.h"
#include "server/jobs_table.h"
#include "server/log.h"

/* What a check or training that went through came to; a fault becomes the problem. */
static void encode_check(const struct job *job, struct job_record *record, struct problem *problem)
{
    gck_report *report;
    gck_error error;
    if (gck_check_report(job->check, &report, &error) != GCK_OK) {
        problem_from_error(problem, "", &error);
        return;
    }
    record->result = codec_check_result(job->spec, report);
    record->summary = codec_check_summary(report);
    gck_report_free(report);
}

static void encode_training(const struct job *job, struct job_record *record)
{
    const gck_train_result result = gck_train_result_of(job->train);
    record->result = codec_training_result(&result);
    record->summary = codec_training_summary(&result);
}

static void encode(const struct job *job, struct job_record *record, struct problem *problem)
{
    if (job->check != NULL)
        encode_check(job, record, problem);
    else
        encode_training(job, record);
    if (record->result == NULL || record->summary == NULL)
        problem_set(problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
}

/* A training's parameters are there however it ended. */
static void keep_parameters(const struct job *job, struct job_record *record,
                            struct problem *problem)
{
    if (job->train == NULL) return;
    const gck_train_result result = gck_train_result_of(job->train);
    record->parameters =
        blob_copy(result.parameters, job->spec->model->parameter_count * sizeof *result.parameters);
    if (record->parameters == NULL) problem_set(problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
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

static void make_record(struct job *job, struct job_record *record)
{
    struct problem problem;
    const enum job_state state = job_outcome(job, &problem);
    job_last_snapshot(job, record);
    record->state = state;
    keep_parameters(job, record, &problem);
    if (state == JOB_SUCCEEDED) encode(job, record, &problem);
    if (problem.type != PROBLEM_NONE) record_fail(record, &problem);
    record->finished_ms = clock_wall_ms();
    record->version++;
}

void jobs_finish(struct jobs *jobs, struct job *job)
{
    pthread_mutex_lock(&job->lock);
    const bool refused = job->acceptance == ACCEPT_REFUSED;
    pthread_mutex_unlock(&job->lock);
    if (refused) {
        table_leave(jobs, job);
        return;
    }
    struct store_write *end = &job->end;
    *end = (struct store_write){.done = end_stored, .context = job_ref(job)};
    make_record(job, &end->record);
    progress_drop(jobs->progress, job);
    end->change = take_acceptance(jobs, job) ? STORE_ADD : STORE_PUT;
    end->patient = end->change == STORE_PUT;
    jobs->store->operations->submit(jobs->store, end);
}
