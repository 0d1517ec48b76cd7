#include "tests/server/work.h"
#include "core/check.h"
#include "server/codec_report.h"
#include "tests/server/bodies.h"

#include <check.h>
#include <stdlib.h>

enum { JOB_SECONDS = 3600 };

static struct job *job_of(enum job_kind kind, struct blob *body)
{
    struct problem problem = {0};
    struct spec *spec = spec_of(kind, body);
    struct job_record record = {.id = "x", .kind = kind, .priority = spec->priority};
    struct job *job = job_new(spec, &record, JOB_SECONDS, &problem);
    ck_assert_msg(job != NULL, "%s", problem.detail);
    return job;
}

/* Row by row and unit by unit, where the core would take all of it as one piece. */
static void cut_small(struct job *job)
{
    check_recut(job->check, 1, 1);
    ck_assert_uint_eq(job->check->cut.grain_count, GRAINS);
    free(job->grain);
    job->grain = calloc(GRAINS, sizeof *job->grain);
    ck_assert_ptr_nonnull(job->grain);
}

struct job *check_job(const char *more)
{
    struct job *job = job_of(
        JOB_CHECK, body_of("{'model': {'input_shape': [1], 'cost': 'mse',"
                           " 'layers': [{'type': 'dense', 'units': 4, 'activation': 'relu'}]},"
                           " 'data': {'x': [[1], [-2]], 'y': [[0, 1, 0, 1], [1, 0, 1, 0]]}%s}",
                           more));
    cut_small(job);
    return job;
}

struct job *training_job(const char *more)
{
    return job_of(JOB_TRAINING, body_of("{'model': " MODEL ", 'data': " DATA
                                        ", 'training': {'epochs': %d, 'batch_size': 1}%s}",
                                        EPOCHS, more));
}

struct job *probe_job(void)
{
    return job_of(JOB_PROBE, body_of("{'theta': {'w': [1]}, 'claimed': {'w': [1]}}"));
}

size_t must_take(struct job *job)
{
    size_t grain = 0;
    ck_assert(job_take(job, &grain));
    return grain;
}

bool can_take(struct job *job)
{
    size_t grain;
    return job_take(job, &grain);
}

gck_partial grain_of(struct job *job, size_t grain)
{
    gck_partial partial = {0};
    gck_error error;
    const gck_status status =
        gck_check_grain(job->check, grain, NULL, job_stop(job), &partial, &error);
    ck_assert_msg(status == GCK_OK, "%s", error.text);
    return partial;
}

bool hand_in(struct job *job, size_t grain)
{
    gck_partial partial = grain_of(job, grain);
    return job_hand_in(job, grain, GCK_OK, &partial, NULL);
}

bool hand_in_stopped(struct job *job, size_t grain)
{
    gck_partial none = {0};
    gck_error error;
    return job_hand_in(job, grain, gck_error_set(&error, GCK_STOPPED, "", "stopped"), &none,
                       &error);
}

int work_off(struct job *job)
{
    size_t grain;
    int finishes = 0;
    while (job_take(job, &grain)) {
        gck_partial partial = {0};
        gck_error error;
        const gck_status status =
            gck_check_grain(job->check, grain, NULL, job_stop(job), &partial, &error);
        finishes += job_hand_in(job, grain, status, &partial, &error);
    }
    return finishes;
}

bool hand_back(struct job *job, size_t units)
{
    bool finished = false;
    gck_error error;
    const gck_status status = gck_train_step(job->train, units, &finished, &error);
    return job_hand_back(job, status, finished, &error);
}

enum job_state outcome_of(struct job *job)
{
    struct problem problem = {0};
    return job_outcome(job, &problem);
}

enum job_state state_of(struct job *job)
{
    struct job_record record = {0};
    ck_assert(job_snapshot(job, &record));
    const enum job_state state = record.state;
    job_record_done(&record);
    return state;
}

const char *result_of(struct job *job)
{
    gck_report *report;
    gck_error error;
    ck_assert_int_eq(gck_check_report(job->check, &report, &error), GCK_OK);
    struct blob *result = codec_check_result(job->spec, report, NULL);
    gck_report_free(report);
    return text_of(result);
}
