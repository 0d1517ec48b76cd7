#include "client/show.h"
#include "client/terminal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *shape_text(const struct value *array, char text[SHAPE_TEXT_SIZE])
{
    size_t used = 1;
    text[0] = '[';
    for (size_t i = 0; i < field_length(array) && used < SHAPE_TEXT_SIZE - 24; i++) {
        const struct value *item = value_item(array, i);
        used += (size_t)snprintf(text + used, SHAPE_TEXT_SIZE - used, "%s%.0f", i == 0 ? "" : ", ",
                                 value_is_number(item) ? value_number(item) : NAN);
    }
    snprintf(text + used, SHAPE_TEXT_SIZE - used, "]");
    return text;
}

/* ---- the head ---- */

static void show_head(const struct value *result)
{
    const double epsilon = field_number(result, "epsilon");
    const struct value *kinks = field_node(result, "kinks");
    const struct value *detection = field_node(result, "detection");
    char step[48] = "";
    if (!isnan(epsilon)) snprintf(step, sizeof step, ", epsilon %g", epsilon);
    print_line("%s  distance %.3g, refined distance %.3g (%s%s; tolerance %g)",
               field_text(result, "verdict"), field_number(result, "distance"),
               field_number(result, "refined_distance"), field_text(result, "method"), step,
               field_number(result, "tolerance"));
    print_line("cost %.9g, %zu parameters checked, %zu evaluations, %zu with a kink in reach",
               field_number(result, "cost"), field_count(result, "parameters_checked"),
               field_count(result, "evaluations"), field_count(kinks, "parameters"));
    if (detection != NULL)
        print_line("a relative error of %.3g would have been seen with probability %.6g",
                   field_number(detection, "error"), field_number(detection, "probability"));
    printf("\n");
}

/* ---- layers and tensors ---- */

static void add_tensor(struct table *table, const struct value *tensor, const char *name)
{
    char shape[SHAPE_TEXT_SIZE];
    table_cell(table, "%s", "");
    table_cell(table, "%s", name);
    table_cell(table, "%s", shape_text(field_node(tensor, "shape"), shape));
    table_cell(table, "%s", field_text(tensor, "verdict"));
    table_number(table, field_number(tensor, "distance"));
    table_number(table, field_number(tensor, "refined_distance"));
    table_number(table, field_number(tensor, "error_bar"));
    table_count(table, field_count(tensor, "kinks"));
    table_count(table, field_count(tensor, "wrong_elements"));
}

static void add_layer(struct table *table, const struct value *layer)
{
    const struct value *tensors = field_node(layer, "tensors");
    table_cell(table, "%zu %s", field_count(layer, "index"), field_text(layer, "type"));
    table_cell(table, "%s", "");
    table_cell(table, "%s", "");
    table_cell(table, "%s", field_text(layer, "verdict"));
    table_number(table, field_number(layer, "distance"));
    table_number(table, field_number(layer, "refined_distance"));
    for (int i = 0; i < 3; i++)
        table_cell(table, "%s", "");
    for (size_t i = 0; i < field_length(tensors); i++) {
        const struct value *tensor = value_item(tensors, i);
        add_tensor(table, tensor, field_text(tensor, "name"));
    }
}

static void show_tensors(const struct value *result)
{
    struct table table;
    const struct value *layers = field_node(result, "layers"), *x = field_node(result, "inputs");
    table_start(&table, "LAYER|TENSOR|SHAPE|VERDICT|>DISTANCE|>REFINED|>ROUNDING|>KINKS|>WRONG");
    for (size_t i = 0; i < field_length(layers); i++)
        add_layer(&table, value_item(layers, i));
    if (x != NULL) add_tensor(&table, x, "x");
    table_end(&table);
}

/* ---- worst elements ---- */

/* Of a tensor that passes one is enough. */
static void add_worst(struct table *table, const struct value *tensor, const char *place)
{
    const struct value *worst = field_node(tensor, "worst");
    const bool passes = strcmp(field_text(tensor, "verdict"), "pass") == 0;
    char index[SHAPE_TEXT_SIZE];
    for (size_t i = 0; i < field_length(worst) && (i == 0 || !passes); i++) {
        const struct value *element = value_item(worst, i);
        table_cell(table, "%s%s", place, shape_text(field_node(element, "index"), index));
        table_cell(table, "%s", field_text(element, "verdict"));
        table_cell(table, "%.9g", field_number(element, "analytic"));
        table_cell(table, "%.9g", field_number(element, "numeric"));
        table_cell(table, "%.9g", field_number(element, "exact"));
        table_number(table, field_number(element, "absolute_error"));
        table_number(table, field_number(element, "relative_error"));
    }
}

static void show_worst(const struct value *result)
{
    struct table table;
    const struct value *layers = field_node(result, "layers"), *x = field_node(result, "inputs");
    char place[80];
    printf("\n");
    table_start(&table, "WORST|VERDICT|>ANALYTIC|>NUMERIC|>EXACT|>ERROR|>RELATIVE");
    for (size_t i = 0; i < field_length(layers); i++) {
        const struct value *layer = value_item(layers, i);
        const struct value *tensors = field_node(layer, "tensors");
        for (size_t t = 0; t < field_length(tensors); t++) {
            const struct value *tensor = value_item(tensors, t);
            snprintf(place, sizeof place, "%zu.%.60s", field_count(layer, "index"),
                     field_text(tensor, "name"));
            add_worst(&table, tensor, place);
        }
    }
    if (x != NULL) add_worst(&table, x, "x");
    table_end(&table);
}

/* ---- remarks ---- */

static void show_finding(const struct value *finding)
{
    char place[120] = "";
    const double layer = field_number(finding, "layer");
    const char *tensor = field_text(finding, "tensor"), *code = field_text(finding, "code");
    if (!isnan(layer)) snprintf(place, sizeof place, " in layer %.0f", layer);
    if (tensor[0] != '\0')
        snprintf(place + strlen(place), sizeof place - strlen(place), " (%.60s)", tensor);
    print_line("finding: %s%s: %s", code, place, field_text(finding, "message"));
}

void show_remarks(const struct value *result)
{
    const struct value *findings = field_node(result, "findings");
    const struct value *warnings = field_node(result, "warnings");
    if (field_length(findings) + field_length(warnings) > 0) printf("\n");
    for (size_t i = 0; i < field_length(findings); i++)
        show_finding(value_item(findings, i));
    for (size_t i = 0; i < field_length(warnings); i++) {
        const struct value *warning = value_item(warnings, i);
        if (value_is_text(warning)) print_line("warning: %s", value_text(warning));
    }
}

/* How many known mistakes the check would catch; those that it would not are among its warnings. */
static void show_sensitivity(const struct value *rows)
{
    size_t caught = 0;
    for (size_t i = 0; i < field_length(rows); i++)
        caught += field_truth(value_item(rows, i), "caught");
    if (field_length(rows) > 0)
        print_line("\n%zu of %zu known mistakes would be caught", caught, field_length(rows));
}

void show_check(const struct value *result)
{
    show_head(result);
    show_tensors(result);
    show_worst(result);
    show_sensitivity(field_node(result, "sensitivity"));
    show_remarks(result);
}
