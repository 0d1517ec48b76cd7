/* Who may do what to whose job: every route, tried by everybody. What is not yours is not there,
 * and is never listed; what is shared can be read, and no more. */
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "routes.h"
#include "tokens.h"
#include "values.h"

#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

/* Well-formed, with a right checksum, and nobody's. */
#define STRAY "gck_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3IvEu4"

/* Those who ask. The owner's jobs are tried by all of them. */
enum caller {
    NOBODY,   /* no token */
    STRAYER,  /* a token that nobody has */
    STRANGER, /* another user */
    READER,   /* another user, read-only */
    OWNER,
    ADMIN,
    CALLERS
};

static const char *const caller_names[] = {"nobody", "stray", "stranger",
                                           "reader", "owner", "admin"};

/* What they ask for. */
enum object {
    NO_JOB,
    QUEUED_CHECK,
    QUEUED_TRAINING,
    ENDED_CHECK,
    ENDED_TRAINING,
    SHARED_CHECK, /* ended */
    SHARED_TRAINING,
    SHARED_QUEUED, /* a check */
    OPEN_PROBE,
    SHARED_PROBE, /* open */
    MISSING,      /* an id that no job has */
    OBJECTS
};

static const char *const object_names[] = {"no job",
                                           "a queued check",
                                           "a queued training",
                                           "an ended check",
                                           "an ended training",
                                           "an ended check, shared",
                                           "an ended training, shared",
                                           "a queued check, shared",
                                           "an open probe",
                                           "an open probe, shared",
                                           "a missing job"};

#define SAMPLES "{\"x\":[[1,2,3,4]]}"
#define MODEL                                                                                 \
    "{\"model\":{\"input_shape\":[1],\"layers\":[{\"type\":\"dense\",\"units\":1}],\"cost\":" \
    "\"mse\"}"
#define COMPARISON "{\"claimed\":{\"w\":[1,2]},\"reference\":{\"w\":[1,2]}}"
#define PROBE "{\"theta\":{\"w\":[1,2]},\"claimed\":{\"w\":[1,2]}}"
#define VALUES "{\"round\":1,\"values\":[0,0,0,0,0,0,0,0,0]}"
#define JOB MODEL ",\"data\":{\"x\":[[1]],\"y\":[[1]]}"

/* What is expected stands in the order of `enum caller`. */
struct
try {
    enum route_constant route;
    enum object object;
    const char *query, *body;
    int expected[CALLERS];
};

