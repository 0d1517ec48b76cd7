#include "server/spec.h"

#include <stdlib.h>

void spec_free(struct spec *spec)
{
    if (spec == NULL) return;
    free(spec->labels.label);
    gck_model_free(spec->model);
    gck_vector_free(spec->parameters);
    gck_data_free(spec->data);
    free(spec->layer_checked);
    free(spec);
}
