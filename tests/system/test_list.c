/* Lists of jobs: order, filters, pages; and posts repeated under an Idempotency-Key. */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "values.h"

#include <string.h>

#define ITEM_NAMES                                                                       \
    "id kind state owner shared labels priority cancel_requested created_at started_at " \
    "finished_at progress usage summary error"

static json_t *list(const struct service *service, const char *query)
{
    struct answer *answer = get(service, format("/v1/jobs%s", query));
    answer_expect(answer, 200);
    names_expect(answer_json(answer), "jobs next", NULL);
    return answer->json;
}

static size_t count(const struct service *service, const char *query)
{
    return length_at(list(service, query), "/jobs");
}

static const char *post_labelled(const struct service *service, const char *labels)
{
    json_t *request = check_small();
    value_set(request, "/labels", value_parse(labels));
    return job_post(service, CHECKS, request);
}

START_TEST(empty_list)
{
    struct service service;
    service_start(&service, "");
    json_t *page = list(&service, "");
    ck_assert_uint_eq(length_at(page, "/jobs"), 0);
    ck_assert(json_is_null(value_at(page, "/next")));
    service_end(&service);
}

START_TEST(newest_first)
{
    enum { JOBS = 5 };
    const char *ids[JOBS];
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < JOBS; i++)
        ids[i] = job_post(&service, CHECKS, check_small());
    json_t *page = list(&service, "");
    ck_assert_uint_eq(length_at(page, "/jobs"), JOBS);
    ck_assert(json_is_null(value_at(page, "/next")));
    for (int i = 0; i < JOBS; i++)
        ck_assert_str_eq(text_at(page, format("/jobs/%d/id", i)), ids[JOBS - 1 - i]);
    service_end(&service);
}

START_TEST(items_have_a_summary)
{
    struct service service;
    service_start(&service, "");
    job_wait(&service, job_post(&service, CHECKS, check_small()));
    job_wait(&service, job_post(&service, TRAININGS, training_small(5)));
    json_t *page = list(&service, "");
    names_expect(value_at(page, "/jobs/0"), ITEM_NAMES, NULL);
    names_expect(value_at(page, "/jobs/1"), ITEM_NAMES, NULL);
    names_expect(value_at(page, "/jobs/0/summary"), "epochs cost accuracy", NULL);
    ck_assert_int_eq(integer_at(page, "/jobs/0/summary/epochs"), 5);
    ck_assert(number_at(page, "/jobs/0/summary/cost") > 0);
    names_expect(value_at(page, "/jobs/1/summary"),
                 "verdict distance refined_distance parameters_checked", NULL);
    ck_assert_int_eq(integer_at(page, "/jobs/1/summary/parameters_checked"), 218);
    ck_assert_str_eq(text_at(page, "/jobs/1/summary/verdict"), "pass");
    ck_assert(number_at(page, "/jobs/1/summary/refined_distance") < 1e-13);
    service_end(&service);
}

START_TEST(filters)
{
    struct service service;
    service_start(&service, "--workers 1");
    const char *labelled = post_labelled(&service, "{\"project\": \"a b\", \"branch\": \"main\"}");
    job_wait(&service, labelled);
    job_wait(&service, post_labelled(&service, "{\"project\": \"a b\", \"branch\": \"x+y\"}"));
    const char *training = job_post(&service, TRAININGS, training_long());
    job_running(&service, training);
    ck_assert_uint_eq(count(&service, "?state=running"), 1);
    ck_assert_uint_eq(count(&service, "?state=succeeded"), 2);
    ck_assert_uint_eq(count(&service, "?state=running,succeeded"), 3);
    ck_assert_uint_eq(count(&service, "?state=failed,cancelled"), 0);
    ck_assert_uint_eq(count(&service, "?kind=training"), 1);
    ck_assert_uint_eq(count(&service, "?kind=gradient-check"), 2);
    ck_assert_uint_eq(count(&service, "?kind=training,gradient-check"), 3);
    ck_assert_uint_eq(count(&service, "?kind=training&state=succeeded"), 0);
    ck_assert_uint_eq(count(&service, "?label.project=a%20b"), 2);
    ck_assert_uint_eq(count(&service, "?label.project=a+b"), 2);
    ck_assert_uint_eq(count(&service, "?label.branch=x%2By"), 1);
    ck_assert_uint_eq(count(&service, "?label.project=a"), 0);
    ck_assert_uint_eq(count(&service, "?label.nothing=main"), 0);
    json_t *page = list(&service, "?label.project=a%20b&label.branch=main");
    ck_assert_uint_eq(length_at(page, "/jobs"), 1);
    ck_assert_str_eq(text_at(page, "/jobs/0/id"), labelled);
    job_cancel(&service, training);
    ck_assert_uint_eq(count(&service, "?state=cancelled"), 1);
    service_end(&service);
}

