#include "tests/core/cuts.h"
#include "tests/core/compare.h"

#include <check.h>

size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* ---- networks ---- */

network cut_network(void)
{
    const gck_layer_spec layers[] = {dropout(0.3), dense_with(2, "linear", "l2", 0.125)};
    network net = network_weighted(5, layers, 2, cost_named("mse"), 11);
    network_draw_biases(&net);
    return net;
}

network kinked_network(void)
{
    const gck_layer_spec layers[] = {dense(4, "relu"), dropout(0.3), dense(1, "piecewise_linear"),
                                     dense_with(3, "linear", "l1", 0.125)};
    network net = network_weighted(4, layers, 4, cost_named("mae"), 11);
    network_draw_biases(&net);
    return net;
}

gck_check_spec kinked_spec(const network *net, int method)
{
    gck_check_spec spec = check_spec_of(net);
    spec.method = (gck_method)method;
    spec.epsilon = 0.05;
    spec.inputs = true;
    return spec;
}

/* ---- cuts ---- */

void check_cut_small(gck_check *check)
{
    check_recut(check, 3, 1);
}

gck_check *check_finished(const gck_check_spec *spec)
{
    gck_check *check = check_open(spec);
    check_cut_small(check);
    for (size_t i = 0; i < check->cut.grain_count; i++)
        check_step(check, i);
    return check;
}

/* ---- comparison ---- */

static void assert_same_side(const check_side *got, const check_side *want, size_t count,
                             const char *what)
{
    assert_same_bits(got->analytic, want->analytic, count, what);
    assert_same_bits(got->numeric, want->numeric, count, what);
    assert_same_bits(got->exact, want->exact, count, what);
    assert_same_bits(got->bar, want->bar, count, what);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg((got->crossed[i] != 0) == (want->crossed[i] != 0), "%s %zu crosses a kink",
                      what, i);
}

static double *state_of(const gck_check *check)
{
    double *state = gck_vector_new(gck_check_state_count(check));
    gck_check_state_save(check, state);
    return state;
}

void assert_same_check(const gck_check *got, const gck_check *want)
{
    assert_same_bits(&got->loss, &want->loss, 1, "loss");
    assert_same_side(&got->parameter, &want->parameter, want->spec.model->parameter_count,
                     "parameter");
    assert_same_side(&got->x, &want->x, check_x_count(want), "element of x");
    ck_assert_uint_eq(gck_check_state_count(got), gck_check_state_count(want));
    double *g = state_of(got), *w = state_of(want);
    assert_same_bits(g, w, gck_check_state_count(want), "state");
    gck_vector_free(g);
    gck_vector_free(w);
}
