/* Trainings: histories, optimizers, validation, divergence, checks on the way, predictions. */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <math.h>
#include <string.h>

static json_t *run(const struct service *service, json_t *request)
{
    return job_result(service, TRAININGS, request);
}

static void training_set(json_t *request, const char *name, const char *text)
{
    value_set(request, format("/training/%s", name), value_parse(text));
}

START_TEST(history_has_one_number_an_epoch)
{
    struct service service;
    service_start(&service, "");
    json_t *result = run(&service, training_small(6));
    names_expect(result, "history final checks", NULL);
    names_expect(value_at(result, "/history"), "cost accuracy",
                 "validation_cost validation_accuracy");
    ck_assert_uint_eq(length_at(result, "/history/cost"), 6);
    ck_assert_uint_eq(length_at(result, "/history/accuracy"), 6);
    ck_assert(nothing_at(result, "/history/validation_cost"));
    ck_assert(nothing_at(result, "/history/validation_accuracy"));
    names_expect(value_at(result, "/final"), "cost accuracy",
                 "validation_cost validation_accuracy diverged_at");
    ck_assert(nothing_at(result, "/final/diverged_at"));
    ck_assert_uint_eq(length_at(result, "/checks"), 0);
    service_end(&service);
}

START_TEST(validation)
{
    struct service service;
    service_start(&service, "");
    json_t *request = training_small(4);
    training_set(request, "validation_split", "0.25");
    json_t *result = run(&service, request);
    ck_assert_uint_eq(length_at(result, "/history/validation_cost"), 4);
    ck_assert_uint_eq(length_at(result, "/history/validation_accuracy"), 4);
    double last = number_at(result, "/history/validation_cost/3");
    ck_assert(close_to(number_at(result, "/final/validation_cost"), last, 1e-12));
    /* A quarter of 24 rows are 6, so that the share is a sixth, or several. */
    double share = 6 * number_at(result, "/final/validation_accuracy");
    ck_assert_msg(fabs(share - round(share)) < 1e-9, "%g", share);
    service_end(&service);
}

START_TEST(accuracy_only_for_cross_entropies)
{
    static const char *const costs[] = {"mse", "mae", "dot"};
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < 3; i++) {
        json_t *request = training_new(model_new(3, "4 tanh; 2 linear", costs[i]),
                                       data_new(8, 3, 2), json_pack("{s:i}", "epochs", 2));
        json_t *result = run(&service, request);
        ck_assert(nothing_at(result, "/history/accuracy"));
        ck_assert(nothing_at(result, "/final/accuracy"));
    }
    service_end(&service);
}

START_TEST(learns)
{
    struct service service;
    service_start(&service, "");
    json_t *request = training_small(200);
    training_set(request, "optimizer", "{\"type\": \"adam\", \"learning_rate\": 0.05}");
    training_set(request, "batch_size", "8");
    json_t *result = run(&service, request);
    ck_assert_msg(number_at(result, "/final/accuracy") > 0.95, "accuracy %g",
                  number_at(result, "/final/accuracy"));
    ck_assert(number_at(result, "/final/cost") < number_at(result, "/history/cost/0") / 4);
    service_end(&service);
}

/* One weight w, one bias b, three rows (x, y) in batches of two and one: what the optimizers must
 * do. */
static const double xs[] = {1, -2, 3}, ys[] = {0.5, 1, -1};
enum { EPOCHS = 3 };

struct slot {
    double value, first, second; /* the parameter, and what an optimizer remembers of it */
};

static void slot_step(struct slot *slot, const char *optimizer, double g, int t)
{
    static const double rate = 0.125;
    double update = g;
    if (strcmp(optimizer, "momentum") == 0)
        update = slot->first = 0.9 * slot->first + (1 - 0.9) * g;
    if (strcmp(optimizer, "rmsprop") == 0) {
        slot->second = 0.9 * slot->second + (1 - 0.9) * g * g;
        update = g / (sqrt(slot->second) + 1e-8);
    }
    if (strcmp(optimizer, "adagrad") == 0) {
        slot->second += g * g;
        update = g / (sqrt(slot->second) + 1e-8);
    }
    if (strcmp(optimizer, "adam") == 0) {
        slot->first = 0.9 * slot->first + (1 - 0.9) * g;
        slot->second = 0.999 * slot->second + (1 - 0.999) * g * g;
        double mean = slot->first / (1 - pow(0.9, t)), square = slot->second / (1 - pow(0.999, t));
        update = mean / (sqrt(square) + 1e-8);
    }
    slot->value -= rate * update;
}

