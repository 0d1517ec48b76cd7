/* Routes about one job: making, reading, waiting, sharing, stopping. */
#include "server/codec_job.h"
#include "server/codec_patch.h"
#include "server/codec_report.h"
#include "server/codec_spec.h"
#include "server/header.h"
#include "server/route_submit.h"

#include <stdio.h>
#include <string.h>

static void reply_with_job(struct request *request, struct reply *reply, int status,
                           const struct job_record *record)
{
    snprintf(reply->etag, sizeof reply->etag, "\"%s-%llu\"", record->id,
             (unsigned long long)record->version);
    reply_json(reply, status, codec_job(record), request->id);
}

/* How long the client would wait; notes what was honoured. 0: not at all. */
static int wait_of(const struct request *request, struct reply *reply)
{
    const int seconds = header_prefer_wait(request->prefer);
    if (seconds >= 0)
        snprintf(reply->preference_applied, sizeof reply->preference_applied, "wait=%d", seconds);
    return seconds > 0 ? seconds : 0;
}

static enum route_outcome wait_for(struct reply *reply, const char *id, int seconds)
{
    snprintf(reply->wait_job, sizeof reply->wait_job, "%s", id);
    reply->wait_seconds = seconds;
    return ROUTE_WAIT;
}

/* ---- making ---- */

static void reply_to_create(struct request *request, struct reply *reply, int status,
                            const struct job_record *record)
{
    snprintf(reply->location, sizeof reply->location, "/v1/jobs/%s", record->id);
    reply_with_job(request, reply, status, record);
}

/* The job that was submitted, or found under its key, as it is now. */
static bool created(struct service *service, struct request *request, struct job_record *ret_record,
                    struct problem *problem)
{
    return request->submitted != NULL ? jobs_accepted(service->jobs, request->submitted,
                                                      &request->user, ret_record, problem)
                                      : jobs_get(service->jobs, &request->user, request->job,
                                                 PART_RESULT, ret_record, problem);
}

/* The last word: 202 with a job that nobody waited for, whatever became of it by now; otherwise 200
 * once it has ended. */
static enum route_outcome conclude(struct request *request, struct reply *reply, bool is_new,
                                   const struct job_record *record)
{
    const bool ended = job_state_is_final(record->state);
    reply_to_create(request, reply, ended && !is_new ? 200 : 202, record);
    return ROUTE_REPLY;
}

static enum route_outcome create(struct service *service, struct request *request,
                                 struct reply *reply, enum job_kind kind)
{
    struct problem problem = {0};
    struct job_record record;
    bool found = false;
    const int seconds = wait_of(request, reply);
    const bool waits = !request->woken && seconds > 0;
    if (!request->woken && !route_submit(service, request, kind, waits, &found, &record, &problem))
        return route_fail(request, reply, &problem);
    if (waits && !found) return wait_for(reply, request->submitted->record.id, seconds);
    if (!found && !created(service, request, &record, &problem))
        return route_fail(request, reply, &problem);
    enum route_outcome outcome;
    if (waits && !job_state_is_final(record.state)) {
        memcpy(request->job, record.id, sizeof request->job);
        outcome = wait_for(reply, record.id, seconds);
    } else {
        outcome = conclude(request, reply, !found && seconds <= 0, &record);
    }
    job_record_done(&record);
    return outcome;
}

enum route_outcome route_check_create(struct service *service, struct request *request,
                                      struct reply *reply)
{
    return create(service, request, reply, JOB_CHECK);
}

enum route_outcome route_training_create(struct service *service, struct request *request,
                                         struct reply *reply)
{
    return create(service, request, reply, JOB_TRAINING);
}

/* ---- reading ---- */

enum route_outcome route_job_get(struct service *service, struct request *request,
                                 struct reply *reply)
{
    struct problem problem = {0};
    struct job_record record;
    if (!jobs_get(service->jobs, &request->user, request->job, PART_RESULT, &record, &problem))
        return route_fail(request, reply, &problem);
    const int seconds = wait_of(request, reply);
    enum route_outcome outcome = ROUTE_REPLY;
    if (!request->woken && seconds > 0 && !job_state_is_final(record.state)) {
        outcome = wait_for(reply, record.id, seconds);
    } else {
        reply_with_job(request, reply, 200, &record);
        if (header_matches_etag(request->if_none_match, reply->etag)) {
            blob_unref(reply->body);
            reply->body = NULL;
            reply->status = 304;
        }
    }
    job_record_done(&record);
    return outcome;
}

