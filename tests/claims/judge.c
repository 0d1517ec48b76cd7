/* Judges claims for tests/claims/evidence: cases on standard input, results on standard output.
 *
 * A case is lines of words, then doubles as they lie in memory:
 *
 *   case INPUTS SAMPLES COST REDUCTION SCALE LAYERS
 *   dense UNITS BIAS L1 L2 ACTIVATION OPTION...      or   activation ACTIVATION OPTION...
 *   judge DTYPE METHOD EPSILON
 *   parameters, x, y, claimed gradient of the parameters, claimed gradient of x, outputs, cost
 *
 * A result is a line `VERDICT TOLERANCE WRONG DIFFERENT OUTPUTS COST SECONDS`, then exact
 * derivatives (in their place the bars again, where the method has none) and bars, of the
 * parameters and then of x. DIFFERENT: whether outputs or cost are said to be another network's, of
 * the claim as it is or with all gradients three times as large; OUTPUTS, COST: the largest share
 * of what they may differ by. */
#include <gradcheck/activation.h>
#include <gradcheck/blas.h>
#include <gradcheck/check.h>
#include <gradcheck/cost.h>
#include <gradcheck/finding.h>
#include <gradcheck/kernels.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LAYERS = 32, WORD = 64 };

static void die(const char *what, const gck_error *error)
{
    fprintf(stderr, "judge: %s%s%s\n", what, error == NULL ? "" : ": ",
            error == NULL ? "" : error->text);
    exit(EXIT_FAILURE);
}

static void must(gck_status status, const gck_error *error)
{
    if (status != GCK_OK) die("refused", error);
}

static void set(gck_choice *choice, const char *option, double value)
{
    choice->option[gck_item_option_find(choice->item, option)] = value;
}

static gck_choice read_activation(void)
{
    char name[WORD];
    if (scanf("%63s", name) != 1) die("no activation", NULL);
    gck_choice f = gck_choice_named(&gck_activations, name);
    for (size_t i = 0; i < gck_item_option_count(f.item); i++)
        if (scanf("%lf", &f.option[i]) != 1) die("no option", NULL);
    return f;
}

static gck_layer_spec read_layer(void)
{
    char type[WORD];
    double units, bias, l1, l2;
    if (scanf("%63s", type) != 1) die("no layer", NULL);
    gck_layer_spec layer = {.type = gck_choice_named(&gck_layers, type)};
    if (strcmp(type, "dense") == 0) {
        if (scanf("%lf %lf %lf %lf", &units, &bias, &l1, &l2) != 4) die("no units", NULL);
        set(&layer.type, "units", units);
        set(&layer.type, "use_bias", bias);
        set(&layer.type, "l1", l1);
        set(&layer.type, "l2", l2);
    }
    layer.activation = read_activation();
    return layer;
}

static bool read_model(gck_model **ret_model, size_t *ret_samples)
{
    char cost_name[WORD];
    size_t inputs, count;
    double reduction, scale;
    gck_layer_spec layer[LAYERS];
    gck_error error;
    if (scanf(" case %zu %zu %63s %lf %lf %zu", &inputs, ret_samples, cost_name, &reduction, &scale,
              &count) != 6)
        return false;
    gck_choice cost = gck_choice_named(&gck_costs, cost_name);
    set(&cost, "reduction", reduction);
    set(&cost, "scale", scale);
    for (size_t i = 0; i < count; i++)
        layer[i] = read_layer();
    must(gck_model_new(&(gck_shape){1, {inputs}}, layer, count, &cost, 1, ret_model, &error),
         &error);
    return true;
}

static double *read_doubles(size_t count)
{
    double *values = malloc((count + 1) * sizeof *values);
    if (values == NULL || fread(values, sizeof *values, count, stdin) != count)
        die("no numbers", NULL);
    return values;
}

static int index_of(const char *name, const char *(*name_of)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name, name_of(i)) == 0) return i;
    die(name, NULL);
    return 0;
}

static const char *dtype_name(int dtype)
{
    return gck_dtype_name((gck_dtype)dtype);
}

static const char *method_name(int method)
{
    return gck_method_name((gck_method)method);
}

static void run(const gck_check_spec *spec, gck_check **ret_check, gck_report **ret_report)
{
    gck_error error;
    gck_check_room *room;
    must(gck_check_new(spec, ret_check, &error), &error);
    must(gck_check_room_new(*ret_check, &room, &error), &error);
    for (size_t i = 0; i < gck_check_cut_of(*ret_check)->grain_count; i++) {
        gck_partial partial;
        must(gck_check_grain(*ret_check, i, room, (gck_stop){0}, &partial, &error), &error);
        must(gck_check_fold(*ret_check, i, &partial, &error), &error);
        gck_partial_done(&partial);
    }
    gck_check_room_free(room);
    must(gck_check_report(*ret_check, ret_report, &error), &error);
}

/* ---- outputs and cost ---- */

