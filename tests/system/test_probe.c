/* Probes: gradients of a function that the client evaluates, where the daemon asks for it. */
#include "faults.h"
#include "jobs.h"
#include "problems.h"
#include "values.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#define PROBES "/v1/probes"

/* ---- a client's function: the sum of tanh(x w)^2 ---- */

enum { INPUTS = 3, OUTPUTS = 2 };

static const char THETA[] =
    "{\"w\": [[0.5, -0.25], [1.5, 0.75], [-0.5, 1]], \"x\": [0.25, -1.25, 0.75]}";

static double output(const json_t *theta, int j)
{
    const struct numbers w = numbers_at(theta, "/w"), x = numbers_at(theta, "/x");
    double z = 0;
    for (int i = 0; i < INPUTS; i++)
        z += x.values[i] * w.values[i * OUTPUTS + j];
    return tanh(z);
}

static double value_of(const json_t *theta)
{
    return output(theta, 0) * output(theta, 0) + output(theta, 1) * output(theta, 1);
}

static json_t *row(double a, double b)
{
    return json_pack("[ff]", a, b);
}

static json_t *gradients(const json_t *theta)
{
    const struct numbers w = numbers_at(theta, "/w"), x = numbers_at(theta, "/x");
    json_t *dw = json_array(), *dx = json_array();
    double slope[OUTPUTS];
    for (int j = 0; j < OUTPUTS; j++)
        slope[j] = 2 * output(theta, j) * (1 - output(theta, j) * output(theta, j));
    for (int i = 0; i < INPUTS; i++) {
        json_array_append_new(dw, row(x.values[i] * slope[0], x.values[i] * slope[1]));
        json_array_append_new(
            dx, json_real(w.values[i * OUTPUTS] * slope[0] + w.values[i * OUTPUTS + 1] * slope[1]));
    }
    return json_pack("{soso}", "w", dw, "x", dx);
}

static json_t *probe_new(void)
{
    json_t *theta = value_parse(THETA);
    json_t *probe =
        json_pack("{sOsosf}", "theta", theta, "claimed", gradients(theta), "cost", value_of(theta));
    return probe;
}

/* ---- the client ---- */

/* theta with a point's values put in: elements one by one, or a whole tensor. */
static json_t *moved(const json_t *point)
{
    json_t *theta = value_parse(THETA), *move;
    const char *name;
    json_object_foreach((json_t *)point, name, move)
    {
        json_t *at = json_object_get(move, "at"), *to = json_object_get(move, "to");
        if (at == NULL) {
            json_object_set(theta, name, to);
            continue;
        }
        for (size_t i = 0; i < json_array_size(at); i++) {
            json_t *tensor = json_object_get(theta, name), *axes = json_array_get(at, i);
            for (size_t axis = 0; axis + 1 < json_array_size(axes); axis++)
                tensor =
                    json_array_get(tensor, (size_t)json_integer_value(json_array_get(axes, axis)));
            const json_t *last = json_array_get(axes, json_array_size(axes) - 1);
            json_array_set(tensor, (size_t)json_integer_value(last), json_array_get(to, i));
        }
    }
    return theta;
}

static json_t *round_of(const json_t *asked)
{
    json_t *values = json_array(), *point;
    size_t i;
    json_array_foreach(value_at(asked, "/ask"), i, point)
        json_array_append_new(values, json_real(value_of(moved(point))));
    return json_pack("{sIso}", "round", integer_at(asked, "/round"), "values", values);
}

static const char *values_path(const char *id)
{
    return format(PROBES "/%s/values", id);
}

static json_t *asked_new(const struct service *service, json_t *probe)
{
    struct answer *answer = post(service, PROBES, probe);
    answer_expect(answer, 201);
    return answer_json(answer);
}

static struct answer *sent(const struct service *service, const json_t *asked, json_t *round)
{
    return post(service, values_path(text_at(asked, "/id")), round);
}

/* One round; what is asked next. */
static json_t *next(const struct service *service, const json_t *asked)
{
    struct answer *answer = sent(service, asked, round_of(asked));
    answer_expect(answer, 200);
    return answer_json(answer);
}

static json_t *finished(const struct service *service, json_t *asked)
{
    while (value_find(asked, "/result") == NULL)
        asked = next(service, asked);
    return asked;
}

/* ---- tests ---- */