static const struct try tries[] = {
    {ROUTE_HEALTH, NO_JOB, "", NULL, {200, 200, 200, 200, 200, 200}},
    {ROUTE_CATALOG, NO_JOB, "", NULL, {200, 200, 200, 200, 200, 200}},
    {ROUTE_WHOAMI, NO_JOB, "", NULL, {401, 401, 200, 200, 200, 200}},
    {ROUTE_SUMMARY, NO_JOB, "", MODEL "}", {401, 401, 200, 200, 200, 200}},
    {ROUTE_COMPARISON, NO_JOB, "", COMPARISON, {401, 401, 200, 200, 200, 200}},
    {ROUTE_CHECK_CREATE, NO_JOB, "", JOB "}", {401, 401, 202, 403, 202, 202}},
    {ROUTE_TRAINING_CREATE, NO_JOB, "", JOB ",\"training\":{}}", {401, 401, 202, 403, 202, 202}},
    {ROUTE_JOB_LIST, NO_JOB, "", NULL, {401, 401, 200, 200, 200, 200}},

    {ROUTE_PROBE_CREATE, NO_JOB, "", PROBE, {401, 401, 201, 403, 201, 201}},
    {ROUTE_PROBE_GET, OPEN_PROBE, "", NULL, {401, 401, 404, 404, 200, 200}},
    {ROUTE_PROBE_GET, SHARED_PROBE, "", NULL, {401, 401, 200, 200, 200, 200}},
    {ROUTE_PROBE_GET, ENDED_CHECK, "", NULL, {401, 401, 404, 404, 404, 404}},
    {ROUTE_PROBE_GET, MISSING, "", NULL, {401, 401, 404, 404, 404, 404}},
    {ROUTE_PROBE_VALUES, OPEN_PROBE, "", VALUES, {401, 401, 404, 403, 200, 200}},
    {ROUTE_PROBE_VALUES, SHARED_PROBE, "", VALUES, {401, 401, 403, 403, 200, 200}},
    {ROUTE_PROBE_VALUES, ENDED_CHECK, "", VALUES, {401, 401, 404, 403, 404, 404}},
    {ROUTE_PROBE_VALUES, MISSING, "", VALUES, {401, 401, 404, 403, 404, 404}},
    {ROUTE_JOB_GET, OPEN_PROBE, "", NULL, {401, 401, 404, 404, 200, 200}},
    {ROUTE_JOB_DELETE, OPEN_PROBE, "", NULL, {401, 401, 404, 403, 200, 200}},
    {ROUTE_JOB_PARAMETERS, OPEN_PROBE, "", NULL, {401, 401, 404, 404, 409, 409}},
    {ROUTE_JOB_PREDICTIONS, OPEN_PROBE, "", SAMPLES, {401, 401, 404, 404, 409, 409}},

    {ROUTE_JOB_GET, QUEUED_CHECK, "", NULL, {401, 401, 404, 404, 200, 200}},
    {ROUTE_JOB_GET, ENDED_CHECK, "", NULL, {401, 401, 404, 404, 200, 200}},
    {ROUTE_JOB_GET, SHARED_CHECK, "", NULL, {401, 401, 200, 200, 200, 200}},
    {ROUTE_JOB_GET, SHARED_QUEUED, "", NULL, {401, 401, 200, 200, 200, 200}},
    {ROUTE_JOB_GET, MISSING, "", NULL, {401, 401, 404, 404, 404, 404}},

    {ROUTE_JOB_PATCH, QUEUED_CHECK, "", "{\"shared\":true}", {401, 401, 404, 403, 200, 200}},
    {ROUTE_JOB_PATCH, ENDED_CHECK, "", "{\"shared\":true}", {401, 401, 404, 403, 200, 200}},
    {ROUTE_JOB_PATCH, SHARED_CHECK, "", "{\"shared\":false}", {401, 401, 403, 403, 200, 200}},
    {ROUTE_JOB_PATCH, SHARED_QUEUED, "", "{\"shared\":false}", {401, 401, 403, 403, 200, 200}},
    {ROUTE_JOB_PATCH, MISSING, "", "{\"shared\":true}", {401, 401, 404, 403, 404, 404}},

    {ROUTE_JOB_DELETE, QUEUED_CHECK, "", NULL, {401, 401, 404, 403, 200, 200}},
    {ROUTE_JOB_DELETE, QUEUED_TRAINING, "", NULL, {401, 401, 404, 403, 200, 200}},
    {ROUTE_JOB_DELETE, ENDED_CHECK, "", NULL, {401, 401, 404, 403, 200, 200}},
    {ROUTE_JOB_DELETE, SHARED_CHECK, "", NULL, {401, 401, 403, 403, 200, 200}},
    {ROUTE_JOB_DELETE, SHARED_QUEUED, "", NULL, {401, 401, 403, 403, 200, 200}},
    {ROUTE_JOB_DELETE, MISSING, "", NULL, {401, 401, 404, 403, 404, 404}},
    {ROUTE_JOB_DELETE, QUEUED_CHECK, "?purge=true", NULL, {401, 401, 404, 403, 409, 409}},
    {ROUTE_JOB_DELETE, ENDED_CHECK, "?purge=true", NULL, {401, 401, 404, 403, 204, 204}},
    {ROUTE_JOB_DELETE, SHARED_CHECK, "?purge=true", NULL, {401, 401, 403, 403, 204, 204}},
    {ROUTE_JOB_DELETE, MISSING, "?purge=true", NULL, {401, 401, 404, 403, 404, 404}},

    {ROUTE_JOB_REQUEST, QUEUED_CHECK, "", NULL, {401, 401, 404, 404, 200, 200}},
    {ROUTE_JOB_REQUEST, ENDED_TRAINING, "", NULL, {401, 401, 404, 404, 200, 200}},
    {ROUTE_JOB_REQUEST, SHARED_CHECK, "", NULL, {401, 401, 200, 200, 200, 200}},
    {ROUTE_JOB_REQUEST, SHARED_QUEUED, "", NULL, {401, 401, 200, 200, 200, 200}},
    {ROUTE_JOB_REQUEST, MISSING, "", NULL, {401, 401, 404, 404, 404, 404}},

    {ROUTE_JOB_PARAMETERS, QUEUED_CHECK, "", NULL, {401, 401, 404, 404, 200, 200}},
    {ROUTE_JOB_PARAMETERS, QUEUED_TRAINING, "", NULL, {401, 401, 404, 404, 409, 409}},
    {ROUTE_JOB_PARAMETERS, ENDED_TRAINING, "", NULL, {401, 401, 404, 404, 200, 200}},
    {ROUTE_JOB_PARAMETERS, SHARED_TRAINING, "", NULL, {401, 401, 200, 200, 200, 200}},
    {ROUTE_JOB_PARAMETERS, SHARED_QUEUED, "", NULL, {401, 401, 200, 200, 200, 200}},
    {ROUTE_JOB_PARAMETERS, MISSING, "", NULL, {401, 401, 404, 404, 404, 404}},

    {ROUTE_JOB_PREDICTIONS, QUEUED_TRAINING, "", SAMPLES, {401, 401, 404, 404, 409, 409}},
    {ROUTE_JOB_PREDICTIONS, ENDED_TRAINING, "", SAMPLES, {401, 401, 404, 404, 200, 200}},
    {ROUTE_JOB_PREDICTIONS, ENDED_CHECK, "", SAMPLES, {401, 401, 404, 404, 409, 409}},
    {ROUTE_JOB_PREDICTIONS, SHARED_TRAINING, "", SAMPLES, {401, 401, 200, 200, 200, 200}},
    {ROUTE_JOB_PREDICTIONS, SHARED_CHECK, "", SAMPLES, {401, 401, 409, 409, 409, 409}},
    {ROUTE_JOB_PREDICTIONS, MISSING, "", SAMPLES, {401, 401, 404, 404, 404, 404}},
};

