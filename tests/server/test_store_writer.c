/* The queue before a store: what goes into a transaction, in which order, and what comes of one
 * that fails. The store behind it is a list of ids. */
#include "server/store_writer.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { HOUR_MS = 3600000, DEADLINE_S = 60, BAD = 1 /* as its grain */ };

/* Transactions as text, "a|b c|". While `full` all fail, while `refuses` those with a bad write. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;    /* commits wait */
    bool entered; /* one does */
    bool full, refuses;
    char made[4096];
} backend = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* A write, and what came of it. */
struct note {
    struct store_write write;
    bool done;
    enum store_status status;
};

static void await(const bool *flag)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&backend.lock);
    while (!*flag)
        ck_assert_int_eq(pthread_cond_timedwait(&backend.changed, &backend.lock, &end), 0);
    pthread_mutex_unlock(&backend.lock);
}

static void set(bool *flag, bool value)
{
    pthread_mutex_lock(&backend.lock);
    *flag = value;
    pthread_cond_broadcast(&backend.changed);
    pthread_mutex_unlock(&backend.lock);
}

static bool fails(struct store_write *const *writes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (backend.refuses && writes[i]->grain.index == BAD) return true;
    return backend.full;
}

static void append(const char *text, const char *after)
{
    const size_t used = strlen(backend.made);
    snprintf(backend.made + used, sizeof backend.made - used, "%s%s", text, after);
}

static enum store_status commit(void *context, struct store_write *const *writes, size_t count,
                                enum store_status *statuses)
{
    (void)context;
    pthread_mutex_lock(&backend.lock);
    backend.entered = true;
    pthread_cond_broadcast(&backend.changed);
    while (backend.shut)
        pthread_cond_wait(&backend.changed, &backend.lock);
    const bool failed = fails(writes, count);
    for (size_t i = 0; !failed && i < count; i++) {
        append(writes[i]->record.id, i + 1 < count ? " " : "|");
        statuses[i] = STORE_OK;
    }
    pthread_mutex_unlock(&backend.lock);
    return failed ? STORE_FULL : STORE_OK;
}

static void rest(void *context)
{
    (void)context;
}

static const char *fault(void *context)
{
    (void)context;
    return "no room";
}

static struct store_writer *open_writer(void)
{
    const struct store_writer_backend functions = {.commit = commit, .rest = rest, .fault = fault};
    struct store_writer *writer = store_writer_open(&functions);
    ck_assert_ptr_nonnull(writer);
    return writer;
}

static void note_done(struct store_write *write, enum store_status status)
{
    struct note *note = write->context;
    pthread_mutex_lock(&backend.lock);
    ck_assert(!note->done);
    note->status = status;
    note->done = true;
    pthread_cond_broadcast(&backend.changed);
    pthread_mutex_unlock(&backend.lock);
}

static void submit(struct store_writer *writer, struct note *note, const char *id)
{
    note->write.done = note_done;
    note->write.context = note;
    snprintf(note->write.record.id, sizeof note->write.record.id, "%s", id);
    store_writer_submit(writer, &note->write);
}

static enum store_status result_of(const struct note *note)
{
    await(&note->done);
    return note->status;
}

/* Keeps the writer busy with a transaction of its own, so that what is submitted meanwhile comes
 * together. */
static void hold_up(struct store_writer *writer, struct note *note)
{
    set(&backend.shut, true);
    submit(writer, note, "hold");
    await(&backend.entered);
}

static void go_on(void)
{
    set(&backend.shut, false);
}

static struct note held_back(void)
{
    return (struct note){.write.delay_ms = HOUR_MS};
}

static struct note patient_note(void)
{
    return (struct note){.write.patient = true};
}

/* ---- together, and in order ---- */

START_TEST(what_comes_meanwhile_is_one_transaction)
{
    struct store_writer *writer = open_writer();
    struct note hold = {0}, a = {0}, b = {0}, c = {0};
    hold_up(writer, &hold);
    submit(writer, &a, "a");
    submit(writer, &b, "b");
    submit(writer, &c, "c");
    go_on();
    ck_assert_int_eq(result_of(&c), STORE_OK);
    ck_assert_str_eq(backend.made, "hold|a b c|");
    store_writer_close(writer);
}
END_TEST

START_TEST(a_write_is_held_back_until_it_is_due)
{
    struct store_writer *writer = open_writer();
    struct note late = {.write.delay_ms = 20}, later = held_back();
    submit(writer, &later, "later");
    submit(writer, &late, "late");
    ck_assert_int_eq(result_of(&late), STORE_OK);
    ck_assert_str_eq(backend.made, "late|");
    store_writer_close(writer);
    ck_assert_int_eq(result_of(&later), STORE_OK);
    ck_assert_str_eq(backend.made, "late|later|");
}
END_TEST