/* Walks all pages; a job posted on the way must neither show nor push others out of their place. */
START_TEST(pages)
{
    enum { JOBS = 7 };
    const char *ids[JOBS];
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < JOBS; i++)
        ids[i] = post_labelled(&service, "{\"walk\": \"1\"}");
    const char *query = "?limit=3&label.walk=1";
    int seen = 0;
    for (int page_count = 0; query != NULL; page_count++) {
        ck_assert_int_lt(page_count, JOBS);
        json_t *page = list(&service, query);
        size_t length = length_at(page, "/jobs");
        ck_assert_uint_le(length, 3);
        for (size_t i = 0; i < length; i++, seen++) {
            ck_assert_int_lt(seen, JOBS);
            ck_assert_str_eq(text_at(page, format("/jobs/%zu/id", i)), ids[JOBS - 1 - seen]);
        }
        post_labelled(&service, "{\"walk\": \"1\"}");
        query = json_is_null(value_at(page, "/next"))
                    ? NULL
                    : format("?limit=3&label.walk=1&cursor=%s", text_at(page, "/next"));
    }
    ck_assert_int_eq(seen, JOBS);
    service_end(&service);
}

START_TEST(limits)
{
    struct service service;
    service_start(&service, "");
    for (int i = 0; i < 52; i++)
        job_post(&service, CHECKS, check_small());
    ck_assert_uint_eq(count(&service, ""), 50);
    ck_assert_uint_eq(count(&service, "?limit=1"), 1);
    ck_assert_uint_eq(count(&service, "?limit=52"), 52);
    ck_assert_uint_eq(count(&service, "?limit=500"), 52);
    /* A page that ends exactly at the last job is followed by none. */
    ck_assert(json_is_null(value_at(list(&service, "?limit=52"), "/next")));
    service_end(&service);
}

START_TEST(bad_queries)
{
    static const char *const refused[] = {"limit=0",
                                          "limit=501",
                                          "limit=-1",
                                          "limit=x",
                                          "limit=1.5",
                                          "limit=",
                                          "limit=1e2",
                                          "state=done",
                                          "kind=model",
                                          "state=,",
                                          "limit=99999999999999999999"};
    static const char *const cursors[] = {"x",    "%00", "%F0%9F%98%80",
                                          "AAAA", "-1",  "999999999999999999999999"};
    int failed = 0;
    struct service service;
    service_start(&service, "");
    job_post(&service, CHECKS, check_small());
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct answer *answer = get(&service, format("/v1/jobs?%s", refused[i]));
        const char *fault = problem_fault(answer, answer->status == 400 ? 400 : 422);
        if (fault != NULL) failed += case_failed(refused[i], fault);
    }
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        const char *path = format("/v1/jobs?cursor=%s", cursors[i]);
        const char *fault = problem_fault(get(&service, path), 400);
        if (fault != NULL) failed += case_failed(path, fault);
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

static struct answer *post_keyed(const struct service *service, const char *path, const char *key,
                                 json_t *body)
{
    return post_with(service, path, format("Idempotency-Key: %s\r\n", key), body);
}

START_TEST(repeated_post_is_one_job)
{
    struct service service;
    service_start(&service, "");
    struct answer *first = post_keyed(&service, CHECKS, "\"build-17\"", check_small());
    answer_expect(first, 202);
    const char *id = text_at(answer_json(first), "/id");
    job_wait(&service, id);
    struct answer *again = post_keyed(&service, CHECKS, "\"build-17\"", check_small());
    answer_expect(again, 200);
    ck_assert_str_eq(text_at(answer_json(again), "/id"), id);
    ck_assert_str_eq(text_at(again->json, "/state"), "succeeded");
    again = post_keyed(&service, CHECKS, "build-17", check_small());
    ck_assert_str_eq(text_at(answer_json(again), "/id"), id);
    ck_assert_uint_eq(count(&service, ""), 1);
    again = post_keyed(&service, CHECKS, "build-18", check_small());
    answer_expect(again, 202);
    ck_assert_str_ne(text_at(answer_json(again), "/id"), id);
    service_end(&service);
}

