#include "tests/core/compare.h"
#include "tests/core/cuts.h"
#include "tests/core/suite.h"
#include <gradcheck/rng.h>
#include <stdio.h>
#include <math.h>
START_TEST(go)
{
  for (size_t in = 1; in <= 6; in++) for (size_t out = 1; out <= 3; out++) {
    for (int variant = 0; variant < 4; variant++) {
    const gck_layer_spec all[4][2] = {{dense(6, "arctan"), dense(out, "gaussian")}, {dropout(0.5), dense(out, "gaussian")}, {dense_with(6,"arctan","l1",0.1), dense(out, "gaussian")}, {dense(6,"relu"), dense(out, "gaussian")}};
    const gck_layer_spec *layers = all[variant];
    double worst = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        network net = network_new(in, layers, 2, cost_named("binary_crossentropy"), 1);
        for (size_t k = 0; k < in; k++) net.data->x[k] = gck_rng_normal(i, GCK_RNG_PARAMETERS, 1, k);
        for (size_t k = 0; k < net.model->parameter_count; k++) net.parameters[k] = gck_rng_normal(i, GCK_RNG_PARAMETERS, 2, k);
        double eps = 0.27;
        gck_check *c[2];
        for (int engine = 0; engine < 2; engine++) {
            gck_check_spec spec = check_spec_of(&net);
            spec.epsilon = eps; spec.engine = engine;
            c[engine] = check_open(&spec);
            check_finish(c[engine]);
        }
        for (size_t e = 0; e < net.model->parameter_count; e++) {
            double a = c[0]->parameter.numeric[e], b = c[1]->parameter.numeric[e];
            double err = fabs(a-b)/fabs(b);
            if (err > 1e-9 && err > worst) { worst = err; printf("variant %d ", variant), printf("in %zu out %zu seed %lu e %zu: units %.12g direct %.12g exact %g z %g step %g range %g\n", in, out, (unsigned long)i, e, a, b, c[0]->parameter.exact[e], 0.0,0.0,0.0); }
        }
        gck_check_free(c[0]); gck_check_free(c[1]); network_done(&net);
    }
    }
  }
}
END_TEST
SUITE_MAIN("dbg", {go,0})