enum route_outcome route_job_request(struct service *service, struct request *request,
                                     struct reply *reply)
{
    struct problem problem = {0};
    struct job_record record;
    if (!jobs_get(service->jobs, &request->user, request->job, PART_REQUEST, &record, &problem))
        return route_fail(request, reply, &problem);
    reply_json(reply, 200, blob_ref(record.request), request->id);
    job_record_done(&record);
    return ROUTE_REPLY;
}

/* Whether what an answer of so many numbers takes while it is made is within the limit. */
static bool answer_fits(struct service *service, double numbers, struct problem *problem)
{
    const double bytes = numbers * REPORT_BYTES_A_NUMBER;
    const size_t limit = service->config->limits.job_bytes;
    return bytes <= (double)limit ||
           problem_set(problem, PROBLEM_TOO_LARGE,
                       "%.0f numbers are too many for one answer: %.3g bytes, and the limit is %zu",
                       numbers, bytes, limit);
}

static double mask_numbers(const struct spec *spec)
{
    double numbers = 0;
    for (size_t i = 0; i < spec->model->layer_count; i++)
        if (gck_layer_has_mask(&spec->model->layer[i]))
            numbers += (double)spec->model->layer[i].outputs * (double)spec->data->samples;
    return numbers;
}

/* A check's parameters are those of its request, given or drawn. */
static struct blob *check_parameters(struct service *service, const struct job_record *record,
                                     struct problem *problem)
{
    struct spec *spec =
        codec_spec_decode(JOB_CHECK, record->request, &service->config->limits, problem);
    if (spec == NULL) return NULL;
    struct blob *body = NULL;
    const double numbers = (double)spec->model->parameter_count + mask_numbers(spec);
    if (answer_fits(service, numbers, problem))
        body =
            codec_parameters(spec->model, &spec->convention, spec->parameters, spec->data->samples);
    spec_free(spec);
    return body;
}

static struct blob *training_parameters(struct service *service, const struct job_record *record,
                                        struct problem *problem)
{
    if (record->parameters == NULL) {
        problem_set(problem, PROBLEM_CONFLICT, "the training is %s: it has no parameters%s",
                    job_state_name(record->state), job_state_is_final(record->state) ? "" : " yet");
        return NULL;
    }
    struct written_model written;
    if (!codec_spec_model(record->request, &service->config->limits, &written, problem))
        return NULL;
    struct blob *body = NULL;
    if (answer_fits(service, (double)written.model->parameter_count, problem))
        body =
            codec_parameters(written.model, &written.convention, job_record_parameters(record), 0);
    gck_model_free(written.model);
    return body;
}

static struct blob *parameters_of(struct service *service, const struct job_record *record,
                                  struct problem *problem)
{
    if (record->kind == JOB_CHECK) return check_parameters(service, record, problem);
    if (record->kind == JOB_TRAINING) return training_parameters(service, record, problem);
    problem_set(problem, PROBLEM_CONFLICT, "a %s has no parameters", job_kind_name(record->kind));
    return NULL;
}

enum route_outcome route_job_parameters(struct service *service, struct request *request,
                                        struct reply *reply)
{
    struct problem problem = {0};
    struct job_record record;
    if (!jobs_get(service->jobs, &request->user, request->job, PART_REQUEST | PART_PARAMETERS,
                  &record, &problem))
        return route_fail(request, reply, &problem);
    struct blob *body = parameters_of(service, &record, &problem);
    job_record_done(&record);
    if (problem.type != PROBLEM_NONE) return route_fail(request, reply, &problem);
    reply_json(reply, 200, body, request->id);
    return ROUTE_REPLY;
}

/* ---- predictions ---- */

/* Predictions are answered on the request pool, so they must be short: about 5 s. */
#define PREDICT_OPERATIONS 2e10

static bool prediction_is_short(const gck_model *model, const gck_data *data,
                                struct problem *problem)
{
    const double operations = 2 * gck_model_operations(model) * (double)data->samples;
    return operations <= PREDICT_OPERATIONS ||
           problem_set(problem, PROBLEM_TOO_LARGE,
                       "these predictions need an estimated %.3g operations; the limit is %.3g",
                       operations, PREDICT_OPERATIONS);
}

