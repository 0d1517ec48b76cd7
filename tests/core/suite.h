/* The main function that all test programs of the library share. */
#ifndef TESTS_CORE_SUITE_H
#define TESTS_CORE_SUITE_H

#include <check.h>

typedef struct suite_test {
    const TTest *test;
    int runs; /* times it runs, with _i = 0, 1, …; 0 for a test that takes no _i */
} suite_test;

/* Prepares the matrix library and the kernels ($TEST_KERNELS, or the best that the processor runs,
 * as the daemon does), runs each test in a process of its own, and returns main's status. */
int suite_run(const char *name, const suite_test *tests, size_t count);

#define SUITE_MAIN(NAME, ...)                                          \
    int main(void)                                                     \
    {                                                                  \
        const suite_test tests[] = {__VA_ARGS__};                      \
        return suite_run(NAME, tests, sizeof tests / sizeof tests[0]); \
    }

#endif
