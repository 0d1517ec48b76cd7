#include "fault_requests.h"
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <string.h>

static const char WAIT[] = "Prefer: wait=15\r\n";

/* So that even a problem has the same bytes each time. */
static const char NAMED[] = "X-Request-Id: the-same\r\n";

/* ---- bodies ---- */

static json_t *check_labelled(void)
{
    json_t *check = check_small();
    value_set(check, "/labels", value_parse("{\"project\": \"a\", \"branch\": \"b\"}"));
    return check;
}

/* Some grains. */
static json_t *check_slow(void)
{
    json_t *check =
        check_new(model_new(20, "20 tanh; 20 tanh; 10 softmax", "categorical_crossentropy"),
                  labelled_new(30, 20, 10));
    value_set(check, "/check", value_parse("{\"method\": \"ridders\"}"));
    return check;
}

/* Longer than any test takes. */
static json_t *training_endless(void)
{
    json_t *model = model_new(20, "50 tanh; 50 tanh; 10 softmax", "categorical_crossentropy");
    return training_new(model, labelled_new(200, 20, 10), json_pack("{s:i}", "epochs", 100000));
}

static json_t *check_dropped(void)
{
    return check_new(model_new(3, "8 tanh; dropout 0.5; 2 softmax", "categorical_crossentropy"),
                     labelled_new(20, 3, 2));
}

static json_t *training_checked(void)
{
    json_t *training = training_small(5);
    value_set(training, "/training/check_every", json_integer(2));
    value_set(training, "/training/validation_split", json_real(0.25));
    return training;
}

/* ---- asking ---- */

static struct answer *post_check(struct scene *scene)
{
    return post(scene->service, CHECKS, check_labelled());
}

static struct answer *post_check_wait(struct scene *scene)
{
    return post_with(scene->service, CHECKS, WAIT, check_labelled());
}

/* Accepted at once, so that its work and its end are stored apart; then waited for. */
static struct answer *post_and_wait(struct scene *scene)
{
    struct answer *answer = post(scene->service, CHECKS, check_slow());
    if (answer->status != 202) return answer;
    return get_with(scene->service, answer_header(answer, "Location"), WAIT);
}

static struct answer *post_check_keyed(struct scene *scene)
{
    const char *headers = format("%sIdempotency-Key: \"round-%u\"\r\n", WAIT, scene->round);
    return post_with(scene->service, CHECKS, headers, check_labelled());
}

static struct answer *post_training(struct scene *scene)
{
    return post(scene->service, TRAININGS, training_checked());
}

static struct answer *post_training_wait(struct scene *scene)
{
    return post_with(scene->service, TRAININGS, WAIT, training_checked());
}

static struct answer *post_bad(struct scene *scene)
{
    return request(scene->service, "POST", CHECKS,
                   format("Content-Type: application/json\r\n%s", NAMED),
                   "{\"model\": {\"input_shape\": [-1]}}");
}

static struct answer *post_no_json(struct scene *scene)
{
    return request(scene->service, "POST", CHECKS,
                   format("Content-Type: application/json\r\n%s", NAMED), "{\"model\": nothing}");
}

static struct answer *summary(struct scene *scene)
{
    json_t *model = model_new(3, "16 tanh; dropout 0.5; 2 softmax", "mse");
    return post_with(scene->service, "/v1/models/summary", NAMED,
                     json_pack("{s:o}", "model", model));
}

static struct answer *get_named(struct scene *scene, const char *path)
{
    return get_with(scene->service, path, NAMED);
}

static struct answer *get_missing(struct scene *scene)
{
    return get_named(scene, "/v1/jobs/nothing");
}

static struct answer *whoami(struct scene *scene)
{
    return get_named(scene, "/v1/whoami");
}

static struct answer *catalog(struct scene *scene)
{
    return get_named(scene, "/v1/catalog");
}

static struct answer *health(struct scene *scene)
{
    return get_named(scene, "/healthz");
}

static struct answer *get_job(struct scene *scene)
{
    return get_named(scene, format("/v1/jobs/%s", scene->job));
}

static struct answer *get_request(struct scene *scene)
{
    return get_named(scene, format("/v1/jobs/%s/request", scene->job));
}

static struct answer *get_parameters(struct scene *scene)
{
    return get_named(scene, format("/v1/jobs/%s/parameters", scene->job));
}

static struct answer *list(struct scene *scene)
{
    return get_named(scene,
                     "/v1/jobs?state=succeeded,failed&kind=gradient-check&label.project=a"
                     "&label.branch=b&limit=2");
}

static struct answer *predict(struct scene *scene)
{
    return post_with(scene->service, format("/v1/jobs/%s/predictions", scene->job), NAMED,
                     labelled_new(24, 4, 3));
}

static struct answer *patch(struct scene *scene)
{
    return request(scene->service, "PATCH", format("/v1/jobs/%s", scene->job),
                   "Content-Type: application/json\r\n", "{\"shared\": true}");
}

static struct answer *cancel(struct scene *scene)
{
    return request(scene->service, "DELETE", format("/v1/jobs/%s", scene->job), NULL, NULL);
}

static struct answer *purge(struct scene *scene)
{
    return request(scene->service, "DELETE", format("/v1/jobs/%s?purge=true", scene->job), NULL,
                   NULL);
}

/* ---- preparing ---- */

static const char *job_done(struct scene *scene, const char *path, json_t *body)
{
    struct answer *answer = post_with(scene->service, path, WAIT, body);
    answer_expect(answer, 200);
    ck_assert_str_eq(text_at(answer_json(answer), "/state"), "succeeded");
    return text_at(answer_json(answer), "/id");
}

