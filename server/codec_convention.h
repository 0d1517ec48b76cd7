/* Conventions from JSON, and arrays in the form that a convention gives them. */
#ifndef GRADCHECKD_CODEC_CONVENTION_H
#define GRADCHECKD_CODEC_CONVENTION_H

#include "server/codec_read.h"
#include "server/convention.h"

#include <gradcheck/model.h>

/* The form inside. */
struct convention convention_none(void);

/* A name, or an object with an optional type and what overrides it; without a type it overrides
 * `base`, but for its reduction and scale. */
bool read_convention(const struct value *value, const struct place *place,
                     const struct convention *base, struct convention *ret_convention);

/* What a cost without a reduction of its own has in that set, as an index of its words. */
double convention_reduction(enum convention_set set, const gck_item *cost);

/* ---- arrays ---- */

/* How an array of ours stands outside: in which shape, and whether with its first axis last. */
struct form {
    gck_shape shape;
    bool turned;
    size_t rows, columns; /* of ours, as a matrix */
};

/* A tensor of parameters of that shape. */
struct form form_of_parameter(const struct convention *convention, const gck_shape *shape);
/* Samples: (samples, …). */
struct form form_of_samples(const struct convention *convention, const gck_shape *shape);
struct form form_of_batch(const struct convention *convention, size_t samples,
                          const gck_shape *sample);

/* Where element `flat` of ours stands outside, row by row. */
size_t form_flat(const struct form *form, size_t flat);
/* An index for each axis of form->shape. */
void form_unravel(const struct form *form, size_t flat, size_t index[GCK_RANK_MAX]);

/* Nested arrays of that form into ours, row-major; into NULL, only whether they have its extent.
 * any: null, "NaN" and infinities are numbers, too. */
bool read_form(const struct value *value, const struct place *place, const struct form *form,
               const char *what, bool any, double *values);
struct value *write_form(struct writer *writer, const struct form *form, const double *values);

#endif
