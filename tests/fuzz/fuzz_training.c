/* The body of a POST of a training: decoded, and where it asks for little work, trained for some
 * units, saved, loaded and answered. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { TRAINING_UNITS = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is saved is what is loaded. */
static void training_reload(const gck_train *train, const struct spec *spec)
{
    unsigned char *bytes, *again;
    size_t size, size_again;
    gck_train *loaded;
    gck_error error;
    MUST(gck_train_export(train, &bytes, &size, &error) == GCK_OK);
    MUST(gck_train_new(&spec->train, &loaded, &error) == GCK_OK);
    MUST(gck_train_import(loaded, bytes, size, &error) == GCK_OK);
    MUST(gck_train_export(loaded, &again, &size_again, &error) == GCK_OK);
    MUST(size_again == size && memcmp(bytes, again, size) == 0);
    gck_train_free(loaded);
    free(bytes);
    free(again);
}

static void training_run(const struct spec *spec)
{
    gck_train *train;
    gck_error error;
    bool finished = false;
    MUST(gck_train_new(&spec->train, &train, &error) == GCK_OK);
    gck_status status = GCK_OK;
    for (int i = 0; i < TRAINING_UNITS && !finished && status == GCK_OK; i++)
        status = gck_train_step(train, 1, &finished, &error);
    MUST(status == GCK_OK);
    const gck_train_result result = gck_train_result_of(train);
    fuzz_drop(codec_training_result(&result));
    fuzz_drop(codec_training_summary(&result));
    training_reload(train, spec);
    gck_train_free(train);
}

static bool training_is_small(const struct spec *spec)
{
    const gck_check_spec check = {
        .model = spec->model, .data = spec->data, .method = GCK_CENTRAL, .epsilon = 1e-4};
    gck_check_cost cost;
    double operations, bytes;
    gck_train_estimate(&spec->train, &operations, &bytes);
    gck_check_estimate(&check, spec->data->samples, &cost);
    const double epoch = operations / (double)spec->train.epochs;
    return epoch + (spec->train.check_every > 0 ? cost.operations : 0) < FUZZ_OPERATIONS &&
           bytes < 1e7 && spec->model->parameter_count < 10000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct limits limits = fuzz_limits();
    struct problem problem = {0};
    struct blob *body = fuzz_body(data, size);
    struct spec *spec = codec_spec_decode(JOB_TRAINING, body, &limits, &problem);
    if (spec == NULL)
        fuzz_problem(&problem);
    else if (training_is_small(spec))
        training_run(spec);
    spec_free(spec);
    blob_unref(body);
    return 0;
}