START_TEST(what_rides_goes_with_the_next)
{
    struct store_writer *writer = open_writer();
    struct note rides = held_back(), stays = held_back(), now = {0};
    rides.write.rides = true;
    submit(writer, &rides, "rides");
    submit(writer, &stays, "stays");
    submit(writer, &now, "now");
    ck_assert_int_eq(result_of(&now), STORE_OK);
    ck_assert_int_eq(result_of(&rides), STORE_OK);
    ck_assert_str_eq(backend.made, "rides now|");
    store_writer_close(writer);
}
END_TEST

START_TEST(a_hurried_job_is_made_now)
{
    struct store_writer *writer = open_writer();
    struct note a = held_back(), b = held_back();
    submit(writer, &a, "a");
    submit(writer, &b, "b");
    store_writer_hurry(writer, "b");
    ck_assert_int_eq(result_of(&b), STORE_OK);
    ck_assert_str_eq(backend.made, "b|");
    store_writer_hurry(writer, NULL);
    ck_assert_int_eq(result_of(&a), STORE_OK);
    store_writer_close(writer);
}
END_TEST

START_TEST(the_writes_of_a_job_keep_their_order)
{
    struct store_writer *writer = open_writer();
    struct note accepted = held_back(), ended = {0};
    submit(writer, &accepted, "a");
    submit(writer, &ended, "a");
    ck_assert_int_eq(result_of(&ended), STORE_OK);
    ck_assert_int_eq(result_of(&accepted), STORE_OK);
    ck_assert_str_eq(backend.made, "a a|");
    store_writer_close(writer);
}
END_TEST

START_TEST(more_than_a_transaction_takes_goes_in_several)
{
    enum { MANY = 1200 };
    static struct note many[MANY];
    struct store_writer *writer = open_writer();
    struct note hold = {0};
    size_t transactions = 0;
    hold_up(writer, &hold);
    for (int i = 0; i < MANY; i++)
        submit(writer, &many[i], i % 2 > 0 ? "a" : "b");
    go_on();
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(result_of(&many[i]), STORE_OK);
    for (const char *at = backend.made; *at != '\0'; at++)
        transactions += *at == '|';
    ck_assert_uint_gt(transactions, 2);
    ck_assert_uint_lt(transactions, 10);
    store_writer_close(writer);
}
END_TEST

/* ---- taken back ---- */

START_TEST(a_write_is_withdrawn_until_its_transaction_begins)
{
    struct store_writer *writer = open_writer();
    struct note hold = {0}, held = held_back(), due = {0};
    hold_up(writer, &hold);
    submit(writer, &held, "held");
    submit(writer, &due, "due");
    ck_assert(!store_writer_withdraw(writer, &hold.write));
    ck_assert(store_writer_withdraw(writer, &held.write));
    ck_assert(store_writer_withdraw(writer, &due.write));
    ck_assert(!store_writer_withdraw(writer, &held.write));
    submit(writer, &due, "due"); /* the list is in order */
    go_on();
    ck_assert_int_eq(result_of(&due), STORE_OK);
    ck_assert(!store_writer_withdraw(writer, &due.write));
    store_writer_close(writer);
    ck_assert(!held.done);
    ck_assert_str_eq(backend.made, "hold|due|");
}
END_TEST

/* ---- faults ---- */

START_TEST(a_bad_write_spoils_no_other)
{
    struct store_writer *writer = open_writer();
    struct note hold = {0}, a = {0}, bad = {.write.grain.index = BAD}, b = {0}, c = {0};
    backend.refuses = true;
    hold_up(writer, &hold);
    submit(writer, &a, "a");
    submit(writer, &bad, "bad");
    submit(writer, &b, "b");
    submit(writer, &c, "c");
    go_on();
    ck_assert_int_eq(result_of(&a), STORE_OK);
    ck_assert_int_eq(result_of(&bad), STORE_FULL);
    ck_assert_int_eq(result_of(&b), STORE_OK);
    ck_assert_int_eq(result_of(&c), STORE_OK);
    ck_assert_str_eq(backend.made, "hold|a|b c|");
    store_writer_close(writer);
}
END_TEST

START_TEST(a_patient_write_waits_for_room)
{
    struct store_writer *writer = open_writer();
    struct note patient = patient_note(), refused = {0}, again = {0}, hold = {0};
    hold_up(writer, &hold);
    submit(writer, &patient, "patient");
    submit(writer, &refused, "refused");
    set(&backend.full, true);
    go_on();
    ck_assert_int_eq(result_of(&refused), STORE_FULL);
    submit(writer, &again, "again"); /* each is tried */
    ck_assert_int_eq(result_of(&again), STORE_FULL);
    ck_assert(!patient.done);
    set(&backend.full, false);
    ck_assert_int_eq(result_of(&patient), STORE_OK);
    ck_assert_str_eq(backend.made, "patient|");
    store_writer_close(writer);
}
END_TEST

