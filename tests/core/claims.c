#include "tests/core/claims.h"
#include "tests/core/compare.h"
#include "tests/core/suite.h"

#include <stdlib.h>
#include <string.h>

bool claims_open(claims *c, const network *net, const gck_check_spec *spec, gck_dtype dtype)
{
    *c = (claims){.net = net, .spec = *spec};
    c->gradient = gck_vector_new(net->model->parameter_count + 1);
    c->x = gck_vector_new(net->data->samples * net->model->inputs);
    memset(c->claimed, 1, sizeof c->claimed);
    c->claim = (gck_claim){.dtype = dtype,
                           .gradient = c->gradient,
                           .tensor_claimed = c->claimed,
                           .inputs = spec->inputs ? c->x : NULL};
    c->spec.claim = &c->claim;
    c->spec.worst = 0;
    if (check_run(&c->spec, &c->check, &c->report) == GCK_OK) return true;
    claims_close(c);
    return false;
}

void claims_close(claims *c)
{
    gck_report_free(c->report);
    gck_check_free(c->check);
    gck_vector_free(c->gradient);
    gck_vector_free(c->x);
}

static void judge(claims *c, gck_tensor_report *tensor, const double *claimed)
{
    gck_error error;
    free(tensor->worst);
    tensor->analytic = claimed;
    assert_ok(gck_tensor_judge(tensor, c->report->tolerance, 0, &error), &error);
    if (tensor->verdict > c->report->verdict) c->report->verdict = tensor->verdict;
}

void claims_judge(claims *c)
{
    c->report->verdict = GCK_PASS;
    for (size_t i = 0; i < c->report->layer_count; i++) {
        gck_layer_report *layer = &c->report->layer[i];
        layer->verdict = GCK_PASS;
        for (size_t t = 0; t < layer->tensor_count; t++) {
            const gck_tensor *of = &c->net->model->layer[layer->index].tensor[t];
            judge(c, &layer->tensor[t], c->gradient + of->offset);
            if (layer->tensor[t].verdict > layer->verdict)
                layer->verdict = layer->tensor[t].verdict;
        }
    }
    if (c->report->has_inputs) judge(c, &c->report->inputs, c->x);
}

gck_findings claims_find(claims *c)
{
    gck_error error;
    gck_findings findings;
    assert_ok(gck_findings_new(&c->spec, c->report, (gck_stop){0}, &findings, &error), &error);
    return findings;
}
