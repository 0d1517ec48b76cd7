/* The body of a POST of a comparison: answered, or refused. */
#include "server/codec_comparison.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct limits limits = fuzz_limits();
    struct problem problem = {0};
    struct blob *body = fuzz_body(data, size);
    struct blob *answer = codec_comparison(body, &limits, &problem);
    if (problem.type == PROBLEM_NONE)
        fuzz_drop(answer);
    else
        fuzz_problem(&problem);
    blob_unref(body);
    return 0;
}
