#include "crash_user.h"

#include <stdio.h>
#include <string.h>

/* How long the last jobs may take. */
static const double SETTLE_SECONDS = 120;

/* splitmix64 */
uint64_t crash_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(struct crash_user *user, size_t limit)
{
    return (size_t)(crash_random(&user->random) % limit);
}

/* ---- requests ---- */

static bool connected(struct crash_user *user)
{
    struct service service = {.port = user->life.port};
    if (!user->connected) user->connected = client_open(&user->client, &service);
    return user->connected;
}

/* NULL when the daemon ended before it answered, or while it stops. */
static struct answer *ask(struct crash_user *user, const char *method, const char *path,
                          const char *headers, const char *body)
{
    const char *token =
        user->token != NULL ? format("Authorization: Bearer %s\r\n", user->token) : "";
    /* In one piece: a server that has the head alone is slow to acknowledge it. */
    const char *text =
        format("%s %s HTTP/1.1\r\nHost: localhost\r\n%s%sContent-Length: %zu\r\n\r\n%s", method,
               path, token, headers, strlen(body), body);
    struct answer *answer = NULL;
    if (connected(user) && client_send_text(&user->client, text))
        answer = client_receive(&user->client, false);
    if (answer != NULL && answer->status != 0 && answer->status != 503) return answer;
    if (user->connected) client_close(&user->client);
    user->connected = false;
    user->dead = user->life.number;
    if (user->life.last)
        ledger_fault(&user->ledger, "%s %s: %s", method, path,
                     answer != NULL && answer->status != 0 ? answer->body : "no answer");
    return NULL;
}

static void unexpected(struct crash_user *user, const char *what, const struct answer *answer)
{
    ledger_fault(&user->ledger, "%s: %d %.300s", what, answer->status, answer->body);
}

/* ---- jobs that have not ended ---- */

static void open_add(struct crash_user *user, size_t place)
{
    if (!user->ledger.job[place].ended && user->open_count < USER_OPEN)
        user->open[user->open_count++] = place;
}

static void open_drop_ended(struct crash_user *user)
{
    size_t kept = 0;
    for (size_t i = 0; i < user->open_count; i++) {
        const struct crash_job *job = &user->ledger.job[user->open[i]];
        if (!job->ended && !job->removed) user->open[kept++] = user->open[i];
    }
    user->open_count = kept;
}

static bool has_slow(const struct crash_user *user)
{
    for (size_t i = 0; i < user->open_count; i++)
        if (user->ledger.job[user->open[i]].request->slow) return true;
    return false;
}

/* ---- what users do ---- */

/* Looks at a job; false when no answer came. */
static bool look(struct crash_user *user, size_t place, int wait_seconds)
{
    struct crash_job *job = &user->ledger.job[place];
    const char *prefer = wait_seconds > 0 ? format("Prefer: wait=%d\r\n", wait_seconds) : "";
    struct answer *answer = ask(user, "GET", format("/v1/jobs/%s", job->id), prefer, "");
    if (answer == NULL) return false;
    if (answer->status == 200 && job->removed)
        ledger_fault(&user->ledger, "%s: is back", job->id);
    else if (answer->status == 200)
        ledger_see(&user->ledger, job, answer);
    else if (answer->status == 404)
        ledger_miss(&user->ledger, job);
    else
        unexpected(user, "GET", answer);
    return true;
}

/* The answer to a POST, once it is one of an accepted job. */
static struct answer *post_job(struct crash_user *user, const struct crash_request *request,
                               unsigned key, bool waits)
{
    const char *keyed =
        key > 0 ? format("Idempotency-Key: client-%u-%u\r\n", user->number, key) : "";
    const char *prefer = waits ? "Prefer: wait=5\r\n" : "";
    struct answer *answer =
        ask(user, "POST", request->path,
            format("Content-Type: application/json\r\n%s%s", keyed, prefer), request->body);
    if (answer == NULL) return NULL;
    if (answer->status == 200 || answer->status == 202) return answer;
    unexpected(user, "POST", answer);
    return NULL;
}

