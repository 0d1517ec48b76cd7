/* What there is to choose from, what a model is made of, and what went wrong. */
#include "server/codec_report.h"
#include "server/codec_tensor.h"

#include <gradcheck/activation.h>
#include <gradcheck/cost.h>
#include <gradcheck/initializer.h>
#include <gradcheck/optimizer.h>

#include <math.h>
#include <string.h>

static struct value *default_value(struct writer *w, const gck_option *option)
{
    if (option->required) return write_null();
    switch (option->kind) {
    case GCK_OPTION_BOOLEAN:
        return write_boolean(w, option->fallback != 0);
    case GCK_OPTION_WORD:
        return write_text(w, option->words[(size_t)option->fallback]);
    case GCK_OPTION_ACTIVATION:
    case GCK_OPTION_INITIALIZER:
        return write_text(w, option->item);
    default:
        return write_number(w, option->fallback);
    }
}

static struct value *option_value(struct writer *w, const gck_option *option)
{
    struct value *object = write_object(w);
    write_member(w, object, "name", write_text(w, option->name));
    write_member(w, object, "default", default_value(w, option));
    if (option->required) write_member(w, object, "required", write_boolean(w, true));
    if (option->kind == GCK_OPTION_NUMBER || option->kind == GCK_OPTION_INTEGER) {
        write_member(w, object, "minimum", write_number(w, option->minimum));
        write_member(w, object, "maximum", write_number(w, option->maximum));
    }
    if (option->kind == GCK_OPTION_WORD) {
        struct value *words = write_array(w);
        for (size_t i = 0; option->words[i] != NULL; i++)
            write_item(w, words, write_text(w, option->words[i]));
        write_member(w, object, "values", words);
    }
    return object;
}

static struct value *item_value(struct writer *w, const gck_item *item)
{
    struct value *object = write_object(w), *options = write_array(w);
    write_member(w, object, "type", write_text(w, item->name));
    if (item->alias[0] != NULL) {
        struct value *aliases = write_array(w);
        for (size_t i = 0; i < sizeof item->alias / sizeof item->alias[0]; i++)
            if (item->alias[i] != NULL) write_item(w, aliases, write_text(w, item->alias[i]));
        write_member(w, object, "aliases", aliases);
    }
    write_member(w, object, "formula", write_text(w, item->formula));
    const size_t count = gck_item_option_count(item);
    for (size_t i = 0; i < count; i++)
        write_item(w, options, option_value(w, &item->option[i]));
    write_member(w, object, "options", options);
    return object;
}

struct blob *codec_catalog(void)
{
    static const struct {
        const char *name;
        const gck_table *table;
    } tables[] = {{"activations", &gck_activations},
                  {"costs", &gck_costs},
                  {"layers", &gck_layers},
                  {"initializers", &gck_initializers},
                  {"optimizers", &gck_optimizers}};
    struct writer w = {0};
    struct value *object = write_object(&w);
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        struct value *array = write_array(&w);
        for (size_t i = 0; i < tables[t].table->count; i++)
            write_item(&w, array, item_value(&w, tables[t].table->rows[i]));
        write_member(&w, object, tables[t].name, array);
    }
    return write_blob(&w, object);
}

static struct value *layer_summary(struct writer *w, const gck_layer *layer)
{
    struct value *object = write_object(w);
    size_t parameters = 0;
    for (size_t t = 0; t < layer->tensor_count; t++)
        parameters += layer->tensor[t].count;
    write_member(w, object, "index", write_count(w, layer->index));
    write_member(w, object, "type", write_text(w, gck_layer_name(layer)));
    write_member(w, object, "output_shape", write_shape(w, &layer->output));
    write_member(w, object, "parameters", write_count(w, parameters));
    return object;
}

struct blob *codec_summary(const gck_model *model, size_t samples)
{
    struct writer w = {0};
    struct value *object = write_object(&w), *layers = write_array(&w), *check = write_object(&w);
    for (size_t i = 0; i < model->layer_count; i++)
        write_item(&w, layers, layer_summary(&w, &model->layer[i]));
    gck_check_cost cost;
    const gck_check_spec spec = {.model = model, .method = GCK_CENTRAL, .epsilon = 1e-4};
    gck_check_estimate(&spec, samples, &cost);
    write_member(&w, check, "evaluations", write_count(&w, (size_t)cost.evaluations));
    write_member(&w, check, "operations", write_number(&w, ceil(cost.operations)));
    write_member(&w, check, "memory_bytes", write_number(&w, ceil(cost.memory_bytes)));
    write_member(&w, object, "layers", layers);
    write_member(&w, object, "parameters", write_count(&w, model->parameter_count));
    write_member(&w, object, "check", check);
    return write_blob(&w, object);
}

static struct value *errors_value(struct writer *w, const struct problem *problem)
{
    struct value *array = write_array(w), *error = write_object(w);
    write_member(w, error, "pointer", write_text(w, problem->pointer));
    write_member(w, error, "detail", write_text(w, problem->detail));
    write_item(w, array, error);
    return array;
}

struct blob *codec_no_memory(void)
{
    static char text[] =
        "{\"type\":\"urn:gradcheckd:problem:out-of-memory\",\"title\":\"Memory is "
        "out\",\"status\":503,\"detail\":\"memory is out\"}";
    static struct blob document = {.references = 1, .size = sizeof text - 1, .data = text};
    return &document; /* whose one reference stays */
}

struct blob *codec_problem(const struct problem *problem, const char *instance)
{
    char type[80] = "urn:gradcheckd:problem:";
    strncat(type, problem_name(problem->type), sizeof type - strlen(type) - 1);
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "type", write_text(&w, type));
    write_member(&w, object, "title", write_text(&w, problem_title(problem->type)));
    write_member(&w, object, "status", write_count(&w, (size_t)problem_status(problem->type)));
    write_member(&w, object, "detail", write_text(&w, problem->detail));
    if (instance != NULL) write_member(&w, object, "instance", write_text(&w, instance));
    if (problem->pointed) write_member(&w, object, "errors", errors_value(&w, problem));
    struct blob *document = write_blob(&w, object);
    return document != NULL ? document : blob_ref(codec_no_memory());
}
