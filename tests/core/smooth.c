#include "tests/core/smooth.h"

network smooth_network(void)
{
    const gck_layer_spec layers[] = {dense(SQUARE, "tanh"), dense(SQUARE, "softplus"),
                                     dense(SQUARE, "sigmoid")};
    network net = network_weighted(SQUARE, layers, LAYERS, cost_named("mse"), ROWS);
    network_draw_biases(&net);
    return net;
}

gck_check_spec smooth_spec(const network *net)
{
    gck_check_spec spec = check_spec_of(net);
    spec.tolerance = SMOOTH;
    return spec;
}