static const struct {
    const char *method, *pattern;
    int whom;
} routes[] = {
#define X(constant, method, pattern, whom) {method, pattern, whom},
    ROUTES(X)
#undef X
};

/* A daemon with one worker, which a training of higher priority than what must stay queued has for
 * itself. */
struct lab {
    struct service service;
    const char *token[CALLERS];
    const char *training;
};

static const char *headers_of(const struct lab *lab, enum caller caller, const char *more)
{
    return format("%s%s", bearer(lab->token[caller]), more);
}

/* Posts as that caller; the new job's id. Takes the request. */
static const char *post_as(const struct lab *lab, enum caller caller, const char *path,
                           const char *priority, json_t *request)
{
    value_set(request, "/priority", json_string(priority));
    struct answer *answer = post_with(&lab->service, path, headers_of(lab, caller, ""), request);
    answer_expect(answer, 202);
    return text_at(answer_json(answer), "/id");
}

static json_t *job_as(const struct lab *lab, enum caller caller, const char *id)
{
    struct answer *answer = get_with(&lab->service, format("/v1/jobs/%s", id),
                                     headers_of(lab, caller, "Prefer: wait=10\r\n"));
    answer_expect(answer, 200);
    return answer_json(answer);
}

static void lab_open(struct lab *lab, const char *options)
{
    service_prepare(&lab->service, format("--workers 1 %s", options));
    lab->token[NOBODY] = NULL;
    lab->token[STRAYER] = STRAY;
    lab->token[STRANGER] = token_add(&lab->service, "stranger");
    lab->token[READER] = token_add(&lab->service, "reader --read-only");
    lab->token[OWNER] = token_add(&lab->service, "owner");
    lab->token[ADMIN] = token_add(&lab->service, "admin --admin");
    service_restart(&lab->service);
    lab->training = post_as(lab, ADMIN, TRAININGS, "normal", training_long());
}

