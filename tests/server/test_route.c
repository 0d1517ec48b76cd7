/* The table of routes: what the tests of the whole daemon think it is, and how paths find it. */
#include "server/route.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/system/routes.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *method, *pattern;
    unsigned whom;
} known[] = {
#define X(constant, method, pattern, whom) {method, pattern, whom},
    ROUTES(X)
#undef X
};

/* A route that is missing there is one that no test of isolation tries. */
START_TEST(the_tests_know_every_route)
{
    for (size_t i = 0; i < COUNT(known); i++) {
        const struct route *route = route_at(i);
        ck_assert_msg(route != NULL, "%s is gone", known[i].pattern);
        ck_assert_str_eq(route->method, known[i].method);
        ck_assert_str_eq(route->pattern, known[i].pattern);
        ck_assert_int_eq((route->flags & ROUTE_OPEN) != 0, known[i].whom == FOR_ANYBODY);
        ck_assert_int_eq((route->flags & ROUTE_CHANGES) != 0, known[i].whom == FOR_WRITERS);
    }
    const struct route *more = route_at(COUNT(known));
    ck_assert_msg(more == NULL, "%s %s is not in tests/system/routes.h", more->method,
                  more->pattern);
    ck_assert_ptr_null(route_at(SIZE_MAX));
}
END_TEST

/* Only what no client could mean a change by is left to read-only tokens. */
START_TEST(methods_and_flags_agree)
{
    for (size_t i = 0; route_at(i) != NULL; i++) {
        const struct route *route = route_at(i);
        const bool changes = (route->flags & ROUTE_CHANGES) != 0;
        const bool body = (route->flags & ROUTE_BODY) != 0;
        if (strcmp(route->method, "GET") == 0) ck_assert(!changes && !body);
        if (strcmp(route->method, "DELETE") == 0) ck_assert(changes && !body);
        if (strcmp(route->method, "PATCH") == 0) ck_assert(changes && body);
        if (strcmp(route->method, "POST") == 0) ck_assert(body);
        if ((route->flags & ROUTE_OPEN) != 0) ck_assert(!changes);
    }
}
END_TEST

START_TEST(every_route_is_found)
{
    for (size_t i = 0; route_at(i) != NULL; i++) {
        char job[ID_SIZE] = "", allow[ALLOW_SIZE], path[100];
        struct problem problem = {0};
        const char *hole = strstr(route_at(i)->pattern, "{id}");
        snprintf(path, sizeof path, "%.*s%s%s",
                 hole == NULL ? 90 : (int)(hole - route_at(i)->pattern), route_at(i)->pattern,
                 hole == NULL ? "" : "abc", hole == NULL ? "" : hole + 4);
        ck_assert_ptr_eq(route_find(route_at(i)->method, path, job, allow, &problem), route_at(i));
        ck_assert_str_eq(job, hole == NULL ? "" : "abc");
        ck_assert_ptr_null(route_find("PUT", path, job, allow, &problem));
        ck_assert_int_eq(problem.type, PROBLEM_METHOD_NOT_ALLOWED);
        ck_assert_ptr_nonnull(strstr(allow, route_at(i)->method));
    }
}
END_TEST

SUITE_MAIN("route", {the_tests_know_every_route, 0}, {methods_and_flags_agree, 0},
           {every_route_is_found, 0})
