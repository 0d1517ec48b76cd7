/* The body of a POST for predictions of a small network; the first byte chooses the network. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const prediction_models[] = {
    "{\"model\":{\"input_shape\":[2],\"layers\":[{\"type\":\"dense\",\"units\":2,\"activation\":"
    "\"softmax\"}],\"cost\":\"categorical_crossentropy\"}}",
    "{\"model\":{\"input_shape\":[1],\"layers\":[{\"type\":\"dense\",\"units\":1,\"activation\":"
    "\"sigmoid\"}],\"cost\":\"binary_crossentropy\"}}",
    "{\"model\":{\"input_shape\":[2,2],\"layers\":[{\"type\":\"activation\",\"activation\":"
    "\"tanh\"}],\"cost\":\"mae\"}}",
    "{\"model\":{\"input_shape\":[2],\"layers\":[{\"type\":\"dense\",\"units\":3}],\"cost\":"
    "\"mse\","
    "\"convention\":\"columns\"}}",
};

static void prediction_decode(const struct blob *body, const struct written_model *written)
{
    const struct limits limits = fuzz_limits();
    struct problem problem = {0};
    gck_data *given = NULL;
    bool with_y;
    if (codec_prediction_decode(body, &limits, written, &given, &with_y, &problem)) {
        double *y = gck_vector_new(given->samples * written->model->outputs);
        MUST(y != NULL);
        fuzz_drop(codec_predictions(written, given, y, NULL));
        gck_vector_free(y);
    } else {
        fuzz_problem(&problem);
    }
    gck_data_free(given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const struct limits limits = fuzz_limits();
    struct problem problem = {0};
    struct written_model written;
    const char *text = prediction_models[data[0] % 4];
    struct blob *of_model = fuzz_body((const uint8_t *)text, strlen(text));
    struct blob *body = fuzz_body(data + 1, size - 1);
    MUST(codec_spec_model(of_model, &limits, &written, &problem));
    prediction_decode(body, &written);
    gck_model_free(written.model);
    blob_unref(of_model);
    blob_unref(body);
    return 0;
}