START_TEST(a_right_gradient_passes)
{
    struct service service;
    service_start(&service, "");
    json_t *asked = asked_new(&service, probe_new());
    const char *id = text_at(asked, "/id");
    json_t *job = answer_json(get(&service, format("/v1/jobs/%s", id)));
    ck_assert_str_eq(text_at(job, "/kind"), "probe");
    ck_assert_str_eq(text_at(job, "/state"), "running");
    json_t *end = finished(&service, asked);
    ck_assert_str_eq(text_at(end, "/result/verdict"), "pass");
    ck_assert_int_eq(integer_at(end, "/result/parameters_checked"), INPUTS * OUTPUTS + INPUTS);
    ck_assert_uint_eq(length_at(end, "/result/findings"), 0);
    job = job_get(&service, id);
    ck_assert_str_eq(text_at(job, "/state"), "succeeded");
    ck_assert(json_equal(value_at(job, "/result"), value_at(end, "/result")));
    ck_assert(json_equal(answer_json(get(&service, format(PROBES "/%s", id))), end));
    service_end(&service);
}

/* Within a tensor's row, and with the tensor named. */
START_TEST(a_wrong_element_is_found)
{
    struct service service;
    service_start(&service, "");
    json_t *probe = probe_new();
    value_set(probe, "/claimed/w/2/1", json_real(1.5 * number_at(probe, "/claimed/w/2/1")));
    json_t *end = finished(&service, asked_new(&service, probe));
    ck_assert_str_eq(text_at(end, "/result/verdict"), "fail");
    ck_assert_uint_eq(length_at(end, "/result/findings"), 1);
    ck_assert_str_eq(text_at(end, "/result/findings/0/code"), "elements");
    ck_assert_str_eq(text_at(end, "/result/findings/0/tensor"), "w");
    ck_assert_int_eq(integer_at(end, "/result/tensors/0/worst/0/index/0"), 2);
    ck_assert_int_eq(integer_at(end, "/result/tensors/0/worst/0/index/1"), 1);
    ck_assert_str_eq(text_at(end, "/result/tensors/1/verdict"), "pass");
    service_end(&service);
}

/* Whatever of a round came through: it is sent again, before and after its successor's end. */
START_TEST(values_sent_again_get_the_same_answer)
{
    struct service service;
    service_start(&service, "");
    json_t *first = asked_new(&service, probe_new()), *asked = first, *last = NULL;
    json_t *second = next(&service, first);
    ck_assert(json_equal(next(&service, first), second));
    while (value_find(asked, "/result") == NULL) {
        last = asked;
        asked = next(&service, asked);
    }
    ck_assert(json_equal(next(&service, first), second));
    ck_assert(json_equal(next(&service, last), asked));
    json_t *other = round_of(last);
    value_set(other, "/values/0", json_real(42));
    answer_expect(sent(&service, last, other), 409);
    service_end(&service);
}

/* Ends the daemon between any two rounds. */
static void restart_each_round(void (*end)(struct service *service))
{
    struct service service;
    service_start(&service, "");
    json_t *undisturbed = finished(&service, asked_new(&service, probe_new()));
    json_t *asked = asked_new(&service, probe_new());
    while (value_find(asked, "/result") == NULL) {
        end(&service);
        service_restart(&service);
        json_t *again = answer_json(get(&service, format(PROBES "/%s", text_at(asked, "/id"))));
        ck_assert(json_equal(again, asked));
        asked = next(&service, asked);
    }
    ck_assert(json_equal(value_at(asked, "/result"), value_at(undisturbed, "/result")));
    service_end(&service);
}

static void stop(struct service *service)
{
    const struct ending ending = service_stop(service);
    ck_assert_int_eq(ending.status, 0);
    ck_assert(ending.seconds < patience(5));
}

START_TEST(a_killed_probe_goes_on)
{
    restart_each_round(service_kill);
}

START_TEST(a_stopped_probe_goes_on)
{
    restart_each_round(stop);
}

