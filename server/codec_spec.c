#include "server/codec_spec.h"
#include "server/codec_choice.h"
#include "server/codec_claim.h"
#include "server/codec_probe.h"
#include "server/codec_report.h"

#include <gradcheck/optimizer.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool optional_count(const struct value *object, const struct place *place, const char *name,
                           uint64_t minimum, uint64_t maximum, uint64_t *count)
{
    const struct value *member = value_member(object, name);
    const struct place at = place_key(place, name);
    return member == NULL || read_count(member, &at, minimum, maximum, count);
}

static bool optional_number(const struct value *object, const struct place *place, const char *name,
                            double minimum, double maximum, double *number)
{
    const struct value *member = value_member(object, name);
    const struct place at = place_key(place, name);
    return member == NULL || read_number(member, &at, minimum, maximum, number);
}

static bool optional_boolean(const struct value *object, const struct place *place,
                             const char *name, bool *truth)
{
    const struct value *member = value_member(object, name);
    const struct place at = place_key(place, name);
    return member == NULL || read_boolean(member, &at, truth);
}

/* ---- what every job has ---- */

static bool text_is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) return false;
    return true;
}

static bool read_labels(const struct value *value, const struct place *place, struct labels *labels)
{
    if (!value_is_object(value)) return read_object(value, place, NULL, 0);
    const size_t count = value_count(value);
    if (count > LABELS_MAX)
        return place_fail(place, "must have at most %d labels, got %zu", LABELS_MAX, count);
    labels->label = calloc(count + 1, sizeof *labels->label);
    if (labels->label == NULL) return place_fail_memory(place);
    void *iterator = NULL;
    const struct value *member;
    const char *name, *text;
    while ((name = value_next(value, &iterator, &member)) != NULL) {
        const struct place at = place_key(place, name);
        if (!name_is_valid(name))
            return place_fail(&at, "names of labels are [A-Za-z0-9][A-Za-z0-9._-]{0,63}");
        if (!read_text(member, &at, &text)) return false;
        if (*text == '\0' || strlen(text) >= LABEL_VALUE_SIZE || !text_is_plain(text))
            return place_fail(&at, "must have 1 to 256 bytes without control characters");
        struct label *label = &labels->label[labels->count++];
        memcpy(label->name, name, strlen(name) + 1);
        memcpy(label->value, text, strlen(text) + 1);
    }
    return true;
}

static bool read_priority(const struct value *value, const struct place *place,
                          enum job_priority *priority)
{
    const char *text;
    if (!read_text(value, place, &text)) return false;
    const int found = job_priority_find(text, strlen(text));
    if (found < 0) return place_fail(place, "must be \"low\", \"normal\" or \"high\"");
    *priority = (enum job_priority)found;
    return true;
}

static bool read_common(const struct value *root, const struct place *place, struct spec *spec)
{
    const struct value *labels = value_member(root, "labels");
    const struct value *priority = value_member(root, "priority");
    const struct place at_labels = place_key(place, "labels");
    const struct place at_priority = place_key(place, "priority");
    return (labels == NULL || read_labels(labels, &at_labels, &spec->labels)) &&
           (priority == NULL || read_priority(priority, &at_priority, &spec->priority));
}

/* ---- checks ---- */

static bool read_method(const struct value *value, const struct place *place, gck_method *ret)
{
    const char *text;
    if (!read_text(value, place, &text)) return false;
    for (int method = GCK_CENTRAL; method <= GCK_DIRECTIONAL; method++)
        if (strcmp(text, gck_method_name((gck_method)method)) == 0) {
            *ret = (gck_method)method;
            return true;
        }
    return place_fail(place,
                      "\"%.60s\" is no method; there are central, forward, complex_step, ridders "
                      "and directional",
                      text);
}