static struct blob *predict(struct service *service, const struct request *request,
                            const struct written_model *written, const double *parameters,
                            struct problem *problem)
{
    const gck_model *model = written->model;
    gck_data *data = NULL;
    bool with_y;
    if (!codec_prediction_decode(request->body, &service->config->limits, written, &data, &with_y,
                                 problem))
        return NULL;
    if (!prediction_is_short(model, data, problem)) {
        gck_data_free(data);
        return NULL;
    }
    gck_error error;
    gck_evaluation evaluation;
    const gck_stop never = {0};
    struct blob *body = NULL;
    double *y = gck_vector_new(data->samples * model->outputs);
    gck_status status =
        y == NULL ? gck_error_memory(&error)
                  : gck_predict(model, parameters, data->x, data->samples, never, y, &error);
    if (status == GCK_OK && with_y)
        status = gck_evaluate(model, parameters, data, never, &evaluation, &error);
    if (status == GCK_OK)
        body = codec_predictions(written, data, y, with_y ? &evaluation : NULL);
    else
        problem_from_error(problem, "", &error);
    gck_vector_free(y);
    gck_data_free(data);
    return body;
}

static struct blob *predictions(struct service *service, const struct request *request,
                                const struct job_record *record, struct problem *problem)
{
    if (record->kind != JOB_TRAINING || record->state != JOB_SUCCEEDED) {
        problem_set(problem, PROBLEM_CONFLICT,
                    "only a succeeded training can predict; this %s is %s",
                    job_kind_name(record->kind), job_state_name(record->state));
        return NULL;
    }
    struct written_model written;
    if (!codec_spec_model(record->request, &service->config->limits, &written, problem))
        return NULL;
    struct blob *body = predict(service, request, &written, job_record_parameters(record), problem);
    gck_model_free(written.model);
    return body;
}

enum route_outcome route_job_predictions(struct service *service, struct request *request,
                                         struct reply *reply)
{
    struct problem problem = {0};
    struct job_record record;
    if (!jobs_get(service->jobs, &request->user, request->job, PART_REQUEST | PART_PARAMETERS,
                  &record, &problem))
        return route_fail(request, reply, &problem);
    struct blob *body = predictions(service, request, &record, &problem);
    job_record_done(&record);
    if (problem.type != PROBLEM_NONE) return route_fail(request, reply, &problem);
    reply_json(reply, 200, body, request->id);
    return ROUTE_REPLY;
}

/* ---- stopping and removing ---- */

static bool read_purge(const struct request *request, bool *ret_purge, struct problem *problem)
{
    const char *purge = request_argument(request, "purge");
    *ret_purge = purge != NULL && strcmp(purge, "true") == 0;
    return purge == NULL || *ret_purge || strcmp(purge, "false") == 0 ||
           problem_set(problem, PROBLEM_BAD_REQUEST, "purge must be true or false");
}

enum route_outcome route_job_delete(struct service *service, struct request *request,
                                    struct reply *reply)
{
    struct problem problem = {0};
    bool purge, pending;
    if (!read_purge(request, &purge, &problem)) return route_fail(request, reply, &problem);
    if (purge) {
        if (!jobs_purge(service->jobs, &request->user, request->job, &problem))
            return route_fail(request, reply, &problem);
        reply->status = 204;
        return ROUTE_REPLY;
    }
    struct job_record record;
    if (!jobs_cancel(service->jobs, &request->user, request->job, &record, &pending, &problem))
        return route_fail(request, reply, &problem);
    reply_with_job(request, reply, pending ? 202 : 200, &record);
    job_record_done(&record);
    return ROUTE_REPLY;
}

/* ---- sharing ---- */

enum route_outcome route_job_patch(struct service *service, struct request *request,
                                   struct reply *reply)
{
    struct problem problem = {0};
    struct job_record record;
    bool shared;
    if (!codec_patch_decode(request->body, &service->config->limits, &shared, &problem) ||
        !jobs_share(service->jobs, &request->user, request->job, shared, &record, &problem))
        return route_fail(request, reply, &problem);
    reply_with_job(request, reply, 200, &record);
    job_record_done(&record);
    return ROUTE_REPLY;
}