/* Without the training, which the daemon would give its time; it may not have begun yet. */
static void lab_close(struct lab *lab)
{
    const int status = request(&lab->service, "DELETE", format("/v1/jobs/%s", lab->training),
                               headers_of(lab, ADMIN, ""), NULL)
                           ->status;
    ck_assert_msg(status == 200 || status == 202, "%d", status);
    service_end(&lab->service);
}

static const char *queued(const struct lab *lab, const char *path, json_t *request)
{
    return post_as(lab, OWNER, path, "low", request);
}

static const char *ended(const struct lab *lab, const char *path, json_t *request)
{
    const char *id = post_as(lab, OWNER, path, "high", request);
    double deadline = seconds_now() + patience(60);
    while (strcmp(text_at(job_as(lab, OWNER, id), "/state"), "succeeded") != 0)
        ck_assert_msg(seconds_now() < deadline, "job %s does not end", id);
    return id;
}

static const char *shared(const struct lab *lab, const char *id)
{
    answer_expect(request(&lab->service, "PATCH", format("/v1/jobs/%s", id),
                          headers_of(lab, OWNER, "Content-Type: application/json\r\n"),
                          "{\"shared\":true}"),
                  200);
    return id;
}

static const char *open_probe(const struct lab *lab)
{
    struct answer *answer =
        request(&lab->service, "POST", "/v1/probes",
                headers_of(lab, OWNER, "Content-Type: application/json\r\n"), PROBE);
    answer_expect(answer, 201);
    return text_at(answer_json(answer), "/id");
}

static const char *object_new(const struct lab *lab, enum object object)
{
    switch (object) {
    case QUEUED_CHECK:
        return queued(lab, CHECKS, check_small());
    case QUEUED_TRAINING:
        return queued(lab, TRAININGS, training_small(1));
    case ENDED_CHECK:
        return ended(lab, CHECKS, check_small());
    case ENDED_TRAINING:
        return ended(lab, TRAININGS, training_small(1));
    case SHARED_CHECK:
        return shared(lab, ended(lab, CHECKS, check_small()));
    case SHARED_TRAINING:
        return shared(lab, ended(lab, TRAININGS, training_small(1)));
    case SHARED_QUEUED:
        return shared(lab, queued(lab, CHECKS, check_small()));
    case OPEN_PROBE:
        return open_probe(lab);
    case SHARED_PROBE:
        return shared(lab, open_probe(lab));
    default:
        return "00000000000000000000000000";
    }
}

static struct answer *ask(const struct lab *lab, enum caller caller, enum route_constant route,
                          const char *id, const char *query, const char *body)
{
    const char *pattern = routes[route].pattern, *hole = strstr(pattern, "{id}");
    const char *path = hole == NULL ? pattern
                                    : format("%.*s%s%s", (int)(hole - pattern), pattern, id,
                                             hole + strlen("{id}"));
    return request(
        &lab->service, routes[route].method, format("%s%s", path, query),
        headers_of(lab, caller, body == NULL ? "" : "Content-Type: application/json\r\n"), body);
}

