/* What a check would not catch, as a warning, and what would change that. */
#include <gradcheck/finding.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAMED = 3, TEXT = 240 };

/* Tolerances from here on hide mistakes of ordinary size. */
#define LOOSE 1e-4

static void append(char text[TEXT], const char *more)
{
    const size_t used = strlen(text);
    snprintf(text + used, TEXT - used, "%s", more);
}

/* " in layer 1 W", " in layer 1", " in the gradient of x" */
static void place_append(char text[TEXT], const gck_mistake *mistake)
{
    char place[TEXT];
    if (mistake->layer == GCK_FINDING_NO_LAYER) {
        append(text, " in the gradient of x");
        return;
    }
    snprintf(place, sizeof place, " in layer %zu%s%s", mistake->layer,
             mistake->tensor != NULL ? " " : "", mistake->tensor != NULL ? mistake->tensor : "");
    append(text, place);
}

/* "scaled (mean_missing) in layer 1 W, …" */
static size_t missed_format(size_t count, const gck_sensitivity_row *row, char text[TEXT])
{
    size_t missed = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char one[TEXT] = "";
        const gck_mistake *mistake = &row[i].mistake;
        if (row[i].caught || missed++ >= NAMED) continue;
        snprintf(one, sizeof one, "%s%s (%s)", missed > 1 ? ", " : "",
                 gck_finding_code_name(mistake->code), mistake->name);
        append(text, one);
        place_append(text, mistake);
    }
    if (missed > NAMED) append(text, " and others");
    return missed;
}

/* ---- what would give it power ---- */

static bool shows_nothing(const gck_tensor_report *tensor)
{
    return tensor->norms.exact <= tensor->norms.bar;
}

static bool any_shows_nothing(const gck_report *report)
{
    for (size_t i = 0; i < report->layer_count; i++)
        for (size_t t = 0; t < report->layer[i].tensor_count; t++)
            if (shows_nothing(&report->layer[i].tensor[t])) return true;
    return report->has_inputs && shows_nothing(&report->inputs);
}

static bool is_constant(const double *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] != values[0]) return false;
    return true;
}

/* Weights that are all the same make units that are. */
static bool any_weights_are_equal(const gck_check_spec *spec)
{
    for (size_t i = 0; i < spec->model->layer_count; i++) {
        const gck_layer *layer = &spec->model->layer[i];
        if (layer->tensor_count > 0 && layer->tensor[0].count > 1 &&
            is_constant(spec->parameters + layer->tensor[0].offset, layer->tensor[0].count))
            return true;
    }
    return false;
}

static void propose(char text[TEXT], const char *proposal)
{
    if (text[0] != '\0') append(text, "; ");
    append(text, proposal);
}

static void proposals_format(const gck_check_spec *spec, const gck_report *report, char text[TEXT])
{
    text[0] = '\0';
    if (any_shows_nothing(report)) propose(text, "parameters or data at which no gradient is zero");
    if (any_weights_are_equal(spec)) propose(text, "weights that differ");
    if (spec->data->samples > 1 &&
        is_constant(spec->data->y, spec->data->samples * spec->data->outputs))
        propose(text, "targets that differ");
    if (report->tolerance >= LOOSE) propose(text, "a claim in float64, or a smaller tolerance");
    if (text[0] == '\0') propose(text, "random parameters and biases, and random data of size 1");
}

gck_status gck_sensitivity_warn(const gck_check_spec *spec, size_t count,
                                const gck_sensitivity_row *row, gck_report *report,
                                gck_error *error)
{
    char missed_text[TEXT], proposals[TEXT];
    const size_t missed = missed_format(count, row, missed_text);
    gck_status status = GCK_OK;
    if (spec->data->samples == 1)
        status = gck_report_warn(report, error,
                                 "there is one sample: mistakes that concern the mean over the "
                                 "batch change nothing; two or more samples would show them");
    if (status != GCK_OK || missed == 0) return status;
    proposals_format(spec, report, proposals);
    status = gck_report_warn(report, error, "%zu of %zu known mistakes would pass this check: %s",
                             missed, count, missed_text);
    if (status != GCK_OK) return status;
    return gck_report_warn(report, error, "what would give this check more power: %s", proposals);
}