START_TEST(new_writes_pass_a_patient_one)
{
    struct store_writer *writer = open_writer();
    struct note large = patient_note(), small = patient_note(), other = {0};
    large.write.grain.index = BAD;
    backend.refuses = true;
    submit(writer, &large, "large");
    submit(writer, &small, "small");
    submit(writer, &other, "other");
    ck_assert_int_eq(result_of(&small), STORE_OK);
    ck_assert_int_eq(result_of(&other), STORE_OK);
    ck_assert(!large.done);
    store_writer_close(writer);
    ck_assert_int_eq(result_of(&large), STORE_BROKEN);
}
END_TEST

/* Nothing of a job overtakes its patient write, while other jobs do. */
START_TEST(a_job_waits_for_its_patient_write)
{
    struct store_writer *writer = open_writer();
    struct note hold = {0}, first = patient_note(), second = {0}, third = patient_note();
    struct note other = {0}, fourth = patient_note();
    first.write.grain.index = BAD;
    backend.refuses = true;
    hold_up(writer, &hold);
    submit(writer, &first, "a");
    submit(writer, &second, "a"); /* has to be refused: it is not to wait */
    submit(writer, &third, "a");
    submit(writer, &other, "other");
    go_on();
    ck_assert_int_eq(result_of(&other), STORE_OK);
    ck_assert_int_eq(result_of(&second), STORE_FULL);
    ck_assert(!first.done && !third.done);
    set(&backend.refuses, false);
    submit(writer, &fourth, "a");
    ck_assert_int_eq(result_of(&fourth), STORE_OK);
    ck_assert(first.done && third.done);
    store_writer_close(writer);
}
END_TEST

START_TEST(patience_ends)
{
    struct store_writer *writer = open_writer();
    struct note patient = patient_note(), later = patient_note();
    backend.full = true;
    submit(writer, &patient, "a");
    store_writer_give_up(writer);
    ck_assert_int_eq(result_of(&patient), STORE_BROKEN);
    submit(writer, &later, "b");
    ck_assert_int_eq(result_of(&later), STORE_BROKEN);
    store_writer_close(writer);
}
END_TEST

/* ---- the end ---- */

START_TEST(closing_makes_what_is_there)
{
    struct store_writer *writer = open_writer();
    struct note held = held_back(), rides = held_back();
    rides.write.rides = true;
    submit(writer, &held, "held");
    submit(writer, &rides, "rides");
    store_writer_close(writer);
    ck_assert(held.done && rides.done);
    ck_assert_str_eq(backend.made, "held rides|");
}
END_TEST

START_TEST(closing_ends_what_cannot_be_made)
{
    struct store_writer *writer = open_writer();
    struct note patient = patient_note(), held = held_back();
    backend.full = true;
    submit(writer, &patient, "a");
    submit(writer, &held, "b");
    store_writer_close(writer);
    ck_assert_int_eq(result_of(&patient), STORE_BROKEN);
    ck_assert_int_eq(result_of(&held), STORE_FULL);
}
END_TEST

static struct store_writer *closing_writer;

static void submit_again(struct store_write *write, enum store_status status)
{
    ck_assert_int_eq(status, STORE_OK);
    submit(closing_writer, write->context, "again");
}

START_TEST(nothing_comes_in_once_it_closes)
{
    struct note again = {0}, last = held_back();
    closing_writer = open_writer();
    last.write.done = submit_again;
    last.write.context = &again;
    store_writer_submit(closing_writer, &last.write);
    store_writer_close(closing_writer);
    ck_assert_int_eq(result_of(&again), STORE_BROKEN);
}
END_TEST

SUITE_MAIN("store writer", {what_comes_meanwhile_is_one_transaction, 0},
           {a_write_is_held_back_until_it_is_due, 0}, {what_rides_goes_with_the_next, 0},
           {a_hurried_job_is_made_now, 0}, {the_writes_of_a_job_keep_their_order, 0},
           {more_than_a_transaction_takes_goes_in_several, 0},
           {a_write_is_withdrawn_until_its_transaction_begins, 0}, {a_bad_write_spoils_no_other, 0},
           {a_patient_write_waits_for_room, 0}, {new_writes_pass_a_patient_one, 0},
           {a_job_waits_for_its_patient_write, 0}, {patience_ends, 0},
           {closing_makes_what_is_there, 0}, {closing_ends_what_cannot_be_made, 0},
           {nothing_comes_in_once_it_closes, 0})
