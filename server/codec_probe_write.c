#include "server/codec_finding.h"
#include "server/codec_probe.h"
#include "server/codec_tensor.h"

#include <math.h>

/* Parts of at most so many elements are written one by one, with their places. */
enum { LISTED = 16 };

static void put_number(struct writer *w, struct value *object, const char *name, double number)
{
    write_member(w, object, name, write_number(w, number));
}

static void put_count(struct writer *w, struct value *object, const char *name, size_t count)
{
    write_member(w, object, name, write_count(w, count));
}

static struct value *index_value(struct writer *w, const gck_shape *shape, size_t flat)
{
    struct value *index = write_array(w);
    size_t axes[GCK_RANK_MAX];
    gck_shape_unravel(shape, flat, axes);
    for (size_t axis = 0; axis < shape->rank; axis++)
        write_item(w, index, write_count(w, axes[axis]));
    return index;
}

/* ---- points ---- */

static struct value *listed_value(struct writer *w, const gck_shape *shape, gck_move move,
                                  const double *to)
{
    struct value *object = write_object(w), *at = write_array(w), *values = write_array(w);
    for (size_t i = 0; i < move.count; i++) {
        write_item(w, at, index_value(w, shape, move.first + i));
        write_item(w, values, write_number(w, to[i]));
    }
    write_member(w, object, "at", at);
    write_member(w, object, "to", values);
    return object;
}

/* The whole tensor, moved or not. */
static struct value *whole_value(struct writer *w, const gck_session_tensor *tensor, gck_move move,
                                 double *room)
{
    struct value *object = write_object(w);
    size_t count = 0;
    gck_shape_count(&tensor->shape, &count);
    for (size_t i = move.count; i-- > 0;)
        room[move.first + i] = room[i];
    for (size_t i = 0; i < count; i++)
        if (i < move.first || i >= move.first + move.count) room[i] = tensor->theta[i];
    write_member(w, object, "to",
                 tensor->shape.rank == 0 ? write_number(w, room[0])
                                         : write_tensor(w, &tensor->shape, room));
    return object;
}

static struct value *point_value(struct writer *w, gck_session *session, const struct probe *probe,
                                 size_t point, double *room)
{
    struct value *object = write_object(w);
    for (size_t i = 0; i < gck_session_moves(session, point); i++) {
        const gck_move move = gck_session_move(session, point, i, room);
        const gck_session_tensor *tensor = &probe->tensor[move.tensor];
        write_member(w, object, tensor->name,
                     move.count <= LISTED && tensor->shape.rank > 0
                         ? listed_value(w, &tensor->shape, move, room)
                         : whole_value(w, tensor, move, room));
    }
    return object;
}

static size_t largest(const struct probe *probe)
{
    size_t most = 1, count = 1;
    for (size_t i = 0; i < probe->core.tensor_count; i++)
        if (gck_shape_count(&probe->tensor[i].shape, &count) && count > most) most = count;
    return most;
}

struct value *write_points(struct writer *w, gck_session *session, const struct probe *probe)
{
    struct value *points = write_array(w);
    double *room = gck_vector_room(largest(probe));
    if (room == NULL) w->failed = true;
    for (size_t i = 0; room != NULL && i < gck_session_asked(session); i++)
        write_item(w, points, point_value(w, session, probe, i, room));
    gck_vector_free(room);
    return points;
}

struct blob *codec_probe_ask(gck_session *session, const struct probe *probe, const char *id)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "id", write_text(&w, id));
    put_count(&w, object, "round", gck_session_round(session));
    put_count(&w, object, "evaluations", gck_session_evaluations(session));
    write_member(&w, object, "ask", write_points(&w, session, probe));
    return write_blob(&w, object);
}

struct blob *codec_probe_end(const char *id, size_t round, const struct blob *result)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "id", write_text(&w, id));
    put_count(&w, object, "round", round);
    const struct member_text members[] = {{"result", result}};
    return write_spliced(&w, object, members, 1);
}