static void post_plain(struct crash_user *user, const struct crash_request *request, bool waits)
{
    struct answer *answer = post_job(user, request, 0, waits);
    if (answer == NULL)
        user->unanswered++;
    else
        open_add(user, ledger_add(&user->ledger, request, answer));
}

static void post_small(struct crash_user *user)
{
    const struct crash_request *request = &user->ledger.requests[below(user, CRASH_SMALL)];
    post_plain(user, request, below(user, 3) > 0 || user->open_count >= USER_OPEN - 2);
}

static void post_slow(struct crash_user *user)
{
    if (user->posts_slow && !has_slow(user))
        post_plain(user, &user->ledger.requests[CRASH_SMALL + below(user, CRASH_SLOW)], false);
}

/* Sends a POST with its key; one that was answered before must name the same job. False when no
 * answer came. */
static bool send_keyed(struct crash_user *user, struct crash_key *key)
{
    struct answer *answer = post_job(user, key->request, key->number, below(user, 2) > 0);
    if (answer == NULL) return false;
    if (key->job == SIZE_MAX) {
        key->job = ledger_add(&user->ledger, key->request, answer);
        user->ledger.job[key->job].keyed = true;
        open_add(user, key->job);
        return true;
    }
    struct crash_job *job = &user->ledger.job[key->job];
    if (shows_job(answer, job->id))
        ledger_see(&user->ledger, job, answer);
    else
        ledger_fault(&user->ledger, "%s: its key gave another job", job->id);
    return true;
}

static void post_keyed(struct crash_user *user)
{
    if (user->key_count == USER_KEYS) return;
    struct crash_key *key = &user->key[user->key_count++];
    const struct crash_request *request = &user->ledger.requests[below(user, CRASH_SMALL)];
    *key = (struct crash_key){++user->keys_made, request, SIZE_MAX};
    send_keyed(user, key);
}

static void cancel(struct crash_user *user)
{
    if (user->open_count == 0) return;
    struct crash_job *job = &user->ledger.job[user->open[below(user, user->open_count)]];
    job->cancelling = true;
    struct answer *answer = ask(user, "DELETE", format("/v1/jobs/%s", job->id), "", "");
    if (answer == NULL) return;
    if (answer->status == 200 || answer->status == 202)
        ledger_see(&user->ledger, job, answer);
    else if (answer->status == 404)
        ledger_miss(&user->ledger, job);
    else
        unexpected(user, "DELETE", answer);
}

/* One of the latest jobs. */
static struct crash_job *recent(struct crash_user *user)
{
    const size_t count = user->ledger.count, reach = count < 100 ? count : 100;
    return reach == 0 ? NULL : &user->ledger.job[count - 1 - below(user, reach)];
}

static void remove_one(struct crash_user *user)
{
    struct crash_job *job = recent(user);
    if (job == NULL || !job->ended || job->keyed || job->removed) return;
    job->removing = true;
    struct answer *answer = ask(user, "DELETE", format("/v1/jobs/%s?purge=true", job->id), "", "");
    if (answer == NULL) return;
    if (answer->status == 204 || answer->status == 404)
        job->removed = true;
    else
        unexpected(user, "purge", answer);
    user->removed += answer->status == 204;
}

static void look_at_one(struct crash_user *user)
{
    struct crash_job *job = recent(user);
    if (job != NULL) look(user, (size_t)(job - user->ledger.job), (int)below(user, 2));
}

