/*
 * What the cost is made of: reductions, scale, sample weights, penalties, forms of y, dropout. Each
 * is compared with a network for which the cost is known without it.
 */
#include "jobs.h"
#include "requests.h"
#include "values.h"

#include <math.h>

enum { ROWS = 12, INPUTS = 3, OUTPUTS = 2 };

static json_t *request_new(const char *cost)
{
    return check_new(model_new(INPUTS, "5 tanh; 2 sigmoid", cost), data_new(ROWS, INPUTS, OUTPUTS));
}

static json_t *run(const struct service *service, json_t *request)
{
    value_set(request, "/check", value_parse("{\"include\": [\"gradients\"]}"));
    return job_result(service, CHECKS, request);
}

/* The analytic gradient of W in the first layer. */
static struct numbers gradient(const json_t *result)
{
    return numbers_at(result, "/gradients/analytic/0/W");
}

/* Whether one result's cost and gradient are those of another, times a factor. */
static void factor_expect(const json_t *result, const json_t *base, double factor, const char *name)
{
    struct numbers a = gradient(result), b = gradient(base);
    double cost = number_at(result, "/cost"), expected = factor * number_at(base, "/cost");
    ck_assert_msg(close_to(cost, expected, 1e-12), "%s: cost %.17g, not %.17g", name, cost,
                  expected);
    for (size_t i = 0; i < a.count; i++)
        ck_assert_msg(fabs(a.values[i] - factor * b.values[i]) <= 1e-12 * factor * largest(b),
                      "%s: gradient %zu", name, i);
}

START_TEST(reductions_and_scale)
{
    static const char *const costs[] = {"mse", "mae", "dot", "binary_crossentropy",
                                        "categorical_crossentropy"};
    static const struct {
        const char *options;
        double factor;
    } cases[] = {{"\"reduction\": \"batch_mean\"", 1},
                 {"\"reduction\": \"mean\"", 1.0 / OUTPUTS},
                 {"\"reduction\": \"sum\"", ROWS},
                 {"\"scale\": 0.5", 0.5},
                 {"\"scale\": 4, \"reduction\": \"mean\"", 4.0 / OUTPUTS}};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        json_t *base = run(&service, request_new(costs[i]));
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
            const char *cost = format("{\"type\": \"%s\", %s}", costs[i], cases[j].options);
            json_t *request = request_new(costs[i]);
            value_set(request, "/model/cost", value_parse(cost));
            factor_expect(run(&service, request), base, cases[j].factor, cost);
        }
    }
    service_end(&service);
}

/* Weight 0 masks a sample, and the divisor stays m. */
START_TEST(sample_weights)
{
    struct service service;
    service_start(&service, "");
    json_t *masked = request_new("mse");
    json_t *shorter = check_new(model_new(INPUTS, "5 tanh; 2 sigmoid", "mse"),
                                data_new(ROWS - 4, INPUTS, OUTPUTS));
    value_set(masked, "/data/weights", value_parse("[1,1,1,1,1,1,1,1,0,0,0,0]"));
    factor_expect(run(&service, masked), run(&service, shorter), (ROWS - 4.0) / ROWS, "masked");
    json_t *tripled = request_new("mse");
    value_set(tripled, "/data/weights", value_parse("[3,3,3,3,3,3,3,3,3,3,3,3]"));
    factor_expect(run(&service, tripled), run(&service, request_new("mse")), 3, "tripled");
    service_end(&service);
}

/* l1 and l2 are added after reduction and scale, which leave them alone. */
START_TEST(penalties)
{
    struct service service;
    service_start(&service, "");
    json_t *request = request_new("mse");
    value_set(request, "/model/cost",
              value_parse("{\"type\": \"mse\", \"reduction\": \"sum\", \"scale\": 0.25}"));
    json_t *penalised = json_deep_copy(request);
    value_set(penalised, "/model/layers/0/l1", json_real(0.125));
    value_set(penalised, "/model/layers/0/l2", json_real(0.5));
    const char *id = job_post(&service, CHECKS, json_deep_copy(request));
    struct numbers W =
        numbers_at(answer_json(job_part(&service, id, "parameters")), "/parameters/0/W");
    double added = 0.5 * norm(W) * norm(W);
    for (size_t i = 0; i < W.count; i++)
        added += 0.125 * fabs(W.values[i]);
    json_t *base = run(&service, request);
    json_t *result = run(&service, penalised);
    ck_assert(close_to(number_at(result, "/cost"), number_at(base, "/cost") + added, 1e-12));
    for (size_t i = 0; i < W.count; i++) {
        double expected =
            gradient(base).values[i] + 2 * 0.5 * W.values[i] + (W.values[i] > 0 ? 0.125 : -0.125);
        ck_assert(fabs(gradient(result).values[i] - expected) < 1e-12);
    }
    service_end(&service);
}

