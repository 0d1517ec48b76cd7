#include "tests/core/suite.h"

#include <gradcheck/blas.h>
#include <gradcheck/kernels.h>

#include <stdio.h>
#include <stdlib.h>

/* Seconds; far above what any test takes, sanitizers included. */
enum { TIMEOUT_SECONDS = 120 };

int suite_run(const char *name, const suite_test *tests, size_t count)
{
    gck_error error;
    if (gck_kernels_start(getenv("TEST_KERNELS"), &error) != GCK_OK ||
        gck_blas_start(&error) != GCK_OK) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, TIMEOUT_SECONDS);
    for (size_t i = 0; i < count; i++) {
        if (tests[i].runs > 0)
            tcase_add_loop_test(tcase, tests[i].test, 0, tests[i].runs);
        else
            tcase_add_test(tcase, tests[i].test);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