static const char *etag_of(const struct lab *lab, const char *id)
{
    struct answer *answer =
        get_with(&lab->service, format("/v1/jobs/%s", id), headers_of(lab, OWNER, ""));
    answer_expect(answer, 200);
    return answer_header(answer, "ETag");
}

/* What is wrong with one answer, or NULL. Whoever was refused has changed nothing. */
static const char *try_fault(const struct lab *lab, const struct try *try, enum caller caller,
                             const char *id)
{
    const int expected = try->expected[caller];
    const bool job = try->object != NO_JOB && try->object != MISSING;
    const char *before = job ? etag_of(lab, id) : "";
    struct answer *answer = ask(lab, caller, try->route, id, try->query, try->body);
    if (answer->status != expected)
        return format("expected %d, got %d: %.300s", expected, answer->status, answer->body);
    if (expected < 400) return NULL;
    const char *fault = problem_fault(answer, expected);
    if (fault == NULL && job && strcmp(etag_of(lab, id), before) != 0) fault = "it has changed";
    return fault;
}

/* By each caller; who has changed the object leaves the next one a new one. How many failed. */
static int try_one(const struct lab *lab, const struct try *try)
{
    int failed = 0;
    const char *id = NULL;
    for (enum caller caller = NOBODY; caller < CALLERS; caller++) {
        if (id == NULL) id = object_new(lab, try->object);
        const char *fault = try_fault(lab, try, caller, id);
        if (fault != NULL)
            failed += case_failed(format("%s %s%s of %s by %s", routes[try->route].method,
                                         routes[try->route].pattern, try->query,
                                         object_names[try->object], caller_names[caller]),
                                  fault);
        if (routes[try->route].whom == FOR_WRITERS && try->expected[caller] < 400) id = NULL;
    }
    return failed;
}

static void try_all(const char *options)
{
    struct lab lab;
    int failed = 0;
    size_t tried[ROUTE_COUNT] = {0};
    lab_open(&lab, options);
    for (size_t i = 0; i < LENGTH_OF(tries); i++) {
        tried[tries[i].route]++;
        failed += try_one(&lab, &tries[i]);
    }
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (tried[i] == 0) failed += case_failed(routes[i].pattern, "is not tried");
    ck_assert_int_eq(failed, 0);
    lab_close(&lab);
}

START_TEST(every_route_by_everybody)
{
    try_all("");
}

START_TEST(every_route_by_everybody_in_memory)
{
    try_all("--store memory:");
}

/* ---- what a stranger could find out otherwise ---- */

/* Byte for byte but for the request's id, which is given. */
START_TEST(anothers_job_looks_like_none)
{
    static const struct {
        const char *method, *ending, *headers, *body;
    } cases[] = {
        {"GET", "", "", NULL},
        {"GET", "", "Prefer: wait=60\r\n", NULL},
        {"GET", "", "If-None-Match: *\r\n", NULL},
        {"HEAD", "", "", NULL},
        {"DELETE", "", "", NULL},
        {"DELETE", "?purge=true", "", NULL},
        {"DELETE", "?purge=perhaps", "", NULL},
        {"PATCH", "", "Content-Type: application/json\r\n", "{\"shared\":true}"},
        {"PATCH", "", "Content-Type: application/json\r\n", "{\"shared\":1}"},
        {"GET", "/request", "", NULL},
        {"HEAD", "/request", "", NULL},
        {"GET", "/parameters", "", NULL},
        {"POST", "/predictions", "Content-Type: application/json\r\n", SAMPLES},
        {"POST", "/predictions", "Content-Type: application/json\r\n", "{}"},
        {"POST", "/predictions", "Content-Type: application/json\r\n", "{"},
    };
    static const enum object objects[] = {QUEUED_CHECK, QUEUED_TRAINING, ENDED_TRAINING};
    struct lab lab;
    int failed = 0;
    lab_open(&lab, "");
    const char *missing = object_new(&lab, MISSING);
    for (size_t i = 0; i < LENGTH_OF(objects); i++) {
        const char *id = object_new(&lab, objects[i]);
        for (size_t j = 0; j < LENGTH_OF(cases); j++) {
            const char *headers =
                headers_of(&lab, STRANGER, format("X-Request-Id: same\r\n%s", cases[j].headers));
            const double start = seconds_now();
            struct answer *theirs =
                request(&lab.service, cases[j].method, format("/v1/jobs/%s%s", id, cases[j].ending),
                        headers, cases[j].body);
            struct answer *none =
                request(&lab.service, cases[j].method,
                        format("/v1/jobs/%s%s", missing, cases[j].ending), headers, cases[j].body);
            if (theirs->status != none->status || strcmp(theirs->body, none->body) != 0)
                failed += case_failed(format("%s %s of %s", cases[j].method, cases[j].ending,
                                             object_names[objects[i]]),
                                      format("%d %s", theirs->status, theirs->body));
            if (answer_header(theirs, "ETag") != NULL)
                failed += case_failed(cases[j].ending, "has an ETag");
            /* Nobody waits for the end of a job that is not theirs. */
            ck_assert(seconds_now() - start < patience(20));
        }
    }
    ck_assert_int_eq(failed, 0);
    lab_close(&lab);
}