/* A pass over rows [first, last): the cost, and both gradients of the squared error. */
static double rows_pass(double w, double b, int first, int last, double *ret_dw, double *ret_db)
{
    double cost = 0;
    *ret_dw = *ret_db = 0;
    for (int k = first; k < last; k++) {
        double error = w * xs[k] + b - ys[k];
        cost += error * error / (last - first);
        *ret_dw += 2 * error * xs[k] / (last - first);
        *ret_db += 2 * error / (last - first);
    }
    return cost;
}

static void optimizer_expect(const struct service *service, const char *optimizer)
{
    struct slot w = {.value = 2}, b = {.value = 0.5};
    double dw, db, cost, history[EPOCHS];
    for (int epoch = 0, t = 0; epoch < EPOCHS; epoch++) {
        history[epoch] = 0;
        for (int first = 0; first < 3; first += 2) {
            int last = first + 2 < 3 ? first + 2 : 3;
            history[epoch] +=
                (last - first) * rows_pass(w.value, b.value, first, last, &dw, &db) / 3;
            t++;
            slot_step(&w, optimizer, dw, t);
            slot_step(&b, optimizer, db, t);
        }
    }
    json_t *request = training_new(model_new(1, "1 linear", "mse"),
                                   value_parse("{\"x\": [[1], [-2], [3]], \"y\": [0.5, 1, -1]}"),
                                   json_pack("{s:i, s:i, s:b, s:{s:s, s:f}}", "epochs", EPOCHS,
                                             "batch_size", 2, "shuffle", 0, "optimizer", "type",
                                             optimizer, "learning_rate", 0.125));
    value_set(request, "/model/parameters", value_parse("[{\"W\": [[2]], \"b\": [0.5]}]"));
    const char *id = job_post(service, TRAININGS, request);
    json_t *result = value_at(job_wait(service, id), "/result");
    for (int i = 0; i < EPOCHS; i++) {
        cost = number_at(result, format("/history/cost/%d", i));
        ck_assert_msg(close_to(cost, history[i], 1e-13), "%s, epoch %d: cost %.17g, not %.17g",
                      optimizer, i, cost, history[i]);
    }
    json_t *trained = answer_json(job_part(service, id, "parameters"));
    double got_w = numbers_at(trained, "/parameters/0/W").values[0];
    double got_b = numbers_at(trained, "/parameters/0/b").values[0];
    ck_assert_msg(close_to(got_w, w.value, 1e-13) && close_to(got_b, b.value, 1e-13),
                  "%s: %.17g, %.17g, not %.17g, %.17g", optimizer, got_w, got_b, w.value, b.value);
    cost = rows_pass(w.value, b.value, 0, 3, &dw, &db);
    ck_assert(close_to(number_at(result, "/final/cost"), cost, 1e-12));
}

START_TEST(optimizers_by_hand)
{
    static const char *const optimizers[] = {"sgd", "momentum", "rmsprop", "adam", "adagrad"};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++)
        optimizer_expect(&service, optimizers[i]);
    service_end(&service);
}

static json_t *shuffled(int seed, bool shuffle)
{
    json_t *request = training_small(5);
    training_set(request, "batch_size", "5");
    training_set(request, "optimizer", "{\"type\": \"sgd\", \"learning_rate\": 0.1}");
    training_set(request, "seed", format("%d", seed));
    training_set(request, "shuffle", shuffle ? "true" : "false");
    return request;
}

static const char *run_bytes(const struct service *service, json_t *request)
{
    return job_result_bytes(service, TRAININGS, request);
}