/* epsilon and directions, each where the method has it. */
static bool read_steps(const struct value *value, const struct place *place, gck_check_spec *check)
{
    const bool stepped = check->method == GCK_CENTRAL || check->method == GCK_FORWARD;
    const struct place at_epsilon = place_key(place, "epsilon");
    const struct place at_directions = place_key(place, "directions");
    uint64_t directions = check->directions;
    if (!stepped && value_given(value, "epsilon") != NULL)
        return place_fail(&at_epsilon, "the method %s has no epsilon",
                          gck_method_name(check->method));
    if (check->method != GCK_DIRECTIONAL && value_given(value, "directions") != NULL)
        return place_fail(&at_directions, "only the method directional has directions");
    if (!optional_number(value, place, "epsilon", 1e-12, 1, &check->epsilon) ||
        !optional_count(value, place, "directions", 1, GCK_DIRECTIONS_MAX, &directions))
        return false;
    check->directions = (size_t)directions;
    return true;
}

static bool read_layer_list(const struct value *value, const struct place *place, struct spec *spec)
{
    if (!read_array(value, place)) return false;
    spec->layer_checked = calloc(spec->model->layer_count, sizeof *spec->layer_checked);
    if (spec->layer_checked == NULL) return place_fail_memory(place);
    for (size_t i = 0; i < value_count(value); i++) {
        const struct place at = place_index(place, i);
        uint64_t layer;
        if (!read_count(value_item(value, i), &at, 0, spec->model->layer_count - 1, &layer))
            return false;
        if (spec->layer_checked[layer])
            return place_fail(&at, "layer %llu is named twice", (unsigned long long)layer);
        spec->layer_checked[layer] = true;
    }
    spec->check.layer_checked = spec->layer_checked;
    return true;
}

static bool read_include(const struct value *value, const struct place *place, struct spec *spec)
{
    if (!read_array(value, place)) return false;
    for (size_t i = 0; i < value_count(value); i++) {
        const struct place at = place_index(place, i);
        const char *text;
        if (!read_text(value_item(value, i), &at, &text)) return false;
        if (strcmp(text, "gradients") != 0)
            return place_fail(&at, "\"%.60s\" cannot be included; \"gradients\" can", text);
        spec->include_gradients = true;
    }
    return true;
}

static bool read_check_lists(const struct value *value, const struct place *place,
                             struct spec *spec)
{
    const struct value *method = value_member(value, "method");
    const struct value *layers = value_given(value, "layers");
    const struct value *include = value_member(value, "include");
    const struct place at_method = place_key(place, "method");
    const struct place at_layers = place_key(place, "layers");
    const struct place at_include = place_key(place, "include");
    return (method == NULL || read_method(method, &at_method, &spec->check.method)) &&
           (layers == NULL || read_layer_list(layers, &at_layers, spec)) &&
           (include == NULL || read_include(include, &at_include, spec));
}

static bool read_check(const struct value *value, const struct place *place, struct spec *spec)
{
    static const char *const names[] = {
        "method",  "epsilon", "directions",  "tolerance",         "layers", "inputs", "worst",
        "include", "claimed", "sensitivity", "time_limit_seconds"};
    const struct place at_tolerance = place_key(place, "tolerance");
    gck_check_spec *check = &spec->check;
    uint64_t worst = check->worst;
    if (!read_object(value, place, names, COUNT(names))) return false;
    const struct value *tolerance = value_given(value, "tolerance");
    if (!read_check_lists(value, place, spec) || !read_steps(value, place, check) ||
        (tolerance != NULL && !read_number(tolerance, &at_tolerance, 0, 1, &check->tolerance)) ||
        !optional_boolean(value, place, "inputs", &check->inputs) ||
        !optional_boolean(value, place, "sensitivity", &spec->sensitivity) ||
        !optional_count(value, place, "worst", 0, GCK_WORST_MAX, &worst) ||
        !optional_number(value, place, "time_limit_seconds", 1e-3, 31536000,
                         &spec->time_limit_seconds))
        return false;
    check->worst = (size_t)worst;
    return true;
}

static double data_bytes(const gck_data *data)
{
    if (data == NULL) return 0;
    return sizeof(double) * ((double)data->inputs + (double)data->outputs) * (double)data->samples;
}

/* 413 for a job that needs more memory than any may. */
static bool memory_admits(const struct place *place, const struct limits *limits, double bytes,
                          double operations, struct spec *spec)
{
    spec->memory_bytes = bytes + data_bytes(spec->data);
    if (spec->memory_bytes <= (double)limits->job_bytes) return true;
    return problem_set(place->problem, PROBLEM_TOO_LARGE,
                       "this job needs an estimated %.3g bytes of memory (and %.3g operations); "
                       "the limit is %zu bytes",
                       spec->memory_bytes, operations, limits->job_bytes);
}