/* The jobs that a caller's list shows, all pages of it. */
static json_t *list_as(const struct lab *lab, enum caller caller, const char *query)
{
    json_t *ids = keep(json_object());
    const char *cursor = "";
    do {
        struct answer *answer =
            get_with(&lab->service, format("/v1/jobs?limit=3%s%s", query, cursor),
                     headers_of(lab, caller, ""));
        answer_expect(answer, 200);
        const json_t *page = answer_json(answer);
        for (size_t i = 0; i < length_at(page, "/jobs"); i++)
            json_object_set_new(ids, text_at(page, format("/jobs/%zu/id", i)),
                                json_string(text_at(page, format("/jobs/%zu/owner", i))));
        const json_t *next = value_at(page, "/next");
        cursor = json_is_null(next) ? NULL : format("&cursor=%s", json_string_value(next));
    } while (cursor != NULL);
    return ids;
}

static void owners_expect(json_t *ids, const char *owner)
{
    const char *id;
    json_t *value;
    json_object_foreach(ids, id, value) ck_assert_msg(strcmp(json_string_value(value), owner) == 0,
                                                      "%s is %s's", id, json_string_value(value));
}

static void lists_expect(const struct lab *lab, const char *query, const char *const ids[],
                         size_t count)
{
    json_t *stranger = list_as(lab, STRANGER, query), *owner = list_as(lab, OWNER, query);
    json_t *admin = list_as(lab, ADMIN, query);
    owners_expect(stranger, "stranger");
    owners_expect(owner, "owner");
    ck_assert_uint_eq(json_object_size(list_as(lab, READER, query)), 0);
    for (size_t i = 0; i < count; i++)
        if (json_object_get(owner, ids[i]) != NULL)
            ck_assert_ptr_nonnull(json_object_get(admin, ids[i]));
    ck_assert_uint_ge(json_object_size(admin),
                      json_object_size(owner) + json_object_size(stranger));
}

/* What is shared is found by who has been told its id, and not listed either. */
START_TEST(lists_hold_ones_own)
{
    const char *ids[8];
    struct lab lab;
    lab_open(&lab, "");
    for (enum object object = QUEUED_CHECK; object <= SHARED_QUEUED; object++)
        ids[object - 1] = object_new(&lab, object);
    ids[7] = queued(&lab, CHECKS, check_small());
    for (int i = 0; i < 5; i++)
        post_as(&lab, STRANGER, CHECKS, "low", check_small());
    lists_expect(&lab, "", ids, LENGTH_OF(ids));
    lists_expect(&lab, "&state=queued,running", ids, LENGTH_OF(ids));
    lists_expect(&lab, "&state=succeeded", ids, LENGTH_OF(ids));
    lists_expect(&lab, "&kind=training", ids, LENGTH_OF(ids));
    json_t *owner = list_as(&lab, OWNER, ""), *admin = list_as(&lab, ADMIN, "");
    ck_assert_uint_eq(json_object_size(owner), LENGTH_OF(ids));
    ck_assert_uint_eq(json_object_size(list_as(&lab, STRANGER, "")), 5);
    /* And the training that has the worker. */
    ck_assert_uint_eq(json_object_size(admin), LENGTH_OF(ids) + 5 + 1);
    lab_close(&lab);
}