START_TEST(seeds_decide)
{
    struct service service;
    service_start(&service, "");
    const char *first = run_bytes(&service, shuffled(1, true));
    ck_assert_str_eq(first, run_bytes(&service, shuffled(1, true)));
    ck_assert_str_ne(first, run_bytes(&service, shuffled(2, true)));
    const char *ordered = run_bytes(&service, shuffled(1, false));
    ck_assert_str_ne(first, ordered);
    ck_assert_str_eq(ordered, run_bytes(&service, shuffled(2, false)));
    json_t *defaults = shuffled(1, true);
    value_remove(defaults, "/training/seed");
    value_remove(defaults, "/training/shuffle");
    ck_assert_str_eq(first, run_bytes(&service, defaults));
    service_end(&service);
}

/* Each step multiplies the error by some 1e5, so that the cost overflows within the 100 epochs. */
START_TEST(divergence_ends_a_training)
{
    struct service service;
    service_start(&service, "");
    json_t *request = training_new(
        model_new(1, "1 linear", "mse"), value_parse("{\"x\": [[100], [90]], \"y\": [1, 2]}"),
        value_parse("{\"optimizer\": {\"type\": \"sgd\", \"learning_rate\": 10}}"));
    json_t *job = job_wait(&service, job_post(&service, TRAININGS, request));
    ck_assert_str_eq(text_at(job, "/state"), "succeeded");
    json_int_t epoch = integer_at(job, "/result/final/diverged_at");
    ck_assert_msg(epoch >= 10 && epoch <= 60, "diverged at %d", (int)epoch);
    ck_assert(json_is_null(value_at(job, "/result/final/cost")));
    size_t length = length_at(job, "/result/history/cost");
    ck_assert_msg(length + 1 >= (size_t)epoch && length <= (size_t)epoch + 1, "%zu epochs", length);
    service_end(&service);
}

START_TEST(checks_on_the_way)
{
    struct service service;
    service_start(&service, "");
    json_t *request = training_small(7);
    training_set(request, "check_every", "3");
    training_set(request, "batch_size", "10");
    json_t *result = run(&service, request);
    ck_assert_uint_eq(length_at(result, "/checks"), 2);
    for (int i = 0; i < 2; i++) {
        json_t *check = value_at(result, format("/checks/%d", i));
        names_expect(check, "epoch verdict distance refined_distance", NULL);
        ck_assert_int_eq(integer_at(check, "/epoch"), 3 * (i + 1));
        ck_assert(number_at(check, "/distance") < 1e-6);
        ck_assert(number_at(check, "/refined_distance") < 1e-13);
        ck_assert_str_eq(text_at(check, "/verdict"), "pass");
    }
    service_end(&service);
}

/* A check looks on: it leaves no trace in the training. */
START_TEST(checks_change_nothing)
{
    struct service service;
    service_start(&service, "");
    json_t *request = shuffled(1, true);
    training_set(request, "check_every", "1");
    json_t *checked = run(&service, request);
    json_t *plain = run(&service, shuffled(1, true));
    ck_assert(json_equal(value_at(checked, "/history"), value_at(plain, "/history")));
    ck_assert(json_equal(value_at(checked, "/final"), value_at(plain, "/final")));
    service_end(&service);
}

static struct answer *predict(const struct service *service, const char *id, json_t *body)
{
    return post(service, format("/v1/jobs/%s/predictions", id), body);
}

/* The place of the largest number in a row. */
static json_int_t winner(const json_t *row)
{
    struct numbers values = numbers_of(row);
    size_t best = 0;
    for (size_t i = 1; i < values.count; i++)
        if (values.values[i] > values.values[best]) best = i;
    return (json_int_t)best;
}

