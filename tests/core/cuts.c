#include "tests/core/cuts.h"
#include "tests/core/compare.h"

size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

void check_recut(gck_check *check, size_t block_rows, size_t elements, size_t inputs)
{
    const size_t samples = check->spec.data->samples, width = check->spec.model->inputs;
    gck_check_cut cut = {.block_rows = block_rows,
                         .block_count = divide_up(samples, block_rows),
                         .grain_elements = elements,
                         .grain_inputs = inputs};
    cut.grain_count = cut.block_count * (1 + divide_up(check->parameters, elements));
    for (size_t first = 0; check->spec.inputs && first < samples; first += block_rows) {
        const size_t rows = samples - first < block_rows ? samples - first : block_rows;
        cut.grain_count += divide_up(rows * width, inputs);
    }
    check->cut = cut;
}

gck_check *check_open(const gck_check_spec *spec)
{
    gck_error error;
    gck_check *check;
    assert_ok(gck_check_new(spec, &check, &error), &error);
    return check;
}

void assert_same_check(const gck_check *got, const gck_check *want)
{
    const size_t parameters = want->spec.model->parameter_count;
    const size_t x = want->spec.inputs ? want->spec.data->samples * want->spec.model->inputs : 0;
    assert_same_bits(&got->loss, &want->loss, 1, "loss");
    assert_same_bits(got->analytic, want->analytic, parameters, "analytic");
    assert_same_bits(got->numeric, want->numeric, parameters, "numeric");
    assert_same_bits(got->analytic_x, want->analytic_x, x, "analytic of x");
    assert_same_bits(got->numeric_x, want->numeric_x, x, "numeric of x");
}

network cut_network(void)
{
    const gck_layer_spec layers[] = {dropout(0.3), dense_with(1, "linear", "l2", 0.125)};
    network net = network_weighted(5, layers, 2, cost_named("mse"), 11);
    network_draw_biases(&net);
    return net;
}

gck_check *check_finished(const gck_check_spec *spec)
{
    gck_check *check = check_open(spec);
    check_recut(check, 3, 4, 7);
    for (size_t i = 0; i < check->cut.grain_count; i++)
        check_step(check, i);
    return check;
}