static void have_check(struct scene *scene)
{
    scene->job = job_done(scene, CHECKS, check_labelled());
}

static void have_masks(struct scene *scene)
{
    scene->job = job_done(scene, CHECKS, check_dropped());
}

static void have_training(struct scene *scene)
{
    scene->job = job_done(scene, TRAININGS, training_checked());
}

static void have_many(struct scene *scene)
{
    for (int i = 0; i < 4; i++) {
        have_check(scene);
        have_training(scene);
    }
}

static void have_running(struct scene *scene)
{
    scene->job = job_post(scene->service, TRAININGS, training_endless());
    job_running(scene->service, scene->job);
}

/* The one worker has another. */
static void have_queued(struct scene *scene)
{
    have_running(scene);
    scene->job = job_post(scene->service, CHECKS, check_small());
}

/* ---- the table ---- */

const struct fault_request fault_requests[] = {
    {"check", post_check, 202, .jobs = true},
    {"check, waited for", post_check_wait, 200, .jobs = true},
    {"check, then waited for", post_and_wait, 200, .jobs = true},
    {"check with a key", post_check_keyed, 200, .jobs = true},
    {"training", post_training, 202, .jobs = true},
    {"training, waited for", post_training_wait, 200, .jobs = true},
    {"invalid body", post_bad, 422, .same = true},
    {"body without JSON", post_no_json, 400, .same = true},
    {"summary", summary, 200, .same = true},
    {"missing job", get_missing, 404, .same = true},
    {"whoami", whoami, 200, .same = true},
    {"catalog", catalog, 200, .same = true},
    {"health", health, 200, .same = true},
    {"job", get_job, 200, have_check, .same = true},
    {"list", list, 200, have_many, .same = true},
    {"request", get_request, 200, have_check, .same = true},
    {"parameters of a check", get_parameters, 200, have_masks, .same = true},
    {"parameters of a training", get_parameters, 200, have_training, .same = true},
    {"predictions", predict, 200, have_training, .same = true},
    {"sharing", patch, 200, have_check, EACH, .jobs = true},
    {"purge", purge, 204, have_check, EACH, .jobs = true},
    {"cancelling a queued job", cancel, 200, have_queued, EACH, .jobs = true, .also = 202},
    {"cancelling a running job", cancel, 202, have_running, EACH, .jobs = true, .also = 200},
    {NULL},
};

/* ---- what is right ---- */

bool problem_is_one_of(const json_t *problem, const char *names)
{
    static const char prefix[] = "urn:gradcheckd:problem:";
    const char *type = json_string_value(value_find(problem, "/type"));
    if (type == NULL || strncmp(type, prefix, sizeof prefix - 1) != 0) return false;
    const char *name = type + sizeof prefix - 1;
    for (const char *place = names; (place = strstr(place, name)) != NULL; place++)
        if ((place == names || place[-1] == ' ') && strcspn(place, " ") == strlen(name))
            return true;
    return false;
}

/* A job that ended must have done so in the one right way. */
static const char *job_wrong(const struct scene *scene, struct answer *answer)
{
    const json_t *job = answer_json(answer);
    const char *state = text_at(job, "/state");
    if (strcmp(state, "succeeded") != 0) return NULL;
    if (scene->result == NULL) return NULL;
    const char *result = answer_member(answer, "result");
    return strcmp(result, scene->result) == 0 ? NULL : format("another result: %.300s", result);
}

const char *fault_request_wrong(const struct fault_request *kind, const struct scene *scene,
                                struct answer *answer)
{
    if (answer->status != kind->status && answer->status != kind->also)
        return format("%d in place of %d: %.300s", answer->status, kind->status, answer->body);
    if (scene->right != NULL && strcmp(answer->body, scene->right) != 0)
        return format("another answer: %.300s", answer->body);
    if (!kind->jobs || answer->status == 204) return NULL;
    const char *state = text_at(answer_json(answer), "/state");
    if (answer->status == 200 && strcmp(state, "succeeded") != 0 && strcmp(state, "cancelled") != 0)
        return format("job %s: %.300s", state, answer->body);
    return job_wrong(scene, answer);
}

/* ---- settling ---- */

static const char *settle_one(const struct scene *scene, const char *id, const char *faulted)
{
    const char *path = format("/v1/jobs/%s", id);
    if (scene->result == NULL) request(scene->service, "DELETE", path, NULL, NULL);
    job_wait(scene->service, id);
    struct answer *answer = get(scene->service, path);
    answer_expect(answer, 200);
    const json_t *job = answer_json(answer);
    const char *state = text_at(job, "/state");
    const char *wrong = job_wrong(scene, answer);
    if (strcmp(state, "failed") == 0 && !problem_is_one_of(value_at(job, "/error"), faulted))
        wrong = format("job failed: %.500s", answer->body);
    if (strcmp(state, "cancelled") == 0 && scene->result != NULL) wrong = "job cancelled by nobody";
    answer_expect(request(scene->service, "DELETE", format("%s?purge=true", path), NULL, NULL),
                  204);
    return wrong;
}

const char *jobs_settle(const struct scene *scene, const char *faulted)
{
    const char *wrong = NULL;
    struct answer *answer = get(scene->service, "/v1/jobs?limit=500");
    answer_expect(answer, 200);
    json_t *job;
    size_t i;
    json_array_foreach(value_at(answer_json(answer), "/jobs"), i, job)
    {
        const char *fault = settle_one(scene, text_at(job, "/id"), faulted);
        if (wrong == NULL) wrong = fault;
    }
    return wrong;
}
