/*
 * Every route of the daemon, for tests that must leave none out: what is not in this list, or is
 * there otherwise, makes tests/server/test_route.c fail.
 */
#ifndef TESTS_SYSTEM_ROUTES_H
#define TESTS_SYSTEM_ROUTES_H

#define FOR_ALL 0     /* needs a token, once there is one */
#define FOR_ANYBODY 1 /* without a token, too */
#define FOR_WRITERS 2 /* with one that is not read-only */

/* constant, method, pattern, for whom */
#define ROUTES(X)                                                  \
    X(HEALTH, "GET", "/healthz", FOR_ANYBODY)                      \
    X(CATALOG, "GET", "/v1/catalog", FOR_ANYBODY)                  \
    X(WHOAMI, "GET", "/v1/whoami", FOR_ALL)                        \
    X(SUMMARY, "POST", "/v1/models/summary", FOR_ALL)              \
    X(COMPARISON, "POST", "/v1/comparisons", FOR_ALL)              \
    X(CHECK_CREATE, "POST", "/v1/gradient-checks", FOR_WRITERS)    \
    X(TRAINING_CREATE, "POST", "/v1/trainings", FOR_WRITERS)       \
    X(PROBE_CREATE, "POST", "/v1/probes", FOR_WRITERS)             \
    X(PROBE_GET, "GET", "/v1/probes/{id}", FOR_ALL)                \
    X(PROBE_VALUES, "POST", "/v1/probes/{id}/values", FOR_WRITERS) \
    X(JOB_LIST, "GET", "/v1/jobs", FOR_ALL)                        \
    X(JOB_GET, "GET", "/v1/jobs/{id}", FOR_ALL)                    \
    X(JOB_PATCH, "PATCH", "/v1/jobs/{id}", FOR_WRITERS)            \
    X(JOB_DELETE, "DELETE", "/v1/jobs/{id}", FOR_WRITERS)          \
    X(JOB_REQUEST, "GET", "/v1/jobs/{id}/request", FOR_ALL)        \
    X(JOB_PARAMETERS, "GET", "/v1/jobs/{id}/parameters", FOR_ALL)  \
    X(JOB_PREDICTIONS, "POST", "/v1/jobs/{id}/predictions", FOR_ALL)

enum route_constant {
#define X(constant, method, pattern, whom) ROUTE_##constant,
    ROUTES(X)
#undef X
        ROUTE_COUNT
};

#endif
