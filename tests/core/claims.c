#include "tests/core/claims.h"
#include "tests/core/compare.h"
#include "tests/core/suite.h"

bool claims_open(claims *c, const network *net, const gck_check_spec *spec, gck_dtype dtype)
{
    return claims_open_some(c, net, spec, dtype, NULL);
}

bool claims_open_some(claims *c, const network *net, const gck_check_spec *spec, gck_dtype dtype,
                      const bool *claimed)
{
    *c = (claims){.net = net, .spec = *spec};
    c->gradient = gck_vector_new(net->model->parameter_count + 1);
    c->x = gck_vector_new(net->data->samples * net->model->inputs);
    for (size_t i = 0; i < COUNT(c->claimed); i++)
        c->claimed[i] = claimed == NULL || claimed[i];
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

void claims_judge(claims *c)
{
    gck_error error;
    gck_report_free(c->report);
    assert_ok(gck_check_report(c->check, &c->report, &error), &error);
}

gck_findings claims_find(claims *c)
{
    gck_error error;
    gck_findings findings;
    assert_ok(gck_findings_new(&c->spec, c->report, (gck_stop){0}, &findings, &error), &error);
    return findings;
}
