/* What clients were told holds after the daemon's end: answers, tags, keys, lists; and who may have
 * the folder. */
#include "jobs.h"
#include "problems.h"
#include "recovery.h"
#include "requests.h"
#include "values.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char ONE_WORKER[] = "--workers 1";

static void kill_and_restart(struct service *service)
{
    service_kill(service);
    service_restart(service);
}

/* ---- answers ---- */

struct told {
    const char *path, *body, *etag;
};

static void tell(const struct service *service, struct told *told, const char *path)
{
    struct answer *answer = get(service, path);
    answer_expect(answer, 200);
    *told = (struct told){path, answer->body, answer_header(answer, "ETag")};
}

static void told_expect(const struct service *service, const struct told *told, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct answer *answer = get(service, told[i].path);
        answer_expect(answer, 200);
        ck_assert_str_eq(answer->body, told[i].body);
        if (told[i].etag == NULL) continue;
        const char *header = format("If-None-Match: %s\r\n", told[i].etag);
        answer_expect(get_with(service, told[i].path, header), 304);
    }
}

/* A check whose cost overflows. */
static json_t *check_failing(void)
{
    json_t *check = check_new(model_new(2, "1 linear", "mse"), data_new(2, 2, 1));
    value_set(check, "/data/y/0/0", json_real(1e300));
    return check;
}

START_TEST(what_has_ended_is_unchanged)
{
    enum { JOBS = 4, TOLD = 3 * JOBS + 1 };
    struct service service;
    struct told told[TOLD];
    size_t count = 0;
    service_start(&service, ONE_WORKER);
    const char *const ids[JOBS] = {job_post(&service, CHECKS, check_small()),
                                   job_post(&service, TRAININGS, training_small(30)),
                                   job_post(&service, CHECKS, check_failing()),
                                   job_post(&service, TRAININGS, training_long())};
    static const char *const states[JOBS] = {"succeeded", "succeeded", "failed", "cancelled"};
    job_cancel(&service, ids[3]);
    for (int i = 0; i < JOBS; i++) {
        ck_assert_str_eq(text_at(job_wait(&service, ids[i]), "/state"), states[i]);
        tell(&service, &told[count++], format("/v1/jobs/%s", ids[i]));
        tell(&service, &told[count++], format("/v1/jobs/%s/request", ids[i]));
        tell(&service, &told[count++], format("/v1/jobs/%s/parameters", ids[i]));
    }
    tell(&service, &told[count++], "/v1/jobs");
    kill_and_restart(&service);
    told_expect(&service, told, count);
    service_end(&service);
    service_restart(&service);
    told_expect(&service, told, count);
    service_end(&service);
}

START_TEST(what_is_removed_stays_away)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    const char *id = job_post(&service, CHECKS, check_small());
    job_wait(&service, id);
    answer_expect(request(&service, "DELETE", format("/v1/jobs/%s?purge=true", id), NULL, NULL),
                  204);
    kill_and_restart(&service);
    answer_expect(get(&service, format("/v1/jobs/%s", id)), 404);
    ck_assert_uint_eq(length_at(answer_json(get(&service, "/v1/jobs")), "/jobs"), 0);
    service_end(&service);
}

/* ---- tags ---- */

enum { SIGHTS = 400, LIVES = 4 };

/* Looks at the job until it has run for a while; a tag that was there before had the same body. */
static size_t sights_add(const struct service *service, const char *path, struct told *sight,
                         size_t count)
{
    const size_t end = count + SIGHTS / LIVES;
    while (count < end) {
        tell(service, &sight[count], path);
        for (size_t i = 0; i < count; i++)
            if (strcmp(sight[i].etag, sight[count].etag) == 0)
                ck_assert_str_eq(sight[i].body, sight[count].body);
        count++;
    }
    return count;
}

START_TEST(no_tag_comes_again_with_another_body)
{
    struct service service;
    static struct told sight[SIGHTS];
    size_t count = 0;
    service_start(&service, "--workers 1 --save-seconds 1");
    const char *id = job_post(&service, TRAININGS, training_long());
    for (int life = 0; life < LIVES; life++) {
        count = sights_add(&service, format("/v1/jobs/%s", id), sight, count);
        job_running(&service, id);
        kill_and_restart(&service);
    }
    job_cancel(&service, id);
    service_end(&service);
}

/* ---- keys ---- */

static struct answer *post_keyed(const struct service *service, const char *key, json_t *body)
{
    return post_with(service, CHECKS, format("Idempotency-Key: %s\r\n", key), body);
}

START_TEST(keys_hold)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    struct answer *first = post_keyed(&service, "first", check_small());
    answer_expect(first, 202);
    const char *id = text_at(answer_json(first), "/id");
    job_wait(&service, id);
    struct answer *second = post_keyed(&service, "second", check_long());
    answer_expect(second, 202);
    const char *unfinished = text_at(answer_json(second), "/id");
    for (int i = 0; i < 2; i++) {
        kill_and_restart(&service);
        struct answer *again = post_keyed(&service, "first", check_small());
        answer_expect(again, 200);
        ck_assert_str_eq(again->body, get(&service, format("/v1/jobs/%s", id))->body);
        again = post_keyed(&service, "second", check_long());
        answer_expect(again, 202);
        ck_assert_str_eq(text_at(answer_json(again), "/id"), unfinished);
        problem_expect(post_keyed(&service, "first", check_long()), 422, NULL);
        problem_expect(post_keyed(&service, "second", check_small()), 422, NULL);
    }
    job_cancel(&service, unfinished);
    service_end(&service);
}

