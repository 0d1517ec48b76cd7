#include "server/problem.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    int status;
    const char *title;
} types[] = {[PROBLEM_NONE] = {"none", 500, ""},
#define X(constant, name, status, title) [PROBLEM_##constant] = {name, status, title},
             PROBLEM_LIST(X)
#undef X
};

const char *problem_name(enum problem_type type)
{
    return types[type].name;
}

const char *problem_title(enum problem_type type)
{
    return types[type].title;
}

int problem_status(enum problem_type type)
{
    return types[type].status;
}

bool problem_set(struct problem *problem, enum problem_type type, const char *format, ...)
{
    if (problem->type != PROBLEM_NONE) return false;
    problem->type = type;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->detail, sizeof problem->detail, format, arguments);
    va_end(arguments);
    return false;
}

bool problem_memory(struct problem *problem)
{
    return problem_set(problem, PROBLEM_OUT_OF_MEMORY, "memory is out");
}

/* "layers[2].units" -> "/layers/2/units" */
static void pointer_from_where(const char *base, const char *where, char *pointer)
{
    size_t used = (size_t)snprintf(pointer, PROBLEM_POINTER_SIZE, "%s", base);
    if (*where != '\0' && *where != '[' && used < PROBLEM_POINTER_SIZE - 1) pointer[used++] = '/';
    for (; *where != '\0' && used < PROBLEM_POINTER_SIZE - 1; where++)
        if (*where != ']') pointer[used++] = *where == '.' || *where == '[' ? '/' : *where;
    pointer[used] = '\0';
}

bool problem_from_error(struct problem *problem, const char *base, const gck_error *error)
{
    if (problem->type != PROBLEM_NONE) return false;
    switch (error->code) {
    case GCK_INVALID:
        problem_set(problem, PROBLEM_INVALID, "%s", error->text);
        problem->pointed = true;
        pointer_from_where(base, error->where, problem->pointer);
        return false;
    case GCK_NON_FINITE:
        return problem_set(problem, PROBLEM_NON_FINITE_COST, "%s", error->text);
    case GCK_MEMORY:
        return problem_set(problem, PROBLEM_OUT_OF_MEMORY, "%s", error->text);
    default:
        return problem_set(problem, PROBLEM_INTERNAL, "%s", error->text);
    }
}