/* A cursor is a place, not a permission. */
START_TEST(anothers_cursor_shows_ones_own)
{
    struct lab lab;
    lab_open(&lab, "");
    for (int i = 0; i < 3; i++) {
        post_as(&lab, STRANGER, CHECKS, "low", check_small());
        queued(&lab, CHECKS, check_small());
    }
    struct answer *answer = get_with(&lab.service, "/v1/jobs?limit=1", headers_of(&lab, OWNER, ""));
    const char *cursor = text_at(answer_json(answer), "/next");
    owners_expect(list_as(&lab, STRANGER, format("&cursor=%s", cursor)), "stranger");
    lab_close(&lab);
}

static struct answer *post_key(const struct lab *lab, enum caller caller, json_t *body)
{
    return post_with(&lab->service, CHECKS,
                     headers_of(lab, caller, "Idempotency-Key: once\r\nPrefer: wait=30\r\n"), body);
}

static const char *key_id(const struct lab *lab, enum caller caller, json_t *body)
{
    value_set(body, "/priority", json_string("high"));
    struct answer *answer = post_key(lab, caller, body);
    answer_expect(answer, 200);
    ck_assert_str_eq(text_at(answer_json(answer), "/owner"), caller_names[caller]);
    return text_at(answer->json, "/id");
}

/* The same key of somebody else is another key, for an admin too. */
START_TEST(keys_are_ones_own)
{
    struct lab lab;
    lab_open(&lab, "");
    const char *first = key_id(&lab, OWNER, check_small());
    const char *second = key_id(&lab, STRANGER, check_small());
    const char *third = key_id(&lab, ADMIN, check_small());
    ck_assert_str_ne(first, second);
    ck_assert_str_ne(first, third);
    ck_assert_str_ne(second, third);
    ck_assert_str_eq(key_id(&lab, OWNER, check_small()), first);
    ck_assert_str_eq(key_id(&lab, STRANGER, check_small()), second);
    /* Nor does another body tell that somebody has used it. */
    problem_expect(post_key(&lab, READER, check_small()), 403, NULL);
    lab_close(&lab);
}

/* ---- roles ---- */

/* A token made anew may be weaker: what its user had is readable, and stays as it is. */
START_TEST(an_owner_who_became_a_reader)
{
    struct lab lab;
    lab_open(&lab, "");
    const char *id = ended(&lab, CHECKS, check_small());
    const char *path = format("/v1/jobs/%s", id);
    token_revoke(&lab.service, "owner");
    lab.token[OWNER] = token_add(&lab.service, "owner --read-only");
    token_await(&lab.service, lab.token[OWNER], 200);
    const char *headers = headers_of(&lab, OWNER, "Content-Type: application/json\r\n");
    answer_expect(get_with(&lab.service, path, headers), 200);
    ck_assert_uint_eq(json_object_size(list_as(&lab, OWNER, "")), 1);
    problem_expect(request(&lab.service, "DELETE", path, headers, NULL), 403, NULL);
    problem_expect(request(&lab.service, "PATCH", path, headers, "{\"shared\":true}"), 403, NULL);
    lab_close(&lab);
}

