/* GET /v1/jobs: the filter that the query asks for, and a page of what it shows. */
#include "server/codec_job.h"
#include "server/header.h"
#include "server/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_LIMIT = 50, LIST_LIMIT_MAX = 500 };

/* "queued,running" as a mask of 1 << enum. */
static bool read_names(const char *text, const char *name, int (*find)(const char *, size_t),
                       unsigned *mask, struct problem *problem)
{
    for (const char *item = text;; item++) {
        const size_t length = strcspn(item, ",");
        const int found = find(item, length);
        if (found < 0)
            return problem_set(problem, PROBLEM_BAD_REQUEST, "\"%.*s\" is no %s",
                               length < 60 ? (int)length : 60, item, name);
        *mask |= 1u << found;
        item += length;
        if (*item == '\0') return true;
    }
}

static bool read_limit(const char *text, size_t *limit, struct problem *problem)
{
    const size_t digits = strspn(text, "0123456789");
    const long number =
        digits > 0 && digits < 5 && text[digits] == '\0' ? strtol(text, NULL, 10) : 0;
    if (number < 1 || number > LIST_LIMIT_MAX)
        return problem_set(problem, PROBLEM_BAD_REQUEST, "limit must be between 1 and %d",
                           LIST_LIMIT_MAX);
    *limit = (size_t)number;
    return true;
}

static bool read_label(const struct argument *argument, struct store_filter *filter,
                       struct problem *problem)
{
    const char *name = argument->name + strlen("label.");
    if (!name_is_valid(name) || strlen(argument->value) >= LABEL_VALUE_SIZE ||
        filter->labels.count == LABELS_MAX)
        return problem_set(problem, PROBLEM_BAD_REQUEST, "%.80s is no label to look for",
                           argument->name);
    struct label *label = &filter->labels.label[filter->labels.count++];
    snprintf(label->name, sizeof label->name, "%s", name);
    snprintf(label->value, sizeof label->value, "%s", argument->value);
    return true;
}

static bool read_argument(const struct argument *argument, struct store_filter *filter,
                          struct problem *problem)
{
    if (strcmp(argument->name, "state") == 0)
        return read_names(argument->value, "state", job_state_find, &filter->states, problem);
    if (strcmp(argument->name, "kind") == 0)
        return read_names(argument->value, "kind", job_kind_find, &filter->kinds, problem);
    if (strcmp(argument->name, "limit") == 0)
        return read_limit(argument->value, &filter->limit, problem);
    if (strcmp(argument->name, "cursor") == 0)
        return cursor_parse(argument->value, &filter->before) ||
               problem_set(problem, PROBLEM_BAD_REQUEST, "the cursor is none of this server's");
    if (strncmp(argument->name, "label.", strlen("label.")) == 0)
        return read_label(argument, filter, problem);
    return problem_set(problem, PROBLEM_BAD_REQUEST, "\"%.80s\" is no argument of a list",
                       argument->name);
}

static void list(struct service *service, struct request *request, struct reply *reply,
                 struct store_filter *filter)
{
    struct problem problem = {0};
    struct job_page page;
    for (size_t i = 0; i < request->argument_count; i++)
        if (!read_argument(&request->argument[i], filter, &problem)) break;
    if (problem.type != PROBLEM_NONE || !jobs_list(service->jobs, filter, &page, &problem)) {
        reply_problem(reply, &problem, request->id);
        return;
    }
    char cursor[CURSOR_SIZE];
    cursor_format(page.next, cursor);
    reply_json(reply, 200, codec_job_list(&page, page.next > 0 ? cursor : NULL), request->id);
    job_page_done(&page);
}

enum route_outcome route_job_list(struct service *service, struct request *request,
                                  struct reply *reply)
{
    struct label labels[LABELS_MAX];
    struct store_filter filter = {
        .scope = user_changes(&request->user), .limit = LIST_LIMIT, .labels = {.label = labels}};
    list(service, request, reply, &filter);
    return ROUTE_REPLY;
}