START_TEST(predictions)
{
    struct service service;
    service_start(&service, "");
    json_t *request = training_small(10);
    value_set(request, "/model/layers/0/l2", json_real(0.125));
    const char *id = job_post(&service, TRAININGS, request);
    json_t *result = value_at(job_wait(&service, id), "/result");
    struct answer *answer = predict(&service, id, json_pack("{s:o}", "x", matrix_new(5, 4, 9)));
    answer_expect(answer, 200);
    names_expect(answer_json(answer), "y classes", NULL);
    matrix_expect(value_at(answer->json, "/y"), 5, 3);
    for (int k = 0; k < 5; k++) {
        const json_t *row = value_at(answer->json, format("/y/%d", k));
        struct numbers values = numbers_of(row);
        ck_assert(close_to(values.values[0] + values.values[1] + values.values[2], 1, 1e-12));
        ck_assert_int_eq(integer_at(answer->json, format("/classes/%d", k)), winner(row));
    }
    /* On the training's own rows: its own final cost, penalty included, and accuracy. */
    answer = predict(&service, id, labelled_new(24, 4, 3));
    answer_expect(answer, 200);
    names_expect(answer_json(answer), "y classes cost accuracy", NULL);
    ck_assert(close_to(number_at(answer->json, "/cost"), number_at(result, "/final/cost"), 1e-12));
    ck_assert(close_to(number_at(answer->json, "/accuracy"), number_at(result, "/final/accuracy"),
                       1e-12));
    service_end(&service);
}

START_TEST(predictions_refused)
{
    struct service service;
    service_start(&service, "--workers 1");
    const char *id = job_post(&service, TRAININGS, training_small(2));
    job_wait(&service, id);
    problem_expect(predict(&service, id, json_object()), 422, "|/x");
    problem_expect(predict(&service, id, json_pack("{s:[[i]]}", "x", 1)), 422, "/x*");
    json_t *body = json_pack("{s:[[i,i,i,i]], s:[i,i]}", "x", 1, 2, 3, 4, "y", 0, 1);
    problem_expect(predict(&service, id, body), 422, "/y");
    body = json_pack("{s:[[i,i,i,i]], s:[i]}", "x", 1, 2, 3, 4, "y", 3);
    problem_expect(predict(&service, id, body), 422, "/y/0");
    body = json_pack("{s:[[i,i,i,i]], s:i}", "x", 1, 2, 3, 4, "z", 1);
    problem_expect(predict(&service, id, body), 422, "/z");
    id = job_post(&service, CHECKS, check_small());
    job_wait(&service, id);
    problem_expect(predict(&service, id, json_pack("{s:[[i,i,i]]}", "x", 1, 2, 3)), 409, NULL);
    id = job_post(&service, TRAININGS, training_long());
    problem_expect(predict(&service, id, json_pack("{s:o}", "x", matrix_new(1, 200, 1))), 409,
                   NULL);
    job_cancel(&service, id);
    problem_expect(predict(&service, id, json_pack("{s:o}", "x", matrix_new(1, 200, 1))), 409,
                   NULL);
    service_end(&service);
}

/* What a training hands out is what a model takes. */
START_TEST(parameters_come_home)
{
    struct service service;
    service_start(&service, "");
    const char *id = job_post(&service, TRAININGS, training_small(5));
    json_t *trained = value_at(job_wait(&service, id), "/result");
    json_t *parameters = answer_json(job_part(&service, id, "parameters"));
    json_t *request = check_new(model_new(4, "6 tanh; 3 softmax", "categorical_crossentropy"),
                                labelled_new(24, 4, 3));
    value_set(request, "/model/parameters", json_incref(value_at(parameters, "/parameters")));
    json_t *checked = job_result(&service, CHECKS, request);
    double final_cost = number_at(trained, "/final/cost");
    ck_assert(close_to(number_at(checked, "/cost"), final_cost, 1e-12));
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {history_has_one_number_an_epoch,
                                  validation,
                                  accuracy_only_for_cross_entropies,
                                  learns,
                                  optimizers_by_hand,
                                  seeds_decide,
                                  divergence_ends_a_training,
                                  checks_on_the_way,
                                  checks_change_nothing,
                                  predictions,
                                  predictions_refused,
                                  parameters_come_home,
                                  NULL};
    return suite_main("training", tests);
}