/* A page of the list has no job twice. */
static void look_at_list(struct crash_user *user)
{
    const char *first = NULL;
    struct answer *answer = ask(user, "GET", "/v1/jobs?limit=20", "", "");
    if (answer == NULL) return;
    if (answer->status != 200) unexpected(user, "list", answer);
    for (const char *at = answer->body; (at = strstr(at, "{\"id\":\"")) != NULL; at++) {
        const char *id = format("%.33s", at + 1);
        first = strstr(answer->body, id);
        if (first != at + 1) ledger_fault(&user->ledger, "%s: listed twice", id);
    }
}

/* As often as they stand here. */
static void (*const actions[])(struct crash_user *) = {
    post_small, post_small, post_small, post_small, post_small, post_small,  post_small,
    post_small, post_keyed, post_keyed, post_keyed, post_slow,  post_slow,   cancel,
    cancel,     cancel,     remove_one, remove_one, remove_one, look_at_one, look_at_list};

/* ---- lives ---- */

/* What was sent with a key is sent again, until the daemon ends again. */
static void repeat_keys(struct crash_user *user)
{
    while (user->key_count > 0 && send_keyed(user, &user->key[user->key_count - 1])) {
        user->key_count--;
        user->repeated++;
    }
}

/* Room for more, by waiting for the oldest. */
static void make_room(struct crash_user *user)
{
    open_drop_ended(user);
    if (user->open_count == USER_OPEN) look(user, user->open[0], 1);
    open_drop_ended(user);
}

static void live(struct crash_user *user, unsigned life)
{
    repeat_keys(user);
    while (user->dead < life && !gate_pass(user->gate, 0).last) {
        make_room(user);
        if (user->open_count < USER_OPEN)
            actions[below(user, sizeof actions / sizeof *actions)](user);
        keep_no_longer();
    }
}

/* In the last life: everything ends, and is what it was. */
static void settle(struct crash_user *user)
{
    struct crash_ledger *ledger = &user->ledger;
    const double deadline = seconds_now() + patience(SETTLE_SECONDS);
    repeat_keys(user);
    for (size_t i = 0; i < ledger->count; i++) {
        struct crash_job *job = &ledger->job[i];
        bool answered = look(user, i, 10);
        while (answered && !job->ended && !job->removed && seconds_now() < deadline)
            answered = look(user, i, 10);
        if (!job->ended && !job->removed)
            ledger_fault(ledger, "%s: does not end (%s)", job->id, job->state);
        keep_no_longer();
    }
}

/* What is told beside the job itself: its request, and a training's parameters. */
static void look_inside(struct crash_user *user, const struct crash_job *job, const char *part,
                        const char *expected)
{
    struct answer *answer = ask(user, "GET", format("/v1/jobs/%s/%s", job->id, part), "", "");
    if (answer == NULL) return;
    if (answer->status == 200 && strcmp(answer->body, expected) == 0) return;
    user->ledger.changed++;
    ledger_fault(&user->ledger, "%s: other %s than expected", job->id, part);
}

static void look_inside_all(struct crash_user *user)
{
    for (size_t i = 0; i < user->ledger.count; i++) {
        const struct crash_job *job = &user->ledger.job[i];
        if (job->removed || !(job->request->slow || i % 16 == 0)) continue;
        look_inside(user, job, "request", job->request->body);
        if (strcmp(job->state, "succeeded") == 0)
            look_inside(user, job, "parameters", job->request->parameters);
        keep_no_longer();
    }
}

/* The daemon of the moment; false when it is the last. */
static bool meet(struct crash_user *user)
{
    const struct crash_life life = gate_pass(user->gate, user->dead);
    if (user->connected && life.number != user->life.number) {
        client_close(&user->client);
        user->connected = false;
    }
    if (user->dead == life.number)
        ledger_fault(&user->ledger, "a daemon that was left alone did not answer");
    user->life = life;
    return !life.last;
}

void *crash_user_run(void *argument)
{
    struct crash_user *user = argument;
    while (meet(user))
        live(user, user->life.number);
    settle(user);
    look_inside_all(user);
    if (user->connected) client_close(&user->client);
    keep_no_longer();
    return NULL;
}
