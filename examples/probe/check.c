/* A gradient checked by one call of the library, as a unit test in C would do it:
 *
 *   cc check.c $(pkg-config --cflags --libs gradcheck) -o check && ./check [--break]
 *
 * f(a, b) = sum of log(1 + exp(a[i] b[i])); the exit status is 0 when the gradient passes. */
#include <gradcheck/session.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 4 };

static double function(void *context, const double *const *theta)
{
    double sum = 0;
    (void)context;
    for (int i = 0; i < COUNT; i++)
        sum += log1p(exp(theta[0][i] * theta[1][i]));
    return sum;
}

int main(int argc, char **argv)
{
    const double a[COUNT] = {0.5, -1.25, 2, 0.125}, b[COUNT] = {1, 0.5, -0.75, 3};
    double da[COUNT], db[COUNT];
    for (int i = 0; i < COUNT; i++) {
        const double sigmoid = 1 / (1 + exp(-a[i] * b[i]));
        da[i] = sigmoid * b[i];
        db[i] = argc > 1 && strcmp(argv[1], "--break") == 0 ? sigmoid * b[i] : sigmoid * a[i];
    }
    const gck_session_tensor tensors[] = {{"a", {1, {COUNT}}, a, da}, {"b", {1, {COUNT}}, b, db}};
    const gck_session_spec spec = {.tensor_count = 2,
                                   .tensor = tensors,
                                   .dtype = GCK_FLOAT64,
                                   .value = NAN,
                                   .tolerance = NAN,
                                   .worst = 5};
    gck_session_result *result;
    gck_error error;
    if (gck_probe_check(&spec, function, NULL, &result, &error) != GCK_OK) {
        fprintf(stderr, "%s: %s\n", error.where, error.text);
        return 2;
    }
    const int status = result->verdict == GCK_PASS ? 0 : 1;
    printf("%s\n", gck_verdict_name(result->verdict));
    for (size_t i = 0; i < result->findings.count; i++)
        printf("%s\n", result->findings.finding[i].message);
    gck_session_result_free(result);
    return status;
}