/* What could not be kept was not taken: nobody goes on from it, before or after a crash. */
START_TEST(a_full_disk_takes_no_round)
{
    static const struct fault no_room = {
        .calls = SHIM_WRITE | SHIM_RESIZE, .number = 1, .count = FAULTS_ALL, .error = ENOSPC};
    struct service service;
    struct shim *shim = faults_open();
    service_start(&service, "");
    json_t *asked = asked_new(&service, probe_new());
    faults_order(shim, no_room);
    for (int again = 0; again < 2; again++)
        problem_expect(sent(&service, asked, round_of(asked)), 507, NULL);
    ck_assert(faults_end(shim) > 0);
    json_t *second = next(&service, asked);
    service_kill(&service);
    service_restart(&service);
    const char *path = format(PROBES "/%s", text_at(asked, "/id"));
    ck_assert(json_equal(answer_json(get(&service, path)), second));
    service_end(&service);
}

/* ---- what is refused ---- */

static json_t *body_of(const char *text)
{
    char *body = keep(strdup(text));
    for (char *c = body; *c != '\0'; c++)
        if (*c == '\'') *c = '"';
    return json_incref(value_parse(body));
}

START_TEST(values_that_do_not_fit_change_nothing)
{
    struct service service;
    service_start(&service, "");
    json_t *asked = asked_new(&service, probe_new());
    static const struct {
        const char *body;
        int status;
    } bodies[] = {
        {"{'round': 1, 'values': [1]}", 422},
        {"{'round': 2, 'values': [1, 2, 3, 4, 5, 6, 7, 8, 9]}", 409},
        {"{'round': 0, 'values': [1, 2, 3, 4, 5, 6, 7, 8, 9]}", 422},
        {"{'round': 1, 'values': []}", 422},
        {"{'round': 1, 'values': 1}", 422},
        {"{'round': 1, 'values': [1, 2, 3, 4, 5, 6, 7, 8, 'x']}", 422},
        {"{'round': 1}", 422},
        {"{'values': [1, 2, 3, 4, 5, 6, 7, 8, 9]}", 422},
        {"{'round': 1, 'values': [1, 2, 3, 4, 5, 6, 7, 8, 9], 'more': 1}", 422},
        {"[]", 422},
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        answer_expect(sent(&service, asked, body_of(bodies[i].body)), bodies[i].status);
    ck_assert_str_eq(text_at(finished(&service, asked), "/result/verdict"), "pass");
    service_end(&service);
}

START_TEST(a_probe_that_makes_no_sense_is_refused)
{
    struct service service;
    service_start(&service, "");
    static const struct {
        const char *body, *pointer;
    } bodies[] = {
        {"{}", ""},
        {"{'theta': {'w': [1]}}", ""},
        {"{'theta': {}, 'claimed': {}}", "/claimed"},
        {"{'theta': {'w': [1]}, 'claimed': {}}", "/claimed"},
        {"{'theta': {'w': [1]}, 'claimed': {'w': null}}", "/claimed"},
        {"{'theta': {'w': [1]}, 'claimed': {'v': [1]}}", "/claimed/v"},
        {"{'theta': {'w': [1, 2]}, 'claimed': {'w': [1]}}", "/claimed/w"},
        {"{'theta': {'w': [1, 2]}, 'claimed': {'w': 1}}", "/claimed/w"},
        {"{'theta': {'w': 1}, 'claimed': {'w': [1]}}", "/claimed/w"},
        {"{'theta': {'w': 'x'}, 'claimed': {'w': 1}}", "/theta/w"},
        {"{'theta': {'w': [[1, 2], [3, 4]]}, 'claimed': {'w': [[1, 2], [3]]}}", "/claimed/w/1"},
        {"{'theta': {'w': []}, 'claimed': {'w': []}}", "/theta/w"},
        {"{'theta': {'w': [1, null]}, 'claimed': {'w': [1, 2]}}", "/theta/w/1"},
        {"{'theta': {'w': [[1, 2], [3]]}, 'claimed': {'w': [[1, 2], [3, 4]]}}", "/theta/w/1"},
        {"{'theta': {'w': [0.1]}, 'claimed': {'w': [1]}, 'dtype': 'float32'}", "/theta/w"},
        {"{'theta': {'w': [1]}, 'claimed': {'w': [1]}, 'dtype': 'float8'}", "/dtype"},
        {"{'theta': {'w': [1]}, 'claimed': {'w': [1]}, 'budget': 3}", "/budget"},
        {"{'theta': {'w': [1]}, 'claimed': {'w': [1]}, 'tolerance': 2}", "/tolerance"},
        {"{'theta': {'w': [1]}, 'claimed': {'w': [1]}, 'cost': 'low'}", "/cost"},
        {"{'theta': {'w': [1]}, 'claimed': {'w': [1]}, 'model': {}}", "/model"},
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct answer *answer = post(&service, PROBES, body_of(bodies[i].body));
        answer_expect(answer, 422);
        ck_assert_str_eq(text_at(answer_json(answer), "/errors/0/pointer"), bodies[i].pointer);
    }
    service_end(&service);
}

START_TEST(a_cancelled_probe_takes_no_values)
{
    struct service service;
    service_start(&service, "");
    json_t *asked = asked_new(&service, probe_new());
    json_t *second = next(&service, asked);
    job_cancel(&service, text_at(asked, "/id"));
    answer_expect(sent(&service, second, round_of(second)), 409);
    answer_expect(sent(&service, asked, round_of(asked)), 409);
    answer_expect(get(&service, format(PROBES "/%s", text_at(asked, "/id"))), 409);
    service_end(&service);
}

struct canceller {
    const struct service *service;
    const char *id;
};

static void *cancel_it(void *argument)
{
    const struct canceller *canceller = argument;
    request(canceller->service, "DELETE", format("/v1/jobs/%s", canceller->id), "", NULL);
    keep_no_longer();
    return NULL;
}

/* Whichever comes first: the round is taken, and the probe ends after it, or not taken. */
START_TEST(a_probe_may_be_cancelled_amid_a_round)
{
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < 20; i++) {
        json_t *asked = asked_new(&service, probe_new());
        struct canceller canceller = {&service, text_at(asked, "/id")};
        json_t *round = round_of(asked);
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_it, &canceller), 0);
        struct answer *answer = sent(&service, asked, round);
        pthread_join(thread, NULL);
        ck_assert_msg(answer->status == 200 || answer->status == 409, "%d", answer->status);
        ck_assert_str_eq(text_at(job_wait(&service, canceller.id), "/state"), "cancelled");
    }
    service_end(&service);
}