static bool is_told(const gck_check_spec *spec, const gck_report *report)
{
    gck_error error;
    gck_findings findings;
    bool told = false;
    for (size_t i = 0; i < report->warning_count; i++)
        told = told || strstr(report->warning[i], "different_forward") != NULL;
    must(gck_findings_new(spec, report, (gck_stop){0}, &findings, &error), &error);
    for (size_t i = 0; i < findings.count; i++)
        told = told || findings.finding[i].mistake.code == GCK_FINDING_DIFFERENT_FORWARD;
    gck_findings_done(&findings);
    return told;
}

/* With a mistake in the gradients, which must not be taken for one in the forward pass. */
static bool is_told_wrong(const gck_check_spec *spec, const gck_check *check, double *gradient)
{
    gck_error error;
    gck_report *report;
    for (size_t i = 0; i < spec->model->parameter_count; i++)
        gradient[i] *= 3;
    must(gck_check_report(check, &report, &error), &error);
    const bool told = is_told(spec, report);
    gck_report_free(report);
    return told;
}

static double share(const gck_report *report, double ours, double claimed, double bar)
{
    const double limit = report->tolerance * (fabs(ours) + fabs(claimed)) + bar;
    return limit > 0 && isfinite(limit) ? fabs(ours - claimed) / limit : 0;
}

static double outputs_share(const gck_report *report, const double *outputs, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, share(report, report->outputs[i], outputs[i], report->outputs_bar[i]));
    return most;
}

/* ---- results ---- */

typedef struct forward_result {
    bool told;
    double outputs, cost;
} forward_result;

static void write_report(const gck_report *report, const forward_result *forward, double seconds)
{
    size_t wrong = report->inputs.wrong_elements;
    for (size_t l = 0; l < report->layer_count; l++)
        for (size_t t = 0; t < report->layer[l].tensor_count; t++)
            wrong += report->layer[l].tensor[t].wrong_elements;
    printf("%s %.17g %zu %d %.3g %.3g %.6f\n", gck_verdict_name(report->verdict), report->tolerance,
           wrong, forward->told, forward->outputs, forward->cost, seconds);
    for (int bars = 0; bars <= 1; bars++) {
        for (size_t l = 0; l < report->layer_count; l++)
            for (size_t t = 0; t < report->layer[l].tensor_count; t++) {
                const gck_tensor_report *tensor = &report->layer[l].tensor[t];
                const double *exact = tensor->exact == NULL ? tensor->bar : tensor->exact;
                fwrite(bars ? tensor->bar : exact, sizeof(double), tensor->count, stdout);
            }
        fwrite(bars ? report->inputs.bar : report->inputs.exact, sizeof(double),
               report->inputs.count, stdout);
    }
    fflush(stdout);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void judge(gck_model *model, size_t samples)
{
    char dtype[WORD], method[WORD];
    double epsilon;
    gck_error error;
    gck_data *data;
    bool claimed[GCK_LAYERS_MAX * GCK_TENSORS_MAX];
    memset(claimed, true, sizeof claimed);
    if (scanf(" judge %63s %63s %lf", dtype, method, &epsilon) != 3) die("no judge", NULL);
    if (getchar() != '\n') die("no end of line", NULL);
    double *parameters = read_doubles(model->parameter_count);
    must(gck_data_new(samples, model->inputs, model->outputs, false, &data, &error), &error);
    if (fread(data->x, sizeof(double), samples * model->inputs, stdin) != samples * model->inputs ||
        fread(data->y, sizeof(double), samples * model->outputs, stdin) != samples * model->outputs)
        die("no data", NULL);
    double *gradient = read_doubles(model->parameter_count);
    double *gradient_x = read_doubles(samples * model->inputs);
    double *outputs = read_doubles(samples * model->outputs), *cost = read_doubles(1);
    const gck_claim claim = {.dtype = (gck_dtype)index_of(dtype, dtype_name, 4),
                             .gradient = gradient,
                             .tensor_claimed = claimed,
                             .inputs = gradient_x,
                             .has_cost = true,
                             .cost = *cost,
                             .outputs = outputs};
    const gck_check_spec spec = {.model = model,
                                 .parameters = parameters,
                                 .data = data,
                                 .method = (gck_method)index_of(method, method_name, 5),
                                 .epsilon = epsilon,
                                 .directions = 8,
                                 .tolerance = NAN,
                                 .inputs = true,
                                 .claim = &claim,
                                 .worst = 1};
    gck_check *check;
    gck_report *report;
    const double start = now();
    run(&spec, &check, &report);
    const double seconds = now() - start;
    const forward_result forward = {is_told(&spec, report) || is_told_wrong(&spec, check, gradient),
                                    outputs_share(report, outputs, samples * model->outputs),
                                    share(report, report->cost, *cost, report->cost_bar)};
    write_report(report, &forward, seconds);
    gck_report_free(report);
    gck_check_free(check);
    gck_data_free(data);
    free(parameters);
    free(gradient);
    free(gradient_x);
    free(outputs);
    free(cost);
}

int main(void)
{
    gck_error error;
    gck_model *model;
    size_t samples;
    must(gck_kernels_start(NULL, &error), &error);
    must(gck_blas_start(&error), &error);
    while (read_model(&model, &samples)) {
        judge(model, samples);
        gck_model_free(model);
    }
    return EXIT_SUCCESS;
}