/* An admin's own jobs are no more visible than others'. */
START_TEST(an_admins_jobs_are_private)
{
    struct lab lab;
    lab_open(&lab, "");
    const char *id = post_as(&lab, ADMIN, CHECKS, "low", check_small());
    const char *path = format("/v1/jobs/%s", id);
    problem_expect(get_with(&lab.service, path, headers_of(&lab, OWNER, "")), 404, NULL);
    answer_expect(get_with(&lab.service, path, headers_of(&lab, ADMIN, "")), 200);
    lab_close(&lab);
}

/* Cancelling what runs, too; the owner sees who it is that owns it still. */
START_TEST(an_admin_cancels_what_runs)
{
    struct lab lab;
    lab_open(&lab, "");
    const char *id = post_as(&lab, OWNER, TRAININGS, "high", training_long());
    const char *path = format("/v1/jobs/%s", id);
    const double deadline = seconds_now() + patience(60);
    while (strcmp(text_at(answer_json(get_with(&lab.service, path, headers_of(&lab, OWNER, ""))),
                          "/state"),
                  "running") != 0)
        ck_assert_msg(seconds_now() < deadline, "does not run");
    answer_expect(request(&lab.service, "DELETE", path, headers_of(&lab, ADMIN, ""), NULL), 202);
    json_t *job = job_as(&lab, OWNER, id);
    ck_assert_str_eq(text_at(job, "/state"), "cancelled");
    ck_assert_str_eq(text_at(job, "/owner"), "owner");
    lab_close(&lab);
}

/* Sharing ends when its owner says so. */
START_TEST(what_is_no_longer_shared_is_gone)
{
    struct lab lab;
    lab_open(&lab, "");
    const char *id = shared(&lab, ended(&lab, CHECKS, check_small()));
    const char *path = format("/v1/jobs/%s", id);
    struct answer *answer = get_with(&lab.service, path, headers_of(&lab, STRANGER, ""));
    answer_expect(answer, 200);
    ck_assert(bool_at(answer_json(answer), "/shared"));
    ck_assert_str_eq(text_at(answer->json, "/owner"), "owner");
    answer = request(&lab.service, "PATCH", path,
                     headers_of(&lab, OWNER, "Content-Type: application/json\r\n"),
                     "{\"shared\":false}");
    answer_expect(answer, 200);
    ck_assert(!bool_at(answer_json(answer), "/shared"));
    problem_expect(get_with(&lab.service, path, headers_of(&lab, STRANGER, "")), 404, NULL);
    lab_close(&lab);
}

/* Also after a restart, on a store that lasts. */
START_TEST(owners_outlive_the_daemon)
{
    struct lab lab;
    lab_open(&lab, "");
    const char *mine = ended(&lab, CHECKS, check_small());
    const char *open = shared(&lab, ended(&lab, CHECKS, check_small()));
    lab_close(&lab);
    service_restart(&lab.service);
    const char *headers = headers_of(&lab, STRANGER, "");
    problem_expect(get_with(&lab.service, format("/v1/jobs/%s", mine), headers), 404, NULL);
    answer_expect(get_with(&lab.service, format("/v1/jobs/%s", open), headers), 200);
    ck_assert_str_eq(text_at(job_as(&lab, OWNER, mine), "/owner"), "owner");
    ck_assert_uint_eq(json_object_size(list_as(&lab, STRANGER, "")), 0);
    ck_assert_uint_eq(json_object_size(list_as(&lab, OWNER, "")), 2);
    service_end(&lab.service);
}

int main(void)
{
    const TTest *const tests[] = {
        every_route_by_everybody,       every_route_by_everybody_in_memory,
        anothers_job_looks_like_none,   lists_hold_ones_own,
        anothers_cursor_shows_ones_own, keys_are_ones_own,
        an_owner_who_became_a_reader,   an_admins_jobs_are_private,
        an_admin_cancels_what_runs,     what_is_no_longer_shared_is_gone,
        owners_outlive_the_daemon,      NULL};
    return suite_main("isolation", tests);
}
