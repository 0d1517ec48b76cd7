/* The body of a POST of a summary, and the model alone out of a job's body. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void summary_of(const struct blob *body, const struct limits *limits)
{
    struct problem problem = {0};
    gck_model *model = NULL;
    size_t samples;
    if (codec_summary_decode(body, limits, &model, &samples, &problem))
        fuzz_drop(codec_summary(model, samples));
    else
        fuzz_problem(&problem);
    gck_model_free(model);
}

static void model_of(const struct blob *body, const struct limits *limits)
{
    struct problem problem = {0};
    struct written_model written;
    if (!codec_spec_model(body, limits, &written, &problem)) {
        fuzz_problem(&problem);
        return;
    }
    const gck_model *model = written.model;
    MUST(model->layer_count >= 1 && model->inputs >= 1 && model->outputs >= 1);
    gck_model_free(written.model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct limits limits = fuzz_limits();
    struct blob *body = fuzz_body(data, size);
    summary_of(body, &limits);
    model_of(body, &limits);
    blob_unref(body);
    return 0;
}
