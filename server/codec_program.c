#include "server/codec_program.h"
#include "server/codec_probe.h"
#include "server/codec_read.h"
#include "server/codec_tensor.h"

#include <math.h>

/* ---- lines to a program ---- */

struct blob *program_start(const char *parameter, uint64_t number, uint64_t seed)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "op", write_text(&w, "start"));
    if (parameter != NULL) {
        struct value *values = write_object(&w);
        write_member(&w, values, parameter, write_count(&w, number));
        write_member(&w, object, "case", values);
    }
    write_member(&w, object, "seed", write_count(&w, seed));
    return write_blob(&w, object);
}

struct blob *program_eval(gck_session *session, const struct probe *probe)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "op", write_text(&w, "eval"));
    write_member(&w, object, "points", write_points(&w, session, probe));
    return write_blob(&w, object);
}

/* ---- lines from a program ---- */

bool program_started(const struct blob *line, const struct limits *limits, struct probe **ret_probe,
                     struct problem *problem)
{
    static const char *const members[] = {"f",      "theta",     "gradients", "dtype",
                                          "budget", "tolerance", "seed"};
    static const struct probe_names names = {"gradients", "f"};
    const struct place place = {.problem = problem};
    struct document *document = document_decode(line->data, line->size, limits, problem);
    if (document == NULL) return false;
    const struct value *root = document_root(document);
    const bool read = read_object(root, &place, members, COUNT(members)) &&
                      read_probe(root, &place, &names, ret_probe);
    document_free(document);
    return read;
}

static bool read_values(const struct value *root, const struct place *place, size_t asked,
                        double **ret_values)
{
    static const char *const members[] = {"values"};
    const struct place at = place_key(place, "values");
    const struct value *values;
    size_t count;
    if (!read_object(root, place, members, COUNT(members)) ||
        !read_required(root, place, "values", &values))
        return false;
    if (value_is_array(values) && value_count(values) != asked)
        return place_fail(&at, "must be %zu values, one a point, got %zu", asked,
                          value_count(values));
    return read_probe_values(values, &at, ret_values, &count);
}

bool program_evaluated(const struct blob *line, const struct limits *limits, size_t asked,
                       double **ret_values, struct problem *problem)
{
    const struct place place = {.problem = problem};
    struct document *document = document_decode(line->data, line->size, limits, problem);
    if (document == NULL) return false;
    const bool read = read_values(document_root(document), &place, asked, ret_values);
    document_free(document);
    return read;
}

/* ---- for a server ---- */

/* A number by itself that is none: null would say that nothing is claimed. */
static struct value *number_of(struct writer *w, double number)
{
    if (isfinite(number)) return write_number(w, number);
    return write_text(w, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}

static struct value *values_of(struct writer *w, const gck_session_tensor *tensor,
                               const double *values)
{
    return tensor->shape.rank == 0 ? number_of(w, values[0])
                                   : write_tensor(w, &tensor->shape, values);
}

struct blob *codec_probe_body(const struct probe *probe)
{
    struct writer w = {0};
    const gck_session_spec *core = &probe->core;
    struct value *object = write_object(&w), *theta = write_object(&w), *claimed = write_object(&w);
    for (size_t i = 0; i < core->tensor_count; i++) {
        const gck_session_tensor *tensor = &probe->tensor[i];
        write_member(&w, theta, tensor->name, values_of(&w, tensor, tensor->theta));
        if (tensor->claimed != NULL)
            write_member(&w, claimed, tensor->name, values_of(&w, tensor, tensor->claimed));
    }
    write_member(&w, object, "theta", theta);
    write_member(&w, object, "claimed", claimed);
    write_member(&w, object, "cost", write_number(&w, core->value));
    write_member(&w, object, "dtype", write_text(&w, gck_dtype_name(core->dtype)));
    write_member(&w, object, "tolerance", write_number(&w, core->tolerance));
    write_member(&w, object, "budget", write_count(&w, core->budget));
    write_member(&w, object, "seed", write_count(&w, core->seed));
    return write_blob(&w, object);
}
