/* Models and data from JSON. */
#ifndef GRADCHECKD_CODEC_MODEL_H
#define GRADCHECKD_CODEC_MODEL_H

#include "server/codec_convention.h"
#include "server/spec.h"

#include <gradcheck/data.h>
#include <gradcheck/model.h>

/* ret_written->model is the caller's to free. */
bool read_model(const struct value *value, const struct place *place,
                struct written_model *ret_written);
/* The parameters of a model read from the same value: as given, or drawn from its seed. */
bool read_model_parameters(const struct value *value, const struct place *place,
                           const struct written_model *written, double **ret_parameters);

/* Whether a list has one entry a layer, or (*ret_each false) one for each that has parameters. The
 * former may end early where not all are needed. */
bool read_layer_entries(const struct value *value, const struct place *place,
                        const gck_model *model, bool all, bool *ret_each);

enum { WHAT_SIZE = 160 };
/* "W of layer 0 (dense)"; returns text. */
const char *tensor_what(const gck_layer *layer, const gck_tensor *tensor, char text[WHAT_SIZE]);
/* The form in which a tensor is given: b may be written (units), (1, units) or (units, 1). */
struct form form_given(const struct value *value, const struct convention *convention,
                       const gck_tensor *tensor);

/* x and y as the model takes and gives them; 413 when they would take more than bytes_max. */
bool read_data(const struct value *value, const struct place *place,
               const struct written_model *written, size_t bytes_max, gck_data **ret_data);

/* x alone: samples of the model's input shape, row-major. */
bool read_x(const struct value *value, const struct place *place,
            const struct written_model *written, size_t *ret_samples, double **ret_x);

#endif
