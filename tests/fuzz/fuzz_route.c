/* Paths: the first byte chooses the method. */
#include "server/route.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void route_take(const char *method, const char *path)
{
    char job[ID_SIZE] = "", allow[ALLOW_SIZE];
    struct problem problem = {0};
    const struct route *route = route_find(method, path, job, allow, &problem);
    MUST(memchr(job, '\0', sizeof job) != NULL && strchr(job, '/') == NULL);
    MUST(memchr(allow, '\0', sizeof allow) != NULL);
    if (route != NULL) {
        MUST(problem.type == PROBLEM_NONE && route->handle != NULL);
        MUST(strcmp(route->method, strcmp(method, "HEAD") == 0 ? "GET" : method) == 0);
        MUST((strstr(route->pattern, "{id}") != NULL) == (job[0] != '\0'));
        return;
    }
    MUST(problem.type == (allow[0] != '\0' ? PROBLEM_METHOD_NOT_ALLOWED : PROBLEM_NOT_FOUND));
    fuzz_drop(codec_problem(&problem, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE", "PUT", "", "get"};
    if (size == 0) return 0;
    char *path = malloc(size);
    MUST(path != NULL);
    memcpy(path, data + 1, size - 1);
    path[size - 1] = '\0';
    route_take(methods[data[0] % 7], path);
    free(path);
    return 0;
}
