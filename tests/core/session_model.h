/* A smooth function of two tensors, with its gradient, for tests of what sessions promise. */
#ifndef TESTS_CORE_SESSION_MODEL_H
#define TESTS_CORE_SESSION_MODEL_H

#include <gradcheck/session.h>

enum { MODEL_LARGE = 300, MODEL_SMALL = 5 };

/* Two tensors of MODEL_LARGE and MODEL_SMALL elements, and what the function is made of. */
typedef struct session_model {
    double w[MODEL_LARGE], b[MODEL_SMALL], dw[MODEL_LARGE], db[MODEL_SMALL];
    gck_session_tensor tensor[2];
    gck_dtype dtype;
    size_t calls;
    double noise;  /* added: of one call, as large as that */
    bool constant; /* the function moves with nothing */
} session_model;

/* theta of about that size, and the right gradient; tensors point into m. */
void session_model_init(session_model *m, gck_dtype dtype, double size);
/* sin of a linear form of w, plus the squares of b: a gck_function. */
double session_model_value(void *context, const double *const *theta);
gck_session_spec session_model_spec(const session_model *m);
/* A whole session. */
gck_session_result *session_model_check(session_model *m, const gck_session_spec *spec);
/* Whether a warning has that in it. */
bool session_is_warned(const gck_session_result *result, const char *text);

#endif