/* Labels are another way to write one-hot rows. */
START_TEST(labels_are_one_hot)
{
    struct service service;
    service_start(&service, "");
    json_t *labels =
        check_new(model_new(3, "4 tanh; 3 softmax", "categorical_crossentropy"), data_new(4, 3, 3));
    json_t *rows = json_deep_copy(labels);
    value_set(labels, "/data/y", value_parse("[2, 0, 1, 2]"));
    value_set(rows, "/data/y", value_parse("[[0,0,1], [1,0,0], [0,1,0], [0,0,1]]"));
    ck_assert(json_equal(run(&service, labels), run(&service, rows)));
    service_end(&service);
}

START_TEST(one_output_takes_a_list)
{
    static const char *const costs[] = {"mse", "mae", "dot", "binary_crossentropy",
                                        "categorical_crossentropy"};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        json_t *list = check_new(model_new(2, "4 tanh; 1 sigmoid", costs[i]), data_new(3, 2, 1));
        json_t *rows = json_deep_copy(list);
        value_set(list, "/data/y", value_parse("[0, 1, 0.25]"));
        value_set(rows, "/data/y", value_parse("[[0], [1], [0.25]]"));
        ck_assert_msg(json_equal(run(&service, list), run(&service, rows)), "%s", costs[i]);
    }
    service_end(&service);
}

/* y need not be probabilities for the others, nor sum to 1 for the categorical cross-entropy. */
START_TEST(other_targets)
{
    struct service service;
    service_start(&service, "");
    json_t *request = check_new(model_new(2, "2 linear", "mse"), data_new(2, 2, 2));
    value_set(request, "/data/y", value_parse("[[-7, 1e6], [3, 0]]"));
    ck_assert(number_at(run(&service, request), "/cost") > 1e11);
    request = check_new(model_new(2, "2 softmax", "categorical_crossentropy"), data_new(2, 2, 2));
    value_set(request, "/data/y", value_parse("[[1, 1], [0, 0]]"));
    ck_assert(number_at(run(&service, request), "/cost") > 0);
    service_end(&service);
}

/* A list that names only layers with parameters is as good as one that names all. */
START_TEST(parameters_in_both_forms)
{
    static const char first[] = "{\"W\": [[1, 2], [3, 4]], \"b\": [5, 6]}";
    static const char second[] = "{\"W\": [[1], [-1]], \"b\": [[0.5]]}";
    struct service service;
    service_start(&service, "");
    json_t *all =
        check_new(model_new(2, "2 linear; activation tanh; 1 linear", "mse"), data_new(3, 2, 1));
    json_t *empty = json_deep_copy(all), *some = json_deep_copy(all);
    value_set(all, "/model/parameters", value_parse(format("[%s, null, %s]", first, second)));
    value_set(empty, "/model/parameters", value_parse(format("[%s, {}, %s]", first, second)));
    value_set(some, "/model/parameters", value_parse(format("[%s, %s]", first, second)));
    json_t *result = run(&service, all);
    ck_assert(json_equal(result, run(&service, empty)));
    ck_assert(json_equal(result, run(&service, some)));
    service_end(&service);
}

/* A linear network under "dot" with y = 1: the cost is the mean output, with the mask put in by
 * hand. */
static double mean_output(const json_t *drawn, const json_t *x)
{
    enum { UNITS = 8 };
    struct numbers W = numbers_at(drawn, "/parameters/0/W"),
                   V = numbers_at(drawn, "/parameters/2/W");
    struct numbers mask = numbers_at(drawn, "/masks/1");
    struct numbers rows = numbers_of(x);
    double sum = 0, kept = largest(mask);
    for (size_t k = 0; k < ROWS; k++)
        for (size_t j = 0; j < UNITS; j++) {
            double z = 0;
            for (size_t i = 0; i < INPUTS; i++)
                z += rows.values[k * INPUTS + i] * W.values[i * UNITS + j];
            /* Rate 0.75: what is kept counts four times. */
            sum += mask.values[k * UNITS + j] / kept * 4 * z * V.values[j];
        }
    return sum / ROWS;
}

START_TEST(dropout_masks_are_those_told)
{
    struct service service;
    service_start(&service, "");
    json_t *request = check_new(model_new(INPUTS, "8 linear; dropout 0.75; 1 linear", "dot"),
                                data_new(ROWS, INPUTS, 1));
    value_set(request, "/data/y", value_parse("[1,1,1,1,1,1,1,1,1,1,1,1]"));
    json_t *x = json_incref(value_at(request, "/data/x"));
    const char *id = job_post(&service, CHECKS, json_deep_copy(request));
    json_t *drawn = answer_json(job_part(&service, id, "parameters"));
    double expected = mean_output(drawn, x);
    double cost = number_at(run(&service, request), "/cost");
    ck_assert_msg(fabs(cost - expected) < 1e-12, "%.17g, not %.17g", cost, expected);
    json_decref(x);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {reductions_and_scale,
                                  sample_weights,
                                  penalties,
                                  labels_are_one_hot,
                                  one_output_takes_a_list,
                                  other_targets,
                                  parameters_in_both_forms,
                                  dropout_masks_are_those_told,
                                  NULL};
    return suite_main("cost", tests);
}