START_TEST(a_probe_that_gets_no_values_ends)
{
    struct service service;
    service_start(&service, "--probe-seconds 1");
    json_t *asked = asked_new(&service, probe_new());
    json_t *job = job_wait(&service, text_at(asked, "/id"));
    ck_assert_str_eq(text_at(job, "/state"), "failed");
    ck_assert_str_eq(text_at(job, "/error/type"), "urn:gradcheckd:problem:time-limit");
    service_end(&service);
}

/* Outside its domain a function has no number; at theta it must have one. */
START_TEST(a_function_that_is_not_finite_at_theta_has_no_gradient)
{
    struct service service;
    service_start(&service, "");
    json_t *asked = asked_new(&service, probe_new());
    json_t *round = round_of(asked);
    value_set(round, "/values/0", json_null());
    answer_expect(sent(&service, asked, round), 409);
    json_t *job = job_get(&service, text_at(asked, "/id"));
    ck_assert_str_eq(text_at(job, "/state"), "failed");
    ck_assert_str_eq(text_at(job, "/error/type"), "urn:gradcheckd:problem:non-finite-cost");
    service_end(&service);
}

START_TEST(a_key_makes_one_probe)
{
    struct service service;
    service_start(&service, "");
    const char *key = "Idempotency-Key: once\r\n";
    struct answer *first = post_with(&service, PROBES, key, probe_new());
    struct answer *second = post_with(&service, PROBES, key, probe_new());
    answer_expect(first, 201);
    answer_expect(second, 200);
    ck_assert(json_equal(answer_json(first), answer_json(second)));
    json_t *page = answer_json(get(&service, "/v1/jobs?kind=probe&state=running"));
    ck_assert_uint_eq(length_at(page, "/jobs"), 1);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {
        a_right_gradient_passes,
        a_wrong_element_is_found,
        values_sent_again_get_the_same_answer,
        a_killed_probe_goes_on,
        a_stopped_probe_goes_on,
        a_full_disk_takes_no_round,
        values_that_do_not_fit_change_nothing,
        a_probe_that_makes_no_sense_is_refused,
        a_cancelled_probe_takes_no_values,
        a_probe_may_be_cancelled_amid_a_round,
        a_probe_that_gets_no_values_ends,
        a_function_that_is_not_finite_at_theta_has_no_gradient,
        a_key_makes_one_probe,
        NULL,
    };
    return suite_main("probe", tests);
}
