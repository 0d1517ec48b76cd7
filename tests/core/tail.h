/* What a disturbance of one unit does to a sample's loss: a whole network in long double, twice,
 * and the tail that it is compared with. */
#ifndef TESTS_CORE_TAIL_H
#define TESTS_CORE_TAIL_H

#include "core/tail.h"
#include "tests/core/fixtures.h"

/* What a network ends in, an activation or dropout for NULL, and its cost. */
typedef struct tail_end {
    const char *activation, *cost;
} tail_end;

enum { TAIL_ENDS = 14, TAIL_BODIES = 3, TAIL_INPUTS = 4, TAIL_OUTPUTS = 3, TAIL_WIDTH_MAX = 16 };
extern const tail_end tail_ends[TAIL_ENDS];

/* Bodies have dense, dropout and activation layers first, between and next to each other, of the
 * hidden activation and others. */
network tail_network(size_t body, const char *hidden, const tail_end *e, size_t samples);

/* Of slopes 1, 1/4, -1/2 and 0 in pieces and short numbers: multiples of 2^-2 times weights, slopes
 * and factors down to 2^-15, squared. Below 2^10 no double rounds them, in whatever order they are
 * added. */
network tail_network_short(const char *cost, size_t samples);

/* A network after a forward pass over its samples, masks drawn, and a tail on its base. */
typedef struct tail_room {
    network net;
    gck_pass *pass;
    gck_base *samples, *copies; /* of up to 64 lanes */
    gck_tail tail;
} tail_room;

/* Takes the network over. */
tail_room tail_room_new(network net);
void tail_room_done(tail_room *r);

/* Where a disturbance begins: layer's pre-activation (its output where it has none), or
 * GCK_FROM_INPUT. */
typedef struct disturbance {
    size_t layer, unit;
} disturbance;

/* From `before_all` on to every input, then to every unit of every layer; false after the last. */
extern const disturbance before_all;
bool disturbance_next(const tail_room *r, disturbance *from);

/* Each lane's own step; the sample that it is of, as lanes beyond the samples repeat the last one.
 */
double tail_step(double step, size_t lane);
size_t tail_sample(const tail_room *r, size_t lane);

/* The tail's changes of the lanes' losses, and its tangents. */
const double *tail_changes(tail_room *r, disturbance from, double step);
const double *tail_tangents(tail_room *r, disturbance from);

/* A sample's loss where the unit is off by `step`. */
typedef struct wide_loss {
    long double loss;
    /* Terms that the loss's change from step 0 is made of, in absolute values: what rounding errors
     * are shares of. */
    long double size;
    long double nearest; /* how near a pre-activation or a term of mae is to a kink of its own */
    size_t above;        /* kinks below the values */
} wide_loss;

wide_loss tail_wide(const tail_room *r, size_t sample, disturbance from, long double step);

/* In how many roundings of `size` a change may be off. */
long double tail_roundings(const tail_room *r);

#endif
