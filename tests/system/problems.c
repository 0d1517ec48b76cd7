#include "problems.h"
#include "values.h"

#include <stdio.h>
#include <string.h>

static bool is_text(const json_t *object, const char *pointer)
{
    const char *text = json_string_value(value_find(object, pointer));
    return text != NULL && *text != '\0';
}

static bool is_problem_type(const json_t *problem)
{
    static const char prefix[] = "urn:gradcheckd:problem:";
    const char *type = json_string_value(value_find(problem, "/type"));
    return type != NULL && strncmp(type, prefix, sizeof prefix - 1) == 0 &&
           type[sizeof prefix - 1] != '\0';
}

static const char *members_fault(const json_t *problem, const struct answer *answer)
{
    const char *id = answer_header(answer, "X-Request-Id");
    const char *instance = json_string_value(value_find(problem, "/instance"));
    if (!is_problem_type(problem)) return "type is no urn:gradcheckd:problem:NAME";
    if (!is_text(problem, "/title")) return "no title";
    if (!is_text(problem, "/detail")) return "no detail";
    if (json_integer_value(value_find(problem, "/status")) != answer->status)
        return "status is not that of the answer";
    if (id == NULL) return "no X-Request-Id";
    if (instance == NULL || strcmp(instance, id) != 0) return "instance is not X-Request-Id";
    return NULL;
}

const char *problem_fault(struct answer *answer, int status)
{
    const char *type = answer_header(answer, "Content-Type");
    const char *fault = NULL;
    json_error_t error;
    if (answer->status != status)
        return format("expected %d, got %d: %.300s", status, answer->status, answer->body);
    if (type == NULL || strncmp(type, "application/problem+json", 24) != 0)
        return format("Content-Type is %s", type != NULL ? type : "missing");
    answer->json = json_loadb(answer->body, answer->body_bytes, JSON_REJECT_DUPLICATES, &error);
    if (answer->json == NULL) return format("no JSON: %.300s", answer->body);
    keep(answer->json);
    fault = members_fault(answer->json, answer);
    return fault != NULL ? format("%s: %.300s", fault, answer->body) : NULL;
}

static bool pointer_matches(const char *pointer, const char *pointers)
{
    for (const char *choice = pointers;; choice += strcspn(choice, "|") + 1) {
        size_t length = strcspn(choice, "|");
        bool prefix = length > 0 && choice[length - 1] == '*';
        size_t compared = prefix ? length - 1 : length;
        if (strncmp(pointer, choice, compared) == 0 && (prefix || strlen(pointer) == length))
            return true;
        if (choice[length] == '\0') return false;
    }
}

const char *pointer_fault(struct answer *answer, int status, const char *pointers)
{
    const char *fault = problem_fault(answer, status);
    if (fault != NULL || pointers == NULL) return fault;
    const json_t *first = value_find(answer->json, "/errors/0");
    const char *pointer = json_string_value(value_find(first, "/pointer"));
    if (pointer == NULL || !is_text(first, "/detail"))
        return format("no errors with pointer and detail: %.300s", answer->body);
    if (pointer_matches(pointer, pointers)) return NULL;
    return format("expected pointer \"%s\", got \"%s\": %.300s", pointers, pointer, answer->body);
}

void problem_expect(struct answer *answer, int status, const char *pointers)
{
    const char *fault = pointer_fault(answer, status, pointers);
    ck_assert_msg(fault == NULL, "%s", fault);
}

int case_failed(const char *name, const char *fault)
{
    fprintf(stderr, "case \"%s\": %s\n", name, fault);
    return 1;
}

int case_survived(const struct service *service, const char *name)
{
    return service_alive(service) ? 0 : case_failed(name, "the daemon is gone");
}
