/* A saved training: loaded into a small one with everything, stepped on and saved again. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { TRAIN_STATE_UNITS = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char train_state_body[] =
    "{\"model\":{\"input_shape\":[2],\"layers\":[{\"type\":\"dense\",\"units\":2,\"activation\":"
    "\"tanh\"},{\"type\":\"dropout\",\"rate\":0.25},{\"type\":\"dense\",\"units\":1,"
    "\"activation\":\"sigmoid\"}],\"cost\":\"binary_crossentropy\"},\"data\":{\"x\":[[1,2],[3,4],"
    "[5,6],[-1,-2],[0,1]],\"y\":[0,1,0,1,1],\"weights\":[1,2,1,0,1]},\"training\":{\"epochs\":3,"
    "\"batch_size\":2,\"optimizer\":\"adam\",\"validation_split\":0.2,\"check_every\":2}}";

static struct spec *train_state_spec(void)
{
    const struct limits limits = fuzz_limits();
    struct problem problem = {0};
    struct blob *body = fuzz_body((const uint8_t *)train_state_body, sizeof train_state_body - 1);
    struct spec *spec = codec_spec_decode(JOB_TRAINING, body, &limits, &problem);
    MUST(spec != NULL);
    blob_unref(body);
    return spec;
}

/* Numbers may be anything, so a step may fail; what it leaves can be saved and shown. */
static void train_state_use(gck_train *train)
{
    unsigned char *bytes;
    size_t size;
    bool finished = false;
    gck_error error;
    for (int i = 0; i < TRAIN_STATE_UNITS && !finished; i++)
        if (gck_train_step(train, 1, &finished, &error) != GCK_OK) return;
    const gck_train_result result = gck_train_result_of(train);
    fuzz_drop(codec_training_result(&result));
    MUST(gck_train_export(train, &bytes, &size, &error) == GCK_OK);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spec *spec = train_state_spec();
    gck_train *train;
    gck_error error;
    MUST(gck_train_new(&spec->train, &train, &error) == GCK_OK);
    const gck_status status = gck_train_import(train, data, size, &error);
    MUST(status == GCK_OK || status == GCK_CORRUPT || status == GCK_MEMORY);
    if (status == GCK_OK) train_state_use(train);
    gck_train_free(train);
    spec_free(spec);
    return 0;
}