/* Numbers of both gradients in the result. */
static double included_numbers(const struct spec *spec, const gck_check_cost *cost)
{
    const double x = (double)spec->data->samples * (double)spec->data->inputs;
    return 2 * ((double)cost->parameters + (spec->check.inputs ? x : 0));
}

/* What is claimed, or NULL. */
static const struct value *claimed_of(const struct value *root)
{
    const struct value *check = value_member(root, "check");
    return check == NULL ? NULL : value_given(check, "claimed");
}

static bool read_claimed(const struct value *root, const struct place *place,
                         const struct written_model *written, struct spec *spec)
{
    const struct value *claimed = claimed_of(root);
    const struct place at_claimed = place_key(place, "claimed");
    const struct place at_inputs = place_key(place, "inputs");
    if (claimed == NULL) return true;
    const bool inputs = spec->check.inputs;
    spec->check.inputs = false;
    if (!read_claim(claimed, &at_claimed, written, spec)) return false;
    return !inputs || spec->check.inputs ||
           place_fail(&at_inputs, "x cannot be checked: claimed has no inputs");
}

static bool decode_check(const struct value *root, const struct place *place,
                         const struct limits *limits, const struct written_model *written,
                         struct spec *spec)
{
    const struct value *check = value_member(root, "check");
    const struct place at = place_key(place, "check");
    spec->check = (gck_check_spec){.model = spec->model,
                                   .data = spec->data,
                                   .method = GCK_CENTRAL,
                                   .epsilon = 1e-4,
                                   .directions = 8,
                                   .tolerance = NAN,
                                   .worst = 5};
    if (check != NULL && !read_check(check, &at, spec)) return false;
    if (!read_claimed(root, &at, written, spec)) return false;
    gck_check_cost cost;
    gck_check_estimate(&spec->check, spec->data->samples, &cost);
    if (cost.parameters == 0 && !spec->check.inputs)
        return place_fail(&at, "leaves nothing to check: %s",
                          spec->claim != NULL ? "layers has none that is claimed"
                                              : "no layer with parameters, no inputs");
    const double rooms = fmin((double)limits->workers, cost.grains);
    double bytes = cost.memory_bytes + cost.grains * sizeof(gck_partial);
    if (rooms > 1) bytes += (rooms - 1) * cost.grain_bytes;
    if (spec->claim != NULL || spec->sensitivity) bytes += claim_bytes(spec, &cost);
    if (spec->include_gradients) bytes += included_numbers(spec, &cost) * REPORT_BYTES_A_NUMBER;
    return memory_admits(place, limits, bytes, cost.operations, spec);
}

/* ---- trainings ---- */

static bool read_training(const struct value *value, const struct place *place, struct spec *spec)
{
    static const char *const names[] = {"epochs", "batch_size",       "optimizer",  "shuffle",
                                        "seed",   "validation_split", "check_every"};
    const struct place at_optimizer = place_key(place, "optimizer");
    const struct place at_batch = place_key(place, "batch_size");
    gck_train_spec *train = &spec->train;
    uint64_t epochs = train->epochs, batch = 0, check_every = 0;
    if (!read_object(value, place, names, COUNT(names))) return false;
    const struct value *optimizer = value_member(value, "optimizer");
    const struct value *batch_size = value_given(value, "batch_size");
    if (!optional_count(value, place, "epochs", 1, GCK_EPOCHS_MAX, &epochs) ||
        (batch_size != NULL && !read_count(batch_size, &at_batch, 1, EXACT_MAX, &batch)) ||
        (optimizer != NULL &&
         !read_choice(optimizer, &at_optimizer, &gck_optimizers, &train->optimizer)) ||
        !optional_boolean(value, place, "shuffle", &train->shuffle) ||
        !optional_count(value, place, "seed", 0, EXACT_MAX, &train->seed) ||
        !optional_number(value, place, "validation_split", 0, nextafter(1, 0),
                         &train->validation_split) ||
        !optional_count(value, place, "check_every", 0, GCK_EPOCHS_MAX, &check_every))
        return false;
    train->epochs = (size_t)epochs;
    train->batch_size = (size_t)batch;
    train->check_every = (size_t)check_every;
    return true;
}

