#include "server/codec_probe.h"
#include "server/codec_claim.h"
#include "server/codec_named.h"
#include "server/codec_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORST = 5 };

/* ---- tensors ---- */

/* Where in the slab the next tensor goes, and where it is in the body. */
struct reader {
    struct probe *probe;
    const struct value *claimed; /* NULL: nothing is */
    struct place at_theta, at_claimed;
    double *next;
};

static bool read_values(const struct value *value, const struct place *place,
                        const gck_shape *shape, bool any, double *values)
{
    return shape->rank == 0 ? read_scalar(value, place, any, values)
                            : read_tensor(value, place, shape, "this", any, values);
}

static bool read_one(struct reader *r, size_t index, const char *name, const struct value *theta)
{
    gck_session_tensor *tensor = &r->probe->tensor[index];
    const struct value *claimed = r->claimed == NULL ? NULL : value_given(r->claimed, name);
    const struct place at = place_key(&r->at_theta, name),
                       at_claim = place_key(&r->at_claimed, name);
    size_t count = 0;
    r->probe->name[index] = strdup(name);
    if (r->probe->name[index] == NULL) return place_fail_memory(&at);
    tensor->name = r->probe->name[index];
    tensor->shape = value_shape(theta);
    if (!gck_shape_count(&tensor->shape, &count)) return place_fail(&at, "has no elements");
    tensor->theta = r->next;
    if (!read_values(theta, &at, &tensor->shape, false, r->next)) return false;
    r->next += count;
    if (claimed == NULL) return true;
    tensor->claimed = r->next;
    if (!read_same_shape(claimed, &at_claim, &tensor->shape, "theta") ||
        !read_values(claimed, &at_claim, &tensor->shape, true, r->next))
        return false;
    r->next += count;
    return true;
}

static bool read_all(struct reader *r, const struct value *theta)
{
    void *iterator = NULL;
    const struct value *member;
    const char *name;
    for (size_t i = 0; (name = value_next(theta, &iterator, &member)) != NULL; i++) {
        r->probe->core.tensor_count = i + 1;
        if (!read_one(r, i, name, member)) return false;
    }
    r->probe->core.tensor = r->probe->tensor;
    return true;
}

/* Room for theta and as much again that is claimed: what is there is checked before it is read. */
static bool room_take(struct reader *r, const struct value *theta)
{
    void *iterator = NULL;
    const struct value *member;
    const char *name;
    size_t total = 0, count;
    while ((name = value_next(theta, &iterator, &member)) != NULL) {
        const struct place at = place_key(&r->at_theta, name);
        const gck_shape shape = value_shape(member);
        if (!gck_shape_count(&shape, &count)) return place_fail(&at, "has no elements");
        if (shape.rank > 0 && !read_extent(member, &at, &shape, "this")) return false;
        total += 2 * count;
    }
    const size_t tensors = value_count(theta);
    r->probe->tensor = calloc(tensors + 1, sizeof *r->probe->tensor);
    r->probe->name = calloc(tensors + 1, sizeof *r->probe->name);
    r->probe->slab = r->next = gck_vector_room(total + 1);
    return (r->probe->tensor != NULL && r->probe->name != NULL && r->probe->slab != NULL) ||
           place_fail_memory(&r->at_theta);
}

static bool read_tensors(const struct value *root, const struct place *place,
                         const struct probe_names *names, struct probe *probe)
{
    const struct value *theta, *claimed;
    struct reader r = {.probe = probe,
                       .at_theta = place_key(place, "theta"),
                       .at_claimed = place_key(place, names->claimed)};
    if (!read_required(root, place, "theta", &theta) ||
        !read_required(root, place, names->claimed, &claimed))
        return false;
    if (!value_is_object(theta))
        return place_fail(&r.at_theta, "must be an object, got %s", value_kind(theta));
    if (!value_is_object(claimed))
        return place_fail(&r.at_claimed, "must be an object, got %s", value_kind(claimed));
    if (value_count(theta) > GCK_SESSION_TENSORS_MAX)
        return place_fail(&r.at_theta, "must have at most %d tensors, got %zu",
                          GCK_SESSION_TENSORS_MAX, value_count(theta));
    r.claimed = claimed;
    return read_known_names(claimed, &r.at_claimed, theta, "theta") && room_take(&r, theta) &&
           read_all(&r, theta);
}

/* ---- options ---- */

static bool optional_number(const struct value *root, const struct place *place, const char *name,
                            double minimum, double maximum, double *ret)
{
    const struct value *value = value_given(root, name);
    const struct place at = place_key(place, name);
    return value == NULL || read_number(value, &at, minimum, maximum, ret);
}