/* ---- lists ---- */

START_TEST(cursors_hold)
{
    enum { JOBS = 12 };
    struct service service;
    const char *ids[JOBS + 1];
    service_start(&service, ONE_WORKER);
    for (int i = 0; i < JOBS; i++)
        job_wait(&service, ids[i] = job_post(&service, CHECKS, check_small()));
    const char *path = "/v1/jobs?limit=5";
    for (int next = JOBS; path != NULL;) {
        const json_t *page = answer_json(get(&service, path));
        for (size_t i = 0; i < length_at(page, "/jobs"); i++)
            ck_assert_str_eq(text_at(page, format("/jobs/%zu/id", i)), ids[--next]);
        const json_t *cursor = value_at(page, "/next");
        path = json_is_null(cursor)
                   ? NULL
                   : format("/v1/jobs?limit=5&cursor=%s", json_string_value(cursor));
        ck_assert_int_eq(next == 0, path == NULL);
        kill_and_restart(&service);
        /* Newer than all before, and on the first page alone. */
        job_post(&service, CHECKS, check_small());
    }
    service_end(&service);
}

START_TEST(new_jobs_come_first)
{
    struct service service;
    service_start(&service, ONE_WORKER);
    const char *before = job_post(&service, CHECKS, check_small());
    kill_and_restart(&service);
    const char *after = job_post(&service, CHECKS, check_small());
    const json_t *page = answer_json(get(&service, "/v1/jobs"));
    ck_assert_str_eq(text_at(page, "/jobs/0/id"), after);
    ck_assert_str_eq(text_at(page, "/jobs/1/id"), before);
    service_end(&service);
}

/* ---- the folder ---- */

START_TEST(a_second_daemon_is_refused)
{
    struct service service;
    struct output output;
    service_start(&service, ONE_WORKER);
    program_run(format("--listen 127.0.0.1:0 --data-dir %s/data", service.folder), &output);
    ck_assert_msg(output.status == 1 || output.status == 2, "exit status %d", output.status);
    ck_assert_str_eq(output.out, "");
    ck_assert_msg(strstr(output.err, "data") != NULL, "%s", output.err);
    job_result(&service, CHECKS, check_small());
    /* The folder is free again whichever way a daemon ends. */
    kill_and_restart(&service);
    service_end(&service);
}

START_TEST(memory_forgets)
{
    struct service service;
    service_start(&service, "--workers 1 --store memory:");
    const char *id = job_post(&service, CHECKS, check_small());
    job_wait(&service, id);
    kill_and_restart(&service);
    answer_expect(get(&service, format("/v1/jobs/%s", id)), 404);
    ck_assert_uint_eq(length_at(answer_json(get(&service, "/v1/jobs")), "/jobs"), 0);
    service_end(&service);
}

/* Ended jobs are the same there, those queued or at work when it was made go on. */
static void backup_expect(const struct service *service, const char *const ids[], int count,
                          const char *unfinished)
{
    const char *state = text_at(job_get(service, unfinished), "/state");
    ck_assert_msg(strcmp(state, "queued") == 0 || strcmp(state, "running") == 0, "%s", state);
    job_cancel(service, unfinished);
    for (int i = 0; i < count; i++)
        ck_assert_str_eq(text_at(job_wait(service, ids[i]), "/state"), "succeeded");
}

START_TEST(a_backup_has_the_jobs)
{
    enum { JOBS = 100 };
    struct service service, copy;
    struct output output;
    struct told first;
    const char *ids[JOBS];
    service_start(&service, "--workers 2");
    service_prepare(&copy, ONE_WORKER);
    const char *unfinished = job_post(&service, TRAININGS, training_long());
    for (int i = 0; i < JOBS; i++)
        ids[i] = job_post(&service, CHECKS, check_small());
    job_wait(&service, ids[0]);
    tell(&service, &first, format("/v1/jobs/%s", ids[0]));
    /* Amid the work on the others. */
    program_run(format("backup %s/copy.db --data-dir %s/data", copy.folder, service.folder),
                &output);
    ck_assert_msg(output.status == 0, "%s", output.err);
    service_kill(&service);
    ck_assert_int_eq(mkdir(format("%s/data", copy.folder), 0700), 0);
    ck_assert_int_eq(
        rename(format("%s/copy.db", copy.folder), format("%s/data/jobs.db", copy.folder)), 0);
    service_restart(&copy);
    told_expect(&copy, &first, 1);
    backup_expect(&copy, ids, JOBS, unfinished);
    service_end(&copy);
}

int main(void)
{
    const TTest *const tests[] = {what_has_ended_is_unchanged,
                                  what_is_removed_stays_away,
                                  no_tag_comes_again_with_another_body,
                                  keys_hold,
                                  cursors_hold,
                                  new_jobs_come_first,
                                  a_second_daemon_is_refused,
                                  memory_forgets,
                                  a_backup_has_the_jobs,
                                  NULL};
    return suite_main("restart", tests);
}
