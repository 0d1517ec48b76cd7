#include "server/codec_convention.h"
#include "server/codec_tensor.h"

#include <gradcheck/cost.h>

#include <math.h>
#include <string.h>

/* ---- sets ---- */

enum { BATCH_MEAN, MEAN, SUM }; /* the words of every cost's reduction */

static const char *const reductions[] = {"batch_mean", "mean", "sum", NULL};
static const char *const layouts[] = {"in_out", "out_in", NULL};
static const char *const axes[] = {"rows", "columns", NULL};
static const char *const regularisers[] = {"included", "excluded", NULL};

static const struct {
    const char *name;
    bool out_in, columns, excludes_penalties;
} sets[CONVENTION_SETS] = {
    [CONVENTION_PYTORCH] = {"pytorch", true, false, true},
    [CONVENTION_KERAS] = {"keras", false, false, false},
    [CONVENTION_COLUMNS] = {"columns", true, true, false},
};

struct convention convention_none(void)
{
    return (struct convention){.reduction = -1, .scale = NAN};
}

/* PyTorch's and Keras's losses are means over all elements, but that cross-entropy sums over the
 * classes; `dot` stands for a gradient from above, which both add up as it is. */
double convention_reduction(enum convention_set set, const gck_item *cost)
{
    if (set == CONVENTION_NONE || set == CONVENTION_COLUMNS) return BATCH_MEAN;
    if (strcmp(cost->name, "dot") == 0) return SUM;
    return strcmp(cost->name, "categorical_crossentropy") == 0 ? BATCH_MEAN : MEAN;
}

static bool read_set(const struct value *value, const struct place *place,
                     struct convention *convention)
{
    const char *text;
    if (!read_text(value, place, &text)) return false;
    for (int set = CONVENTION_NONE + 1; set < CONVENTION_SETS; set++) {
        if (strcmp(text, sets[set].name) != 0) continue;
        *convention = convention_none();
        convention->set = (enum convention_set)set;
        convention->out_in = sets[set].out_in;
        convention->columns = sets[set].columns;
        convention->excludes_penalties = sets[set].excludes_penalties;
        return true;
    }
    return place_fail(place, "\"%.60s\" is no convention; there are pytorch, keras and columns",
                      text);
}

/* ---- options ---- */

/* An optional member that is one of the words; *ret_index stays where there is none. */
static bool read_word(const struct value *object, const struct place *place, const char *name,
                      const char *const *words, int *ret_index)
{
    const struct value *value = value_given(object, name);
    const struct place at = place_key(place, name);
    const char *text;
    if (value == NULL) return true;
    if (!read_text(value, &at, &text)) return false;
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *ret_index = i;
        return true;
    }
    const bool three = words[2] != NULL;
    return place_fail(&at, "\"%.60s\" is no value of %s; there are %s%s%s and %s", text, name,
                      words[0], three ? ", " : "", three ? words[1] : "", words[three ? 2 : 1]);
}

/* Claims are divided by a scale: what one of ordinary size becomes is far from overflowing. */
#define SCALE_MIN 1e-100
#define SCALE_MAX 1e6

static bool read_scale(const struct value *object, const struct place *place, double *ret_scale)
{
    const struct value *value = value_given(object, "scale");
    const struct place at = place_key(place, "scale");
    if (value == NULL) return true;
    if (!read_number(value, &at, -SCALE_MAX, SCALE_MAX, ret_scale)) return false;
    return fabs(*ret_scale) >= SCALE_MIN ||
           place_fail(&at, "must be at least %g in size, got %.16g", SCALE_MIN, *ret_scale);
}

static bool read_options(const struct value *value, const struct place *place,
                         struct convention *convention)
{
    int out_in = convention->out_in, columns = convention->columns;
    int excluded = convention->excludes_penalties;
    if (!read_word(value, place, "weight_layout", layouts, &out_in) ||
        !read_word(value, place, "samples", axes, &columns) ||
        !read_word(value, place, "reduction", reductions, &convention->reduction) ||
        !read_word(value, place, "regulariser", regularisers, &excluded) ||
        !read_scale(value, place, &convention->scale))
        return false;
    convention->out_in = out_in != 0;
    convention->columns = columns != 0;
    convention->excludes_penalties = excluded != 0;
    return true;
}

