#include "tests/core/session_model.h"

#include "tests/core/compare.h"
#include "tests/core/functions.h"

#include <math.h>
#include <string.h>

static double coefficient(size_t i)
{
    return sin(3.0 * (double)i + 1);
}

double session_model_value(void *context, const double *const *theta)
{
    session_model *m = context;
    double z = 0.3, squares = 0;
    for (size_t i = 0; i < MODEL_LARGE && !m->constant; i++)
        z += coefficient(i) * theta[0][i] / 8;
    for (size_t i = 0; i < MODEL_SMALL && !m->constant; i++)
        squares += theta[1][i] * theta[1][i];
    m->calls++;
    return sin(z) + squares + m->noise * (double)(m->calls * 2654435761u % 1000) / 1000;
}

void session_model_init(session_model *m, gck_dtype dtype, double size)
{
    double z = 0.3;
    *m = (session_model){.dtype = dtype};
    for (size_t i = 0; i < MODEL_LARGE; i++) {
        m->w[i] = function_round(dtype, size * cos((double)(i * i)));
        z += coefficient(i) * m->w[i] / 8;
    }
    for (size_t i = 0; i < MODEL_LARGE; i++)
        m->dw[i] = cos(z) * coefficient(i) / 8;
    for (size_t i = 0; i < MODEL_SMALL; i++) {
        m->b[i] = function_round(dtype, size * (1 + 0.3 * (double)i));
        m->db[i] = 2 * m->b[i];
    }
    m->tensor[0] = (gck_session_tensor){"w", {2, {30, 10}}, m->w, m->dw};
    m->tensor[1] = (gck_session_tensor){"b", {1, {MODEL_SMALL}}, m->b, m->db};
}

gck_session_spec session_model_spec(const session_model *m)
{
    return (gck_session_spec){.tensor_count = 2,
                              .tensor = m->tensor,
                              .dtype = m->dtype,
                              .value = NAN,
                              .tolerance = NAN,
                              .worst = 8};
}

gck_session_result *session_model_check(session_model *m, const gck_session_spec *spec)
{
    gck_session_result *result = NULL;
    gck_error error;
    assert_ok(gck_probe_check(spec, session_model_value, m, &result, &error), &error);
    return result;
}

bool session_is_warned(const gck_session_result *result, const char *text)
{
    for (size_t i = 0; i < result->warning_count; i++)
        if (strstr(result->warning[i], text) != NULL) return true;
    return false;
}
