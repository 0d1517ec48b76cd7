#include "crash_requests.h"
#include "jobs.h"
#include "requests.h"
#include "values.h"

/* Half of them pass the slow jobs. */
static json_t *small_check(int seed)
{
    json_t *check = check_small();
    value_set(check, "/model/seed", json_integer(seed));
    value_set(check, "/priority", json_string(seed % 2 == 0 ? "normal" : "high"));
    return check;
}

/* Many grains of some ten milliseconds; a sanitizer slows them down more than it slows the rest. */
static json_t *slow_check(int width)
{
    if (sanitizer_build()) width /= 2;
    const char *layers = format("%d tanh; %d tanh; 10 softmax", width, width);
    json_t *check = check_new(model_new(width, layers, "categorical_crossentropy"),
                              labelled_new(100, width, 10));
    value_set(check, "/check", value_parse("{\"method\": \"ridders\"}"));
    return check;
}

static json_t *slow_training(void)
{
    json_t *training = value_parse(
        "{\"batch_size\": 50, \"optimizer\": \"adam\","
        " \"validation_split\": 0.2, \"check_every\": 40}");
    value_set(training, "/epochs", json_integer(sanitizer_build() ? 80 : 400));
    return training_new(
        model_new(50, "64 tanh; dropout 0.1; 10 softmax", "categorical_crossentropy"),
        labelled_new(500, 50, 10), training);
}

/* Posts it, keeps what came of it. */
static void complete(const struct service *service, struct crash_request *kept, json_t *request)
{
    kept->path = json_object_get(request, "training") != NULL ? TRAININGS : CHECKS;
    kept->body = keep(json_dumps(request, JSON_COMPACT));
    const char *id = job_post(service, kept->path, request);
    ck_assert_str_eq(text_at(job_wait(service, id), "/state"), "succeeded");
    kept->result = answer_member(get(service, format("/v1/jobs/%s", id)), "result");
    struct answer *parameters = job_part(service, id, "parameters");
    answer_expect(parameters, 200);
    kept->parameters = parameters->body;
}

const struct crash_request *crash_requests(void)
{
    static struct crash_request requests[CRASH_REQUESTS];
    struct service service;
    service_start(&service, "--store memory: --workers 2");
    for (int i = 0; i < CRASH_SMALL; i++)
        complete(&service, &requests[i], small_check(i));
    json_t *slow[CRASH_SLOW] = {slow_check(60), slow_check(90), slow_training()};
    for (int i = 0; i < CRASH_SLOW; i++) {
        requests[CRASH_SMALL + i].slow = true;
        complete(&service, &requests[CRASH_SMALL + i], slow[i]);
    }
    service_end(&service);
    return requests;
}