static bool decode_training(const struct value *root, const struct place *place,
                            const struct limits *limits, struct spec *spec)
{
    const struct value *training;
    const struct place at = place_key(place, "training");
    spec->train = (gck_train_spec){.epochs = 100,
                                   .optimizer = gck_choice_named(&gck_optimizers, "sgd"),
                                   .shuffle = true,
                                   .seed = 1};
    if (!read_required(root, place, "training", &training) || !read_training(training, &at, spec))
        return false;
    spec->train.model = spec->model;
    spec->train.data = spec->data;
    if (spec->train.check_every > 0 && spec->model->parameter_count == 0)
        return place_fail(&at, "a network without parameters has nothing to check");
    double operations, bytes;
    gck_train_estimate(&spec->train, &operations, &bytes);
    return memory_admits(place, limits, bytes, operations, spec);
}

/* ---- whole bodies ---- */

struct body {
    struct document *document;
    const struct value *root;
    struct place place;
};

static bool body_open(struct body *body, const struct blob *bytes, const struct limits *limits,
                      struct problem *problem)
{
    body->place = (struct place){.problem = problem};
    body->document = document_decode(bytes->data, bytes->size, limits, problem);
    if (body->document == NULL) return false;
    body->root = document_root(body->document);
    return true;
}

static bool decode_probe(const struct body *body, const struct limits *limits, struct spec *spec)
{
    static const char *const members[] = {"theta",     "claimed", "cost",   "dtype",   "budget",
                                          "tolerance", "seed",    "labels", "priority"};
    static const struct probe_names names = {"claimed", "cost"};
    if (!read_object(body->root, &body->place, members, COUNT(members)) ||
        !read_common(body->root, &body->place, spec) ||
        !read_probe(body->root, &body->place, &names, &spec->probe))
        return false;
    spec->time_limit_seconds = (double)limits->probe_seconds;
    return memory_admits(&body->place, limits, probe_bytes(spec->probe), 0, spec);
}

static bool decode_body(const struct body *body, const char *part, const struct limits *limits,
                        struct spec *spec)
{
    if (spec->kind == JOB_PROBE) return decode_probe(body, limits, spec);

    const char *const names[] = {"model", "data", "labels", "priority", part};
    const struct place at_model = place_key(&body->place, "model");
    const struct place at_data = place_key(&body->place, "data");
    const struct value *model, *data;
    struct written_model written;
    if (!read_object(body->root, &body->place, names, COUNT(names)) ||
        !read_common(body->root, &body->place, spec) ||
        !read_required(body->root, &body->place, "model", &model) ||
        !read_model(model, &at_model, &written))
        return false;
    spec->model = written.model;
    spec->convention = written.convention;
    if (!read_required(body->root, &body->place, "data", &data) ||
        !read_data(data, &at_data, &written, limits->job_bytes, &spec->data))
        return false;
    const bool decoded = spec->kind == JOB_CHECK
                             ? decode_check(body->root, &body->place, limits, &written, spec)
                             : decode_training(body->root, &body->place, limits, spec);
    /* Last, since drawing the parameters of a network that is too large takes long. */
    if (!decoded || !read_model_parameters(model, &at_model, &written, &spec->parameters))
        return false;
    spec->check.parameters = spec->train.parameters = spec->parameters;
    if (spec->claim == NULL) return true;
    const struct place at_check = place_key(&body->place, "check");
    const struct place at_claimed = place_key(&at_check, "claimed");
    return read_claim_numbers(claimed_of(body->root), &at_claimed, &written, spec);
}