START_TEST(key_stands_for_one_request)
{
    struct service service;
    service_start(&service, "");
    answer_expect(post_keyed(&service, CHECKS, "k", check_small()), 202);
    json_t *other = check_small();
    value_set(other, "/model/seed", json_integer(1));
    problem_expect(post_keyed(&service, CHECKS, "k", other), 422, NULL);
    problem_expect(post_keyed(&service, TRAININGS, "k", training_small(1)), 422, NULL);
    struct answer *elsewhere = post_keyed(&service, TRAININGS, "k", check_small());
    problem_expect(elsewhere, 422, NULL);
    ck_assert_str_eq(text_at(answer_json(elsewhere), "/type"),
                     "urn:gradcheckd:problem:idempotency-key-reused");
    ck_assert_uint_eq(count(&service, ""), 1);
    service_end(&service);
}

/* Clients retry just when the server is full. */
START_TEST(full_server_knows_its_keys)
{
    struct service service;
    service_start(&service, "--active-jobs 1");
    struct answer *first = post_keyed(&service, TRAININGS, "q", training_long());
    answer_expect(first, 202);
    problem_expect(post_keyed(&service, CHECKS, "r", check_small()), 503, NULL);
    struct answer *again = post_keyed(&service, TRAININGS, "q", training_long());
    answer_expect(again, 202);
    ck_assert_str_eq(text_at(answer_json(again), "/id"), text_at(answer_json(first), "/id"));
    answer_expect(post_keyed(&service, CHECKS, "", check_small()), 400);
    service_end(&service);
}

START_TEST(running_job_is_found_by_its_key)
{
    struct service service;
    service_start(&service, "");
    struct answer *first = post_keyed(&service, TRAININGS, "long", training_long());
    answer_expect(first, 202);
    struct answer *again = post_keyed(&service, TRAININGS, "long", training_long());
    answer_expect(again, 202);
    const char *id = text_at(answer_json(first), "/id");
    ck_assert_str_eq(text_at(answer_json(again), "/id"), id);
    ck_assert_str_eq(answer_header(again, "Location"), format("/v1/jobs/%s", id));
    job_cancel(&service, id);
    service_end(&service);
}

/* A refused post leaves nothing behind, and a key lives as long as its job. */
START_TEST(key_is_free_again)
{
    struct service service;
    service_start(&service, "");
    json_t *wrong = check_small();
    value_set(wrong, "/model/cost", json_string("nothing"));
    problem_expect(post_keyed(&service, CHECKS, "k", wrong), 422, "/model/cost");
    struct answer *first = post_keyed(&service, CHECKS, "k", check_small());
    answer_expect(first, 202);
    const char *id = text_at(answer_json(first), "/id");
    job_wait(&service, id);
    const char *purge = format("/v1/jobs/%s?purge=true", id);
    answer_expect(request(&service, "DELETE", purge, NULL, NULL), 204);
    struct answer *second = post_keyed(&service, CHECKS, "k", check_small());
    answer_expect(second, 202);
    ck_assert_str_ne(text_at(answer_json(second), "/id"), id);
    service_end(&service);
}

START_TEST(bad_keys)
{
    static const char *const keys[] = {"\"\"", "a b", "\xc3\xa9"};
    struct service service;
    service_start(&service, "");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct answer *answer = post_keyed(&service, CHECKS, keys[i], check_small());
        ck_assert_msg(answer->status == 400 || answer->status == 422, "%s: %d", keys[i],
                      answer->status);
    }
    char key[130];
    memset(key, 'k', sizeof key);
    key[129] = '\0';
    struct answer *answer = post_keyed(&service, CHECKS, key, check_small());
    ck_assert_msg(answer->status == 400 || answer->status == 422, "%d", answer->status);
    answer_expect(post_keyed(&service, CHECKS, key + 1, check_small()), 202);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {empty_list,
                                  newest_first,
                                  items_have_a_summary,
                                  filters,
                                  pages,
                                  limits,
                                  bad_queries,
                                  repeated_post_is_one_job,
                                  key_stands_for_one_request,
                                  running_job_is_found_by_its_key,
                                  full_server_knows_its_keys,
                                  key_is_free_again,
                                  bad_keys,
                                  NULL};
    return suite_main("list", tests);
}
