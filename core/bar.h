/* The rounding bar: a bound, element by element, on what rounding can do to a gradient.
 *
 * 8 * 2^-52 times a backward pass over absolute values: |x|, |W|, |f'|, and each derivative of the
 * cost as the sum of its terms' sizes. |J| 2^-52 / h is no such bound: J can be tiny while the
 * terms it is summed from are not. */
#ifndef GRADCHECK_CORE_BAR_H
#define GRADCHECK_CORE_BAR_H

#include "core/backward.h"
#include "core/base.h"

/* What it works in: the absolute values of the parameters, and of one layer's input. */
typedef struct gck_bar_room {
    gck_backward_room backward;
    double *parameters, *x;
} gck_bar_room;

gck_status gck_bar_room_init(gck_bar_room *room, const gck_model *model, size_t samples,
                             gck_error *error);
void gck_bar_room_done(gck_bar_room *room);
/* Doubles that one sample takes. */
size_t gck_bar_sample_values(const gck_model *model);

/* Adds the block's bar to bar (parameter_count), that of the penalties with `penalties`; returns
 * that of x (inputs, samples), which lies in the room until the next call, or NULL unless
 * with_inputs. pass and base are of the same block. */
const double *gck_bar(const gck_pass *pass, const gck_base *base, gck_bar_room *room, double factor,
                      bool penalties, bool with_inputs, double *bar);

#endif