struct spec *codec_spec_decode(enum job_kind kind, const struct blob *bytes,
                               const struct limits *limits, struct problem *problem)
{
    struct body body;
    if (!body_open(&body, bytes, limits, problem)) return NULL;
    struct spec *spec = calloc(1, sizeof *spec);
    bool decoded = spec != NULL || place_fail_memory(&body.place);
    if (decoded) {
        spec->kind = kind;
        spec->priority = PRIORITY_NORMAL;
        spec->time_limit_seconds = INFINITY;
        decoded = decode_body(&body, kind == JOB_CHECK ? "check" : "training", limits, spec);
    }
    document_free(body.document);
    if (decoded) return spec;
    spec_free(spec);
    return NULL;
}

bool codec_spec_model(const struct blob *bytes, const struct limits *limits,
                      struct written_model *ret_written, struct problem *problem)
{
    struct body body;
    if (!body_open(&body, bytes, limits, problem)) return false;
    const struct place at = place_key(&body.place, "model");
    const struct value *value;
    const bool decoded = read_required(body.root, &body.place, "model", &value) &&
                         read_model(value, &at, ret_written);
    document_free(body.document);
    return decoded;
}

/* A summary does not use the parameters given, but says what is wrong with them. */
static bool parameters_are_sound(const struct value *value, const struct place *place,
                                 const struct limits *limits, const struct written_model *written)
{
    double *parameters = NULL;
    if (value_member(value, "parameters") == NULL) return true;
    if (written->model->parameter_count > limits->job_bytes / sizeof *parameters)
        return problem_set(place->problem, PROBLEM_TOO_LARGE, "these parameters are too many");
    const bool sound = read_model_parameters(value, place, written, &parameters);
    gck_vector_free(parameters);
    return sound;
}

bool codec_summary_decode(const struct blob *bytes, const struct limits *limits,
                          gck_model **ret_model, size_t *ret_samples, struct problem *problem)
{
    static const char *const names[] = {"model", "samples"};
    struct body body;
    if (!body_open(&body, bytes, limits, problem)) return false;
    const struct place at = place_key(&body.place, "model");
    const struct value *value;
    struct written_model written = {0};
    uint64_t samples = 1;
    const bool decoded =
        read_object(body.root, &body.place, names, COUNT(names)) &&
        optional_count(body.root, &body.place, "samples", 1, UINT32_MAX, &samples) &&
        read_required(body.root, &body.place, "model", &value) &&
        read_model(value, &at, &written) && parameters_are_sound(value, &at, limits, &written);
    *ret_model = written.model;
    *ret_samples = (size_t)samples;
    document_free(body.document);
    return decoded;
}

static bool decode_prediction(const struct body *body, const struct written_model *written,
                              const struct limits *limits, gck_data **ret_data, bool *ret_with_y)
{
    static const char *const names[] = {"x", "y"};
    const struct value *x_value;
    const struct place at = place_key(&body->place, "x");
    if (!read_object(body->root, &body->place, names, COUNT(names)) ||
        !read_required(body->root, &body->place, "x", &x_value))
        return false;
    *ret_with_y = value_member(body->root, "y") != NULL;
    const gck_model *model = written->model;
    if (*ret_with_y)
        return read_data(body->root, &body->place, written, limits->job_bytes, ret_data);
    size_t samples;
    double *x;
    gck_error error;
    if (!read_x(x_value, &at, written, &samples, &x)) return false;
    const double bytes = sizeof(double) * (double)samples * (double)model->outputs;
    const bool fits =
        bytes <= (double)limits->job_bytes ||
        problem_set(body->place.problem, PROBLEM_TOO_LARGE,
                    "the outputs take %.0f bytes; the limit is %zu", bytes, limits->job_bytes);
    if (!fits ||
        gck_data_new(samples, model->inputs, model->outputs, false, ret_data, &error) != GCK_OK) {
        gck_vector_free(x);
        return fits && place_fail_error(&body->place, &error);
    }
    gck_vector_free((*ret_data)->x);
    (*ret_data)->x = x;
    return true;
}

bool codec_prediction_decode(const struct blob *bytes, const struct limits *limits,
                             const struct written_model *written, gck_data **ret_data,
                             bool *ret_with_y, struct problem *problem)
{
    struct body body;
    if (!body_open(&body, bytes, limits, problem)) return false;
    const bool decoded = decode_prediction(&body, written, limits, ret_data, ret_with_y);
    document_free(body.document);
    return decoded;
}
