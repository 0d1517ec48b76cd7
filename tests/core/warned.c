#include "tests/core/warned.h"

#include <check.h>
#include <string.h>

network chain_network(const gck_layer_spec *layers, size_t count, const double *x, size_t samples)
{
    network net = network_new(1, layers, count, cost_named("dot"), samples);
    memcpy(net.data->x, x, samples * sizeof *x);
    for (size_t i = 0; i < net.model->layer_count; i++) {
        const gck_layer *layer = &net.model->layer[i];
        for (size_t e = 0; e < layer->tensor[0].count; e++)
            net.parameters[layer->tensor[0].offset + e] = 1;
    }
    return net;
}

void assert_warned(network net, const gck_check_spec *spec, const char *const *want)
{
    gck_check *check;
    gck_report *report;
    size_t i = 0;
    ck_assert(check_run(spec, &check, &report) == GCK_OK);
    ck_assert_int_eq(report->verdict, GCK_PASS);
    for (; want[i] != NULL; i++) {
        ck_assert_msg(i < report->warning_count, "missing: %s", want[i]);
        ck_assert_str_eq(report->warning[i], want[i]);
    }
    ck_assert_msg(i == report->warning_count, "more: %s", report->warning[i]);
    gck_report_free(report);
    gck_check_free(check);
    network_done(&net);
}
