/* Which job a worker gets: by priority, and then in turn. */
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/work.h"

#include <pthread.h>
#include <stdatomic.h>

static struct queue *open_queue(void)
{
    struct queue *queue = queue_open();
    ck_assert_ptr_nonnull(queue);
    return queue;
}

/* The next lease, which must be of this job; the queue's reference is given back. */
static size_t take_of(struct queue *queue, struct job *job)
{
    struct lease lease;
    ck_assert(queue_take(queue, &lease));
    ck_assert_ptr_eq(lease.job, job);
    job_unref(lease.job);
    return lease.grain;
}

START_TEST(higher_priorities_first)
{
    struct queue *queue = open_queue();
    struct job *low = training_job(", 'priority': 'low'"), *normal = training_job("");
    struct job *high = training_job(", 'priority': 'high'");
    queue_push(queue, low);
    queue_push(queue, normal);
    queue_push(queue, high);
    take_of(queue, high);
    take_of(queue, normal);
    take_of(queue, low);
    queue_close(queue);
    job_unref(low);
    job_unref(normal);
    job_unref(high);
}
END_TEST

START_TEST(in_turn_within_a_priority)
{
    struct queue *queue = open_queue();
    struct job *a = check_job(""), *b = check_job("");
    queue_push(queue, a);
    ck_assert_uint_eq(take_of(queue, a), 0);
    queue_push(queue, b);
    for (size_t i = 0; i + 1 < GRAINS; i++) {
        ck_assert_uint_eq(take_of(queue, a), i + 1);
        ck_assert_uint_eq(take_of(queue, b), i);
    }
    ck_assert_uint_eq(take_of(queue, b), GRAINS - 1);
    queue_close(queue);
    job_unref(a);
    job_unref(b);
}
END_TEST

START_TEST(a_high_job_goes_between_the_grains_of_another)
{
    struct queue *queue = open_queue();
    struct job *normal = check_job(""), *high = check_job(", 'priority': 'high'");
    queue_push(queue, normal);
    take_of(queue, normal);
    queue_push(queue, high);
    for (size_t i = 0; i < GRAINS; i++)
        ck_assert_uint_eq(take_of(queue, high), i);
    ck_assert_uint_eq(take_of(queue, normal), 1);
    queue_close(queue);
    job_unref(normal);
    job_unref(high);
}
END_TEST

START_TEST(a_training_is_with_one_worker_until_it_is_pushed_again)
{
    struct queue *queue = open_queue();
    struct job *training = training_job(""), *check = check_job("");
    queue_push(queue, training);
    queue_push(queue, check);
    take_of(queue, training);
    take_of(queue, check);
    take_of(queue, check);
    ck_assert(!hand_back(training, 1));
    queue_push(queue, training);
    take_of(queue, check);
    take_of(queue, training);
    queue_close(queue);
    job_unref(training);
    job_unref(check);
}
END_TEST

START_TEST(a_job_stands_in_the_queue_once)
{
    struct queue *queue = open_queue();
    struct job *a = check_job(""), *b = check_job("");
    queue_push(queue, a);
    queue_push(queue, a);
    queue_push(queue, b);
    queue_push(queue, a);
    ck_assert_uint_eq(a->references, 2);
    take_of(queue, a);
    take_of(queue, b);
    take_of(queue, a);
    queue_close(queue);
    job_unref(a);
    job_unref(b);
}
END_TEST

START_TEST(jobs_without_work_leave_the_queue)
{
    struct queue *queue = open_queue();
    struct job *cancelled = check_job(""), *done = check_job(""), *last = training_job("");
    queue_push(queue, cancelled);
    queue_push(queue, done);
    queue_push(queue, last);
    ck_assert(job_cancel(cancelled));
    ck_assert_int_eq(work_off(done), 1);
    take_of(queue, last);
    ck_assert_uint_eq(cancelled->references, 1);
    ck_assert_uint_eq(done->references, 1);
    queue_close(queue);
    job_unref(cancelled);
    job_unref(done);
    job_unref(last);
}
END_TEST

START_TEST(the_first_lease_begins_the_job)
{
    struct queue *queue = open_queue();
    struct job *job = check_job("");
    struct lease first, second;
    queue_push(queue, job);
    ck_assert_int_eq(state_of(job), JOB_QUEUED);
    ck_assert(queue_take(queue, &first));
    ck_assert_int_eq(state_of(job), JOB_RUNNING);
    const int64_t started_ns = job->started_ns;
    ck_assert(queue_take(queue, &second));
    ck_assert_int_eq(job->started_ns, started_ns);
    job_unref(first.job);
    job_unref(second.job);
    queue_close(queue);
    job_unref(job);
}
END_TEST

static bool is_contended(struct queue *queue, struct job *job)
{
    return queue_is_contended(queue, &(struct lease){.job = job});
}

START_TEST(another_job_of_no_lower_priority_is_contention)
{
    struct queue *queue = open_queue();
    struct job *low = check_job(", 'priority': 'low'"), *normal = check_job("");
    struct job *another = check_job(""), *high = check_job(", 'priority': 'high'");
    ck_assert(!is_contended(queue, normal));
    queue_push(queue, normal);
    ck_assert(!is_contended(queue, normal)); /* itself is none */
    ck_assert(is_contended(queue, low));
    ck_assert(is_contended(queue, another));
    ck_assert(!is_contended(queue, high));
    queue_push(queue, low);
    ck_assert(!is_contended(queue, normal));
    queue_push(queue, high);
    ck_assert(is_contended(queue, normal));
    queue_close(queue);
    job_unref(low);
    job_unref(normal);
    job_unref(another);
    job_unref(high);
}
END_TEST

