/* How a job goes out: its result is encoded, stored, and told. */
#include "server/clock.h"
#include "server/codec_report.h"
#include "server/jobs_table.h"
#include "server/log.h"

/* What is wrong with a claim that fails, and which mistakes the check would catch. */
static gck_status find(struct job *job, gck_report *report, struct check_findings *ret_findings,
                       gck_error *error)
{
    const gck_check_spec *check = &job->spec->check;
    const gck_stop stop = job_stop(job);
    gck_status status = GCK_OK;
    if (check->claim != NULL && report->verdict == GCK_FAIL)
        status = gck_findings_new(check, report, stop, &ret_findings->findings, error);
    if (status != GCK_OK || !job->spec->sensitivity) return status;
    status = gck_sensitivity(check, report, stop, &ret_findings->sensitivity_count,
                             &ret_findings->sensitivity, error);
    if (status != GCK_OK) return status;
    return gck_sensitivity_warn(check, ret_findings->sensitivity_count, ret_findings->sensitivity,
                                report, error);
}

/* What a check or training that went through came to: the result and summary, unless there is a
 * problem, or it was stopped. */
static gck_status encode_check(struct job *job, struct job_record *record, struct problem *problem)
{
    gck_report *report = NULL;
    struct check_findings findings = {0};
    gck_error error;
    gck_status status = gck_check_report(job->check, &report, &error);
    if (status == GCK_OK) status = find(job, report, &findings, &error);
    if (status == GCK_OK) {
        record->result = codec_check_result(job->spec, report, &findings);
        record->summary = codec_check_summary(report);
    } else if (status != GCK_STOPPED) {
        problem_from_error(problem, "", &error);
    }
    check_findings_done(&findings);
    gck_report_free(report);
    return status;
}

static void encode_training(const struct job *job, struct job_record *record)
{
    const gck_train_result result = gck_train_result_of(job->train);
    record->result = codec_training_result(&result);
    record->summary = codec_training_summary(&result);
}

/* False when a server that stops left the job as it was. */
static bool encode(struct job *job, struct job_record *record, struct problem *problem)
{
    if (job->check == NULL)
        encode_training(job, record);
    else if (encode_check(job, record, problem) == GCK_STOPPED)
        return job_break_off(job);
    if (record->result == NULL || record->summary == NULL) problem_memory(problem);
    return true;
}

/* A training's parameters are there however it ended. */
static void keep_parameters(const struct job *job, struct job_record *record,
                            struct problem *problem)
{
    if (job->train == NULL) return;
    const gck_train_result result = gck_train_result_of(job->train);
    record->parameters =
        blob_copy(result.parameters, job->spec->model->parameter_count * sizeof *result.parameters);
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