/* ---- results ---- */

static void put_verdict(struct writer *w, struct value *object, gck_verdict verdict)
{
    write_member(w, object, "verdict", write_text(w, gck_verdict_name(verdict)));
}

static struct value *element_value(struct writer *w, const gck_tensor_report *tensor,
                                   const gck_element *element)
{
    struct value *object = write_object(w);
    write_member(w, object, "index", index_value(w, &tensor->shape, element->index));
    put_number(w, object, "claimed", element->analytic);
    put_number(w, object, "numeric", element->numeric);
    put_number(w, object, "absolute_error", element->absolute_error);
    put_number(w, object, "relative_error", element->relative_error);
    put_verdict(w, object, element->verdict);
    return object;
}

static struct value *tensor_value(struct writer *w, const gck_session_judged *judged)
{
    const gck_tensor_report *tensor = &judged->of;
    struct value *object = write_object(w), *worst = write_array(w);
    write_member(w, object, "name", write_text(w, tensor->name));
    write_member(w, object, "shape", write_shape(w, &tensor->shape));
    put_verdict(w, object, tensor->verdict);
    put_number(w, object, "distance", tensor->distance);
    put_number(w, object, "error_bar", tensor->error_bar);
    put_number(w, object, "detection", judged->whole ? 0 : tensor->detection);
    write_member(w, object, "by", write_text(w, judged->whole ? "elements" : "directions"));
    put_count(w, object, "lines", judged->lines);
    put_count(w, object, "evaluations", judged->evaluations);
    put_count(w, object, judged->whole ? "wrong_elements" : "wrong_directions",
              tensor->wrong_elements);
    put_count(w, object, "kinks", tensor->kinks);
    for (size_t i = 0; i < tensor->worst_count; i++)
        write_item(w, worst, element_value(w, tensor, &tensor->worst[i]));
    write_member(w, object, "worst", worst);
    return object;
}

static struct value *detection_value(struct writer *w, double error)
{
    struct value *object = write_object(w);
    put_number(w, object, "error", error);
    put_number(w, object, "probability", GCK_DETECTION);
    return object;
}

struct blob *codec_probe_result(const gck_session_result *result, gck_dtype dtype)
{
    struct writer w = {0};
    struct value *object = write_object(&w), *tensors = write_array(&w),
                 *warnings = write_array(&w);
    put_verdict(&w, object, result->verdict);
    put_number(&w, object, "distance", result->distance);
    put_number(&w, object, "tolerance", result->tolerance);
    write_member(&w, object, "dtype", write_text(&w, gck_dtype_name(dtype)));
    put_number(&w, object, "cost", result->value);
    put_number(&w, object, "noise", result->noise);
    write_member(&w, object, "deterministic", write_boolean(&w, result->repeats));
    put_count(&w, object, "parameters_checked", result->parameters);
    put_count(&w, object, "evaluations", result->evaluations);
    put_count(&w, object, "budget", result->budget);
    put_count(&w, object, "rounds", result->rounds);
    write_member(&w, object, "detection", detection_value(&w, result->detection));
    for (size_t i = 0; i < result->tensor_count; i++)
        if (result->tensor[i].claimed)
            write_item(&w, tensors, tensor_value(&w, &result->tensor[i]));
    write_member(&w, object, "tensors", tensors);
    write_member(&w, object, "findings", write_findings(&w, &result->findings));
    for (size_t i = 0; i < result->warning_count; i++)
        write_item(&w, warnings, write_text(&w, result->warning[i]));
    write_member(&w, object, "warnings", warnings);
    return write_blob(&w, object);
}

struct blob *codec_probe_summary(const gck_session_result *result)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    put_verdict(&w, object, result->verdict);
    put_number(&w, object, "distance", result->distance);
    put_count(&w, object, "parameters_checked", result->parameters);
    put_count(&w, object, "evaluations", result->evaluations);
    return write_blob(&w, object);
}
