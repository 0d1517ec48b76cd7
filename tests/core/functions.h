/* Functions with gradients written by hand, as people write them, and as they get them wrong.
 *
 * A row is a function of named tensors, with its gradient by reverse mode, right and with one term
 * forgotten. Files are grouped by subject: functions_dense.c, functions_losses.c and so on. */
#ifndef TESTS_CORE_FUNCTIONS_H
#define TESTS_CORE_FUNCTIONS_H

#include <gradcheck/session.h>

enum { FUNCTION_TENSORS = 8 };

typedef struct function_tensor {
    const char *name;
    gck_shape shape;
    double middle, spread; /* elements lie evenly around the middle */
    double odd;            /* every other element is times this; 0: 1 */
} function_tensor;

/* f(theta), and with a gradient (all 0) that, too; forgetful: with its mistake. */
typedef double function_value(const double *const *theta, double *const *gradient, bool forgetful);

typedef struct function {
    const char *name;
    const char *forgets; /* what the forgetful gradient leaves out */
    gck_dtype dtype;
    function_value *value;
    bool coarse;                              /* rounded so much that a check may be inconclusive */
    function_tensor tensor[FUNCTION_TENSORS]; /* up to the first without a name */
} function;

size_t functions_count(void);
const function *functions_at(size_t index);

size_t function_tensors(const function *f);
/* Elements of a tensor, and of all. */
size_t function_size(const function *f, size_t tensor);
size_t function_parameters(const function *f);
/* seed: of which theta. */
void function_theta(const function *f, size_t tensor, uint32_t seed, double *theta);

/* ---- what the functions are made of ---- */

typedef struct function_table {
    const function *row;
    size_t count;
} function_table;

extern const function_table functions_dense, functions_losses, functions_norms, functions_attention,
    functions_recurrent, functions_convolution, functions_solvers, functions_hard, functions_floats;

#define FUNCTION_TABLE(NAME, ROWS) const function_table NAME = {ROWS, sizeof ROWS / sizeof ROWS[0]}

/* Data of a function: count numbers in [-1, 1), others for each stream. */
void function_data(uint32_t stream, size_t count, double *to);
/* The nearest number that the dtype has. */
double function_round(gck_dtype dtype, double x);

/* z (samples, out) = x (samples, in) W^T + b, of which b may be NULL. */
void function_affine(size_t samples, size_t in, size_t out, const double *x, const double *w,
                     const double *b, double *z);
/* Adds to dx, dw and db what dz means for them; each may be NULL. */
void function_affine_back(size_t samples, size_t in, size_t out, const double *x, const double *w,
                          const double *dz, double *dx, double *dw, double *db);
/* p = softmax of z, log of the sum of exponentials returned. */
double function_softmax(size_t count, const double *z, double *p);

#endif
