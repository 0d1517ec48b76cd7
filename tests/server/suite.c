/* The main function of the library's tests serves these, too. */
#include "tests/core/suite.c" // NOLINT: one definition, built for either set of tests