/* The first, one in the middle, the last, and one that is not there. */
START_TEST(a_job_can_be_taken_out)
{
    enum { JOBS_HERE = 4 };
    struct queue *queue = open_queue();
    struct job *job[JOBS_HERE], *late = training_job("");
    for (int i = 0; i < JOBS_HERE; i++) {
        job[i] = training_job("");
        queue_push(queue, job[i]);
    }
    queue_remove(queue, job[_i]);
    queue_remove(queue, job[_i]);
    queue_remove(queue, late);
    ck_assert_uint_eq(job[_i]->references, 1);
    ck_assert_uint_eq(late->references, 1);
    queue_push(queue, late);
    for (int i = 0; i < JOBS_HERE; i++)
        if (i != _i) take_of(queue, job[i]);
    take_of(queue, late);
    queue_push(queue, job[_i]); /* may come back */
    take_of(queue, job[_i]);
    queue_close(queue);
    job_unref(late);
    for (int i = 0; i < JOBS_HERE; i++)
        job_unref(job[i]);
}
END_TEST

START_TEST(closing_lets_go_of_what_is_left)
{
    struct queue *queue = open_queue();
    struct job *a = check_job(""), *b = check_job(", 'priority': 'high'");
    queue_push(queue, a);
    queue_push(queue, b);
    queue_close(queue);
    ck_assert_uint_eq(a->references, 1);
    ck_assert_uint_eq(b->references, 1);
    job_unref(a);
    job_unref(b);
    queue_close(NULL);
}
END_TEST

/* ---- threads ---- */

static void *take_one(void *argument)
{
    struct lease lease = {0};
    if (!queue_take(argument, &lease)) return NULL;
    job_unref(lease.job);
    return lease.job;
}

START_TEST(who_waits_gets_what_is_pushed)
{
    struct queue *queue = open_queue();
    struct job *job = check_job("");
    pthread_t thread;
    void *taken;
    ck_assert_int_eq(pthread_create(&thread, NULL, take_one, queue), 0);
    queue_push(queue, job);
    pthread_join(thread, &taken);
    ck_assert_ptr_eq(taken, job);
    queue_close(queue);
    job_unref(job);
}
END_TEST

START_TEST(stopping_sends_everybody_home)
{
    enum { WAITERS = 3 };
    struct queue *queue = open_queue();
    struct job *job = check_job("");
    pthread_t thread[WAITERS];
    void *taken;
    for (int i = 0; i < WAITERS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, take_one, queue), 0);
    queue_stop(queue);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(thread[i], &taken);
        ck_assert_ptr_null(taken);
    }
    queue_push(queue, job);
    ck_assert_ptr_null(take_one(queue)); /* nothing is handed out any more */
    ck_assert(is_contended(queue, job));
    queue_close(queue);
    job_unref(job);
}
END_TEST

enum { THREADS = 4, JOBS = 12 };

struct crew {
    struct queue *queue;
    atomic_int finished;
};

/* What a worker does, without its store. */
static void *serve(void *argument)
{
    struct crew *crew = argument;
    struct lease lease;
    while (queue_take(crew->queue, &lease)) {
        const bool check = job_is_divisible(lease.job);
        const bool ended = check ? hand_in(lease.job, lease.grain) : hand_back(lease.job, 1);
        if (!check && !ended) queue_push(crew->queue, lease.job);
        if (ended && atomic_fetch_add(&crew->finished, 1) + 1 == JOBS) queue_stop(crew->queue);
        job_unref(lease.job);
    }
    return NULL;
}

START_TEST(all_jobs_end_with_many_workers)
{
    struct crew crew = {.queue = open_queue()};
    struct job *job[JOBS];
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, serve, &crew), 0);
    for (int i = 0; i < JOBS; i++) {
        job[i] = i % 3 == 0 ? training_job("") : check_job(i % 2 > 0 ? "" : ", 'priority': 'low'");
        queue_push(crew.queue, job[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_int_eq(atomic_load(&crew.finished), JOBS);
    queue_close(crew.queue);
    for (int i = 0; i < JOBS; i++) {
        ck_assert_int_eq(outcome_of(job[i]), JOB_SUCCEEDED);
        ck_assert_uint_eq(job[i]->references, 1);
        job_unref(job[i]);
    }
}
END_TEST

SUITE_MAIN("queue", {higher_priorities_first, 0}, {in_turn_within_a_priority, 0},
           {a_high_job_goes_between_the_grains_of_another, 0},
           {a_training_is_with_one_worker_until_it_is_pushed_again, 0},
           {a_job_stands_in_the_queue_once, 0}, {jobs_without_work_leave_the_queue, 0},
           {the_first_lease_begins_the_job, 0}, {another_job_of_no_lower_priority_is_contention, 0},
           {a_job_can_be_taken_out, 4}, {closing_lets_go_of_what_is_left, 0},
           {who_waits_gets_what_is_pushed, 0}, {stopping_sends_everybody_home, 0},
           {all_jobs_end_with_many_workers, 0})
