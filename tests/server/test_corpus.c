/* The corpora of the fuzz targets, each file once: what was found stays mended. Runs from the top
 * of the repository, or with TEST_CORPUS naming the folder. */
#define LLVMFuzzerTestOneInput fuzz_check
#include "tests/fuzz/fuzz_check.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_comparison
#include "tests/fuzz/fuzz_comparison.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_header
#include "tests/fuzz/fuzz_header.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_json
#include "tests/fuzz/fuzz_json.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_npz
#include "tests/fuzz/fuzz_npz.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_prediction
#include "tests/fuzz/fuzz_prediction.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_probe
#include "tests/fuzz/fuzz_probe.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_route
#include "tests/fuzz/fuzz_route.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_summary
#include "tests/fuzz/fuzz_summary.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_tokens
#include "tests/fuzz/fuzz_tokens.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_train_state
#include "tests/fuzz/fuzz_train_state.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_training
#include "tests/fuzz/fuzz_training.c"
#undef LLVMFuzzerTestOneInput

#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <dirent.h>

static const struct {
    const char *name;
    int (*run)(const uint8_t *data, size_t size);
} targets[] = {
    {"check", fuzz_check},
    {"comparison", fuzz_comparison},
    {"header", fuzz_header},
    {"json", fuzz_json},
    {"npz", fuzz_npz},
    {"prediction", fuzz_prediction},
    {"probe", fuzz_probe},
    {"route", fuzz_route},
    {"summary", fuzz_summary},
    {"tokens", fuzz_tokens},
    {"train_state", fuzz_train_state},
    {"training", fuzz_training},
};

enum { FILE_MAX = 1 << 20 };

/* In a block of just its size, so that a sanitizer sees a read beyond it. */
static void replay(int target, const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    uint8_t *room = malloc(FILE_MAX);
    const size_t size = fread(room, 1, FILE_MAX, file);
    ck_assert_uint_lt(size, FILE_MAX);
    fclose(file);
    uint8_t *data = malloc(size > 0 ? size : 1);
    memcpy(data, room, size);
    free(room);
    fprintf(stderr, "%s\n", path);
    ck_assert_int_eq(targets[target].run(data, size), 0);
    free(data);
}

START_TEST(the_corpus_does_no_harm)
{
    const char *top = getenv("TEST_CORPUS") != NULL ? getenv("TEST_CORPUS") : "tests/fuzz/corpus";
    char folder[512], path[1024];
    int files = 0;
    snprintf(folder, sizeof folder, "%s/%s", top, targets[_i].name);
    DIR *dir = opendir(folder);
    ck_assert_msg(dir != NULL, "%s", folder);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        replay(_i, path);
        files++;
    }
    closedir(dir);
    ck_assert_int_gt(files, 0);
}
END_TEST

START_TEST(an_empty_input_does_no_harm)
{
    ck_assert_int_eq(targets[_i].run((const uint8_t *)"", 0), 0);
}
END_TEST

SUITE_MAIN("corpus", {the_corpus_does_no_harm, COUNT(targets)},
           {an_empty_input_does_no_harm, COUNT(targets)})
