#include "server/spec.h"

#include <stdlib.h>

static void claim_free(struct claim *claim)
{
    if (claim == NULL) return;
    free(claim->tensor_claimed);
    gck_vector_free(claim->gradient);
    gck_vector_free(claim->given);
    gck_vector_free(claim->inputs);
    gck_vector_free(claim->outputs);
    free(claim);
}

void spec_free(struct spec *spec)
{
    if (spec == NULL) return;
    free(spec->labels.label);
    gck_model_free(spec->model);
    gck_vector_free(spec->parameters);
    gck_data_free(spec->data);
    free(spec->layer_checked);
    claim_free(spec->claim);
    probe_free(spec->probe);
    free(spec);
}
