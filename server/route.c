#include "server/route.h"

#include <stdio.h>
#include <string.h>

static const struct route routes[] = {
    {"GET", "/healthz", route_health, ROUTE_INSTANT | ROUTE_OPEN},
    {"GET", "/v1/catalog", route_catalog, ROUTE_INSTANT | ROUTE_OPEN},
    {"GET", "/v1/whoami", route_whoami, ROUTE_INSTANT},
    {"POST", "/v1/models/summary", route_summary, ROUTE_BODY},
    {"POST", "/v1/comparisons", route_comparison, ROUTE_BODY},
    {"POST", "/v1/gradient-checks", route_check_create, ROUTE_BODY | ROUTE_CHANGES},
    {"POST", "/v1/trainings", route_training_create, ROUTE_BODY | ROUTE_CHANGES},
    {"POST", "/v1/probes", route_probe_create, ROUTE_BODY | ROUTE_CHANGES},
    {"GET", "/v1/probes/{id}", route_probe_get, 0},
    {"POST", "/v1/probes/{id}/values", route_probe_values, ROUTE_BODY | ROUTE_CHANGES},
    {"GET", "/v1/jobs", route_job_list, 0},
    {"GET", "/v1/jobs/{id}", route_job_get, 0},
    {"PATCH", "/v1/jobs/{id}", route_job_patch, ROUTE_BODY | ROUTE_CHANGES},
    {"DELETE", "/v1/jobs/{id}", route_job_delete, ROUTE_CHANGES},
    {"GET", "/v1/jobs/{id}/request", route_job_request, 0},
    {"GET", "/v1/jobs/{id}/parameters", route_job_parameters, 0},
    {"POST", "/v1/jobs/{id}/predictions", route_job_predictions, ROUTE_BODY},
};
enum { ROUTES = sizeof routes / sizeof routes[0] };

const struct route *route_at(size_t index)
{
    return index < ROUTES ? &routes[index] : NULL;
}

/* An id that is too long to be one matches as well, so that it is "no such job". */
static bool path_matches(const char *pattern, const char *path, char job[ID_SIZE])
{
    const char *hole = strstr(pattern, "{id}");
    if (hole == NULL) return strcmp(pattern, path) == 0;
    const size_t head = (size_t)(hole - pattern);
    if (strncmp(pattern, path, head) != 0) return false;
    const size_t length = strcspn(path + head, "/");
    if (length == 0 || strcmp(path + head + length, hole + strlen("{id}")) != 0) return false;
    snprintf(job, ID_SIZE, "%.*s", length < ID_SIZE ? (int)length : 1, path + head);
    return true;
}

static void allow_add(char allow[ALLOW_SIZE], const char *method)
{
    const size_t used = strlen(allow);
    snprintf(allow + used, ALLOW_SIZE - used, "%s%s%s", used > 0 ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

const struct route *route_find(const char *method, const char *path, char job[ID_SIZE],
                               char allow[ALLOW_SIZE], struct problem *problem)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    allow[0] = '\0';
    for (size_t i = 0; i < ROUTES; i++) {
        if (!path_matches(routes[i].pattern, path, job)) continue;
        if (strcmp(routes[i].method, wanted) == 0) return &routes[i];
        allow_add(allow, routes[i].method);
    }
    if (allow[0] == '\0')
        problem_set(problem, PROBLEM_NOT_FOUND, "there is no such path");
    else
        problem_set(problem, PROBLEM_METHOD_NOT_ALLOWED, "this path takes %s", allow);
    return NULL;
}
