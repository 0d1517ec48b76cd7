/* Models and data from JSON. */
#ifndef GRADCHECKD_CODEC_MODEL_H
#define GRADCHECKD_CODEC_MODEL_H

#include "server/codec_read.h"

#include <gradcheck/data.h>
#include <gradcheck/model.h>

bool read_model(const struct value *value, const struct place *place, gck_model **ret_model);
/* The parameters of a model read from the same value: as given, or drawn from its seed. */
bool read_model_parameters(const struct value *value, const struct place *place,
                           const gck_model *model, double **ret_parameters);

/* x and y as the model takes and gives them; 413 when they would take more than bytes_max. */
bool read_data(const struct value *value, const struct place *place, const gck_model *model,
               size_t bytes_max, gck_data **ret_data);

/* x alone: samples of the model's input shape, row-major. */
bool read_x(const struct value *value, const struct place *place, const gck_model *model,
            size_t *ret_samples, double **ret_x);
/* y of so many samples into (samples, outputs); into NULL, only whether it has their extent. */
bool read_y(const struct value *value, const struct place *place, const gck_model *model,
            size_t samples, double *y);

#endif
