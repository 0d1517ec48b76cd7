/* diff: two sets of gradients by name. */
#include "client/commands.h"
#include "client/file.h"
#include "client/say.h"
#include "client/service.h"
#include "client/show.h"
#include "client/tensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

/* Of "w1=fc1.weight:T"; false after a message. */
static bool apply_map(const char *map, struct tensors *a)
{
    const char *equals = strchr(map, '='), *end = map + strlen(map);
    if (equals == NULL || equals == map || equals + 1 == end)
        return say(false, "--map must be NAME=NAME or NAME=NAME:T, got '%s'", map);
    const bool turned = end - equals > 3 && strcmp(end - 2, ":T") == 0;
    char *from = strndup(map, (size_t)(equals - map));
    char *to = strndup(equals + 1, (size_t)(end - equals - 1) - (turned ? 2 : 0));
    struct tensor *tensor = from == NULL ? NULL : tensors_find(a, from);
    const struct tensor *other = to == NULL ? NULL : tensors_find(a, to);
    bool applied = false;
    if (tensor == NULL)
        say_note("--map %s: A has no such tensor", map);
    else if (to == NULL || (other != NULL && other != tensor))
        say_note("--map %s: A has two tensors of that name then", map);
    else if (turned && !tensor_transpose(tensor))
        say_note("--map %s: only a matrix can be transposed", map);
    else
        applied = true;
    if (applied) {
        free(tensor->name);
        tensor->name = to;
        to = NULL;
    }
    free(from);
    free(to);
    return applied;
}

static bool apply_maps(const struct settings *settings, struct tensors *a)
{
    for (size_t i = 0; i < settings->map.count; i++)
        if (!apply_map(settings->map.item[i], a)) return false;
    return true;
}

/* ---- the body of POST /v1/comparisons ---- */

static bool read_tolerance(const struct settings *settings, double *ret)
{
    char *end;
    *ret = NAN;
    if (settings->tolerance == NULL) return true;
    *ret = strtod(settings->tolerance, &end);
    return (end != settings->tolerance && *end == '\0' && *ret >= 0 && *ret <= 1) ||
           say(false, "--tolerance must be a number from 0 to 1, got '%s'", settings->tolerance);
}

static struct blob *make_body(const struct settings *settings, const struct tensors *a,
                              const struct tensors *b, double tolerance)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "claimed", tensors_write(&w, a));
    write_member(&w, object, "reference", tensors_write(&w, b));
    write_member(&w, object, "dtype", write_text(&w, settings->dtype));
    if (!isnan(tolerance)) write_member(&w, object, "tolerance", write_number(&w, tolerance));
    return write_blob(&w, object);
}

/* NULL after a message; *ret_status is the exit status then. */
static struct blob *read_body(const struct settings *settings, int *ret_status)
{
    struct tensors a = {0}, b = {0};
    struct blob *body = NULL;
    double tolerance;
    *ret_status = STATUS_USAGE;
    if (settings->operand_count == 1) return file_read(settings->operand[0]);
    if (read_tolerance(settings, &tolerance) && tensors_read(settings, settings->operand[0], &a) &&
        tensors_read(settings, settings->operand[1], &b) && apply_maps(settings, &a)) {
        body = make_body(settings, &a, &b, tolerance);
        if (body == NULL) *ret_status = say_memory();
    }
    tensors_done(&a);
    tensors_done(&b);
    return body;
}

int run_diff(const struct settings *settings)
{
    struct answer answer = {0};
    int status;
    struct blob *body = read_body(settings, &status);
    if (body == NULL) return status;
    status = service_ask(settings, QUESTION_COMPARISON, body, &answer);
    blob_unref(body);
    return status == STATUS_PASS
               ? service_conclude(settings, &answer, "diff", show_comparison, service_judge)
               : status;
}