static bool optional_count(const struct value *root, const struct place *place, const char *name,
                           uint64_t maximum, uint64_t *ret)
{
    const struct value *value = value_given(root, name);
    const struct place at = place_key(place, name);
    return value == NULL || read_count(value, &at, 0, maximum, ret);
}

static bool read_options(const struct value *root, const struct place *place, const char *cost,
                         gck_session_spec *core)
{
    const struct value *dtype = value_given(root, "dtype");
    const struct place at_dtype = place_key(place, "dtype");
    uint64_t budget = 0, seed = 1;
    core->value = core->tolerance = NAN;
    core->worst = WORST;
    if ((dtype != NULL && !read_dtype(dtype, &at_dtype, &core->dtype)) ||
        !optional_number(root, place, cost, -INFINITY, INFINITY, &core->value) ||
        !optional_number(root, place, "tolerance", 0, 1, &core->tolerance) ||
        !optional_count(root, place, "budget", GCK_SESSION_BUDGET_MAX, &budget) ||
        !optional_count(root, place, "seed", EXACT_MAX, &seed))
        return false;
    core->budget = (size_t)budget;
    core->seed = seed;
    return true;
}

/* f computes with what it is sent: numbers that its dtype does not have are others there. */
static bool theta_fits(const struct probe *probe, const struct place *place)
{
    const struct place at_theta = place_key(place, "theta");
    for (size_t t = 0; t < probe->core.tensor_count; t++) {
        const struct place at = place_key(&at_theta, probe->tensor[t].name);
        size_t count = 0;
        gck_shape_count(&probe->tensor[t].shape, &count);
        for (size_t i = 0; i < count; i++)
            if (!gck_session_has(probe->core.dtype, probe->tensor[t].theta[i]))
                return place_fail(&at,
                                  "element %zu, %.17g, is no number of %s: send the numbers "
                                  "that the function computes with",
                                  i, probe->tensor[t].theta[i], gck_dtype_name(probe->core.dtype));
    }
    return true;
}

static bool claims_something(const struct probe *probe, const struct place *place,
                             const char *claimed)
{
    const struct place at = place_key(place, claimed);
    for (size_t t = 0; t < probe->core.tensor_count; t++)
        if (probe->tensor[t].claimed != NULL) return true;
    return place_fail(&at, "claims nothing of theta");
}

bool read_probe(const struct value *root, const struct place *place,
                const struct probe_names *names, struct probe **ret_probe)
{
    struct probe *probe = calloc(1, sizeof *probe);
    if (probe == NULL) return place_fail_memory(place);
    if (read_tensors(root, place, names, probe) &&
        read_options(root, place, names->cost, &probe->core) && theta_fits(probe, place) &&
        claims_something(probe, place, names->claimed)) {
        *ret_probe = probe;
        return true;
    }
    probe_free(probe);
    return false;
}

/* ---- values ---- */

bool read_probe_values(const struct value *value, const struct place *place, double **ret_values,
                       size_t *ret_count)
{
    if (!read_array(value, place)) return false;
    const size_t count = value_count(value);
    if (count == 0) return place_fail(place, "has no values");
    double *values = malloc(count * sizeof *values);
    if (values == NULL) return place_fail_memory(place);
    const double *numbers = value_numbers(value, 1, &count, true);
    bool read = true;
    if (numbers != NULL) memcpy(values, numbers, count * sizeof *numbers);
    for (size_t i = 0; read && numbers == NULL && i < count; i++) {
        const struct place at = place_index(place, i);
        read = value_any_number(value_item(value, i), &values[i]) ||
               place_fail(&at, "must be a number, got %s", value_kind(value_item(value, i)));
    }
    if (!read) {
        free(values);
        return false;
    }
    *ret_values = values;
    *ret_count = count;
    return true;
}

static bool read_values_body(const struct value *root, const struct place *place,
                             struct probe_values *ret)
{
    static const char *const names[] = {"round", "values"};
    const struct place at_round = place_key(place, "round"), at = place_key(place, "values");
    const struct value *round, *values;
    uint64_t number;
    if (!read_object(root, place, names, COUNT(names)) ||
        !read_required(root, place, "round", &round) ||
        !read_count(round, &at_round, 1, GCK_SESSION_BUDGET_MAX, &number) ||
        !read_required(root, place, "values", &values))
        return false;
    ret->round = (size_t)number;
    return read_probe_values(values, &at, &ret->value, &ret->count);
}

bool codec_probe_values(const struct blob *body, const struct limits *limits,
                        struct probe_values *ret_values, struct problem *problem)
{
    const struct place place = {.problem = problem};
    struct document *document = document_decode(body->data, body->size, limits, problem);
    if (document == NULL) return false;
    const bool read = read_values_body(document_root(document), &place, ret_values);
    document_free(document);
    return read;
}