bool read_convention(const struct value *value, const struct place *place,
                     const struct convention *base, struct convention *ret_convention)
{
    static const char *const names[] = {"type",      "weight_layout", "samples",
                                        "reduction", "scale",         "regulariser"};
    struct convention convention = *base;
    convention.set = CONVENTION_NONE;
    convention.reduction = -1;
    convention.scale = NAN;
    if (value_is_text(value)) {
        if (!read_set(value, place, &convention)) return false;
    } else {
        const struct place at = place_key(place, "type");
        if (!value_is_object(value))
            return place_fail(place, "must be a string or an object, got %s", value_kind(value));
        if (!read_object(value, place, names, COUNT(names))) return false;
        const struct value *type = value_given(value, "type");
        if ((type != NULL && !read_set(type, &at, &convention)) ||
            !read_options(value, place, &convention))
            return false;
    }
    *ret_convention = convention;
    return true;
}

/* ---- arrays ---- */

/* The axes of a shape with the first one last. */
static gck_shape turned_shape(const gck_shape *shape)
{
    gck_shape turned = {.rank = shape->rank};
    memcpy(turned.dim, shape->dim + 1, (shape->rank - 1) * sizeof shape->dim[0]);
    turned.dim[shape->rank - 1] = shape->dim[0];
    return turned;
}

static struct form turned_form(const gck_shape *shape)
{
    struct form form = {turned_shape(shape), true, shape->dim[0], 1};
    for (size_t axis = 1; axis < shape->rank; axis++)
        form.columns *= shape->dim[axis];
    return form;
}

struct form form_of_parameter(const struct convention *convention, const gck_shape *shape)
{
    if (shape->rank == 2 && convention->out_in) return turned_form(shape);
    struct form form = {.shape = *shape};
    if (shape->rank == 1 && convention->columns) form.shape = (gck_shape){2, {shape->dim[0], 1}};
    return form;
}

struct form form_of_samples(const struct convention *convention, const gck_shape *shape)
{
    return convention->columns ? turned_form(shape) : (struct form){.shape = *shape};
}

struct form form_of_batch(const struct convention *convention, size_t samples,
                          const gck_shape *sample)
{
    gck_shape whole = {.rank = 1 + sample->rank, .dim = {samples}};
    memcpy(&whole.dim[1], sample->dim, sample->rank * sizeof sample->dim[0]);
    return form_of_samples(convention, &whole);
}

size_t form_flat(const struct form *form, size_t flat)
{
    return form->turned ? flat % form->columns * form->rows + flat / form->columns : flat;
}

void form_unravel(const struct form *form, size_t flat, size_t index[GCK_RANK_MAX])
{
    gck_shape_unravel(&form->shape, form_flat(form, flat), index);
}

/* (rows, columns) to (columns, rows) */
static void turn(const double *from, size_t rows, size_t columns, double *to)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to[j * rows + i] = from[i * columns + j];
}

bool read_form(const struct value *value, const struct place *place, const struct form *form,
               const char *what, bool any, double *values)
{
    if (!form->turned || values == NULL)
        return read_tensor(value, place, &form->shape, what, any, values);
    /* Whoever gave values has looked at the extent: the body holds as many. */
    double *outside = gck_vector_room(form->rows * form->columns);
    if (outside == NULL) return place_fail_memory(place);
    const bool read = read_tensor(value, place, &form->shape, what, any, outside);
    if (read) turn(outside, form->columns, form->rows, values);
    gck_vector_free(outside);
    return read;
}

struct value *write_form(struct writer *writer, const struct form *form, const double *values)
{
    if (!form->turned) return write_tensor(writer, &form->shape, values);
    double *outside = gck_vector_room(form->rows * form->columns);
    if (outside == NULL) {
        writer->failed = true;
        return NULL;
    }
    turn(values, form->rows, form->columns, outside);
    struct value *array = write_tensor(writer, &form->shape, outside);
    gck_vector_free(outside);
    return array;
}
