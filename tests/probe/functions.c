/* The functions of tests/core/functions.h as a program that is asked by lines
 * (docs/probe-protocol.md): functions INDEX [--forget]; without arguments it lists them, a line
 * each, and which are coarse. */
#include "tests/core/functions.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function at theta, and where it is moved to. */
typedef struct place {
    const function *f;
    size_t tensors;
    double *theta[FUNCTION_TENSORS], *moved[FUNCTION_TENSORS], *gradient[FUNCTION_TENSORS];
} place;

static json_t *nested(const gck_shape *shape, size_t axis, const double **values)
{
    if (axis == shape->rank) {
        const double value = *(*values)++;
        return isfinite(value) ? json_real(value) : json_null();
    }
    json_t *array = json_array();
    for (size_t i = 0; i < shape->dim[axis]; i++)
        json_array_append_new(array, nested(shape, axis + 1, values));
    return array;
}

static json_t *all(const place *p, double *const *values)
{
    json_t *object = json_object();
    for (size_t i = 0; i < p->tensors; i++) {
        const double *next = values[i];
        json_object_set_new(object, p->f->tensor[i].name, nested(&p->f->tensor[i].shape, 0, &next));
    }
    return object;
}

static json_t *start(const place *p, bool forgetful)
{
    for (size_t i = 0; i < p->tensors; i++)
        memset(p->gradient[i], 0, function_size(p->f, i) * sizeof(double));
    const double f = p->f->value((const double *const *)p->theta, p->gradient, forgetful);
    return json_pack("{sf so so ss}", "f", f, "theta", all(p, p->theta), "gradients",
                     all(p, p->gradient), "dtype", gck_dtype_name(p->f->dtype));
}

/* Nested numbers, row-major; where the next goes. */
static double *flatten(const json_t *value, double *to)
{
    if (!json_is_array(value)) {
        *to = json_number_value(value);
        return to + 1;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        to = flatten(json_array_get(value, i), to);
    return to;
}

static size_t flat_index(const gck_shape *shape, const json_t *index)
{
    size_t flat = 0;
    for (size_t axis = 0; axis < shape->rank; axis++)
        flat = flat * shape->dim[axis] + (size_t)json_integer_value(json_array_get(index, axis));
    return flat;
}

static void move(const place *p, const json_t *point)
{
    for (size_t i = 0; i < p->tensors; i++) {
        const function_tensor *tensor = &p->f->tensor[i];
        const json_t *moved = json_object_get(point, tensor->name);
        const json_t *at = json_object_get(moved, "at"), *to = json_object_get(moved, "to");
        memcpy(p->moved[i], p->theta[i], function_size(p->f, i) * sizeof(double));
        if (at == NULL && to != NULL) flatten(to, p->moved[i]);
        for (size_t k = 0; k < json_array_size(at); k++)
            p->moved[i][flat_index(&tensor->shape, json_array_get(at, k))] =
                json_number_value(json_array_get(to, k));
    }
}

static json_t *evaluate(const place *p, const json_t *points)
{
    json_t *values = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        move(p, json_array_get(points, i));
        const double value = p->f->value((const double *const *)p->moved, NULL, false);
        json_array_append_new(values, isfinite(value) ? json_real(value) : json_null());
    }
    return json_pack("{so}", "values", values);
}

static void answer(const place *p, const char *line, bool forgetful)
{
    json_t *question = json_loads(line, 0, NULL);
    const char *op = json_string_value(json_object_get(question, "op"));
    json_t *said = op != NULL && strcmp(op, "start") == 0
                       ? start(p, forgetful)
                       : evaluate(p, json_object_get(question, "points"));
    json_dumpf(said, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
    printf("\n");
    fflush(stdout);
    json_decref(question);
    json_decref(said);
}

static int list(void)
{
    for (size_t i = 0; i < functions_count(); i++)
        printf("%s%s\n", functions_at(i)->name, functions_at(i)->coarse ? "\tcoarse" : "");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc < 2) return list();
    const size_t index = strtoul(argv[1], NULL, 10);
    if (index >= functions_count()) return EXIT_FAILURE;
    place p = {.f = functions_at(index)};
    p.tensors = function_tensors(p.f);
    for (size_t i = 0; i < p.tensors; i++) {
        const size_t count = function_size(p.f, i);
        p.theta[i] = gck_vector_new(count);
        p.moved[i] = gck_vector_new(count);
        p.gradient[i] = gck_vector_new(count);
        function_theta(p.f, i, 1, p.theta[i]);
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0)
        answer(&p, line, argc > 2 && strcmp(argv[2], "--forget") == 0);
    free(line);
    for (size_t i = 0; i < p.tensors; i++) {
        gck_vector_free(p.theta[i]);
        gck_vector_free(p.moved[i]);
        gck_vector_free(p.gradient[i]);
    }
    return EXIT_SUCCESS;
}
