#include "client/remote.h"
#include "client/file.h"
#include "client/http.h"
#include "client/interrupt.h"
#include "client/meter.h"
#include "client/say.h"
#include "server/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

enum {
    WAIT_SECONDS = 60,   /* what a server grants at most */
    LIVE_SECONDS = 1,    /* between two looks at a job while somebody looks on */
    REFUSED_SECONDS = 5, /* for which a server that is not there may come up */
    BUSY_SECONDS = 60,   /* for which one may say "later", unless --timeout says otherwise */
    CANCEL_SECONDS = 5,
    PATH_SIZE = 256
};

struct remote {
    const struct settings *settings;
    struct http *http;
    char key[ID_SIZE]; /* of the one job that an invocation makes */
};

/* ---- opening ---- */

/* The token, from its file or the environment; *ret NULL: none. */
static int find_token(const struct settings *settings, char **ret)
{
    const char *variable = getenv("GRADCHECK_TOKEN");
    *ret = NULL;
    if (settings->token_file == NULL) {
        if (variable != NULL && variable[0] != '\0') *ret = strdup(variable);
        return STATUS_PASS;
    }
    struct blob *file = file_read(settings->token_file);
    if (file == NULL) return STATUS_USAGE;
    *ret = strndup(file->data, file->size);
    blob_unref(file);
    if (*ret == NULL) return say_memory();
    (*ret)[strcspn(*ret, " \t\r\n")] = '\0';
    return (*ret)[0] != '\0' ? STATUS_PASS
                             : say(STATUS_USAGE, "%s holds no token", settings->token_file);
}

int remote_open(const struct settings *settings, struct remote **ret)
{
    char *token;
    int status = find_token(settings, &token);
    if (status != STATUS_PASS) {
        free(token);
        return status;
    }
    struct remote *remote = calloc(1, sizeof *remote);
    if (remote != NULL) {
        remote->settings = settings;
        remote->http = http_open(settings->server, token, settings->ca_file, &status);
        id_new(remote->key);
    }
    free(token);
    if (remote == NULL) return say_memory();
    if (remote->http == NULL) {
        free(remote);
        return status;
    }
    *ret = remote;
    return STATUS_PASS;
}

void remote_close(struct remote *remote)
{
    if (remote == NULL) return;
    http_close(remote->http);
    free(remote);
}

/* ---- asking ---- */

/* How long is waited, and until when, before a request is made again. */
struct patience {
    int64_t refused_ns, busy_ns; /* since when the server was not there, or had no room; 0: not */
    int64_t pause_ms;
};

static int late(const struct remote *remote)
{
    return say(STATUS_TIMEOUT, "no result after %lld seconds",
               (long long)remote->settings->timeout_seconds);
}

/* The server is not there: for some seconds it may come up. */
static bool try_again(struct patience *patience)
{
    const int64_t now = clock_monotonic_ns();
    if (patience->refused_ns == 0) patience->refused_ns = now;
    if (now >= patience->refused_ns + REFUSED_SECONDS * SECOND_NS) return false;
    patience->pause_ms = patience->pause_ms == 0 ? 50 : patience->pause_ms * 2;
    if (patience->pause_ms > 1000) patience->pause_ms = 1000;
    return !interrupt_pause(patience->pause_ms);
}

/* It is there, but has no room before then. */
static bool try_later(const struct remote *remote, struct patience *patience, int retry_seconds)
{
    const int64_t now = clock_monotonic_ns(), deadline_ns = remote->settings->deadline_ns;
    const int64_t pause_ms = retry_seconds < 0 ? 1000 : retry_seconds * INT64_C(1000);
    if (patience->busy_ns == 0) patience->busy_ns = now;
    const int64_t until =
        deadline_ns != INT64_MAX ? deadline_ns : patience->busy_ns + BUSY_SECONDS * SECOND_NS;
    return now + pause_ms * 1000000 < until && !interrupt_pause(pause_ms);
}

static bool says_later(const struct http_reply *reply)
{
    return reply->status == 429 || reply->status == 503;
}

/* A server that says "later" has answered, unless there is no later. */
static int conclude(const struct remote *remote, enum http_outcome outcome,
                    const struct http_reply *reply, const char *error, struct answer *ret)
{
    const bool hurried = interrupt_asked() || remote->settings->timeout_seconds != 0;
    if (outcome == HTTP_ANSWERED && !(says_later(reply) && hurried)) {
        *ret = (struct answer){reply->status, reply->body};
        return STATUS_PASS;
    }
    blob_unref(reply->body);
    if (interrupt_asked()) return STATUS_INTERRUPTED;
    if (outcome == HTTP_ANSWERED || outcome == HTTP_LATE) return STATUS_TIMEOUT;
    return say(STATUS_SERVER, "%s: %s", remote->settings->server, error);
}

/* One question, as often as it takes. */
static int ask(struct remote *remote, const struct http_request *request, struct answer *ret)
{
    struct patience patience = {0};
    for (;;) {
        struct http_reply reply = {0};
        char error[HTTP_ERROR_SIZE];
        const enum http_outcome outcome =
            http_ask(remote->http, request, remote->settings->deadline_ns, &reply, error);
        const bool again = outcome == HTTP_REFUSED
                               ? try_again(&patience)
                               : outcome == HTTP_ANSWERED && says_later(&reply) &&
                                     try_later(remote, &patience, reply.retry_seconds);
        if (!again) return conclude(remote, outcome, &reply, error, ret);
        blob_unref(reply.body);
    }
}

int remote_ask(struct remote *remote, const char *method, const char *path, const struct blob *body,
               struct answer *ret)
{
    const struct http_request request = {.method = method, .path = path, .body = body};
    const int status = ask(remote, &request, ret);
    if (status == STATUS_TIMEOUT) return late(remote);
    return status == STATUS_INTERRUPTED ? interrupt_status("") : status;
}

static bool path_of(char path[PATH_SIZE], const char *id)
{
    struct buf buf = {.limit = PATH_SIZE};
    const bool made =
        buf_append_text(&buf, "/v1/jobs/") && http_escape(&buf, id) && buf_append(&buf, "", 1);
    if (made) memcpy(path, buf.data, buf.size);
    buf_done(&buf);
    return made;
}

int remote_ask_job(struct remote *remote, const char *method, const char *id, struct answer *ret)
{
    char path[PATH_SIZE];
    if (!path_of(path, id)) return say(STATUS_USAGE, "'%s' is no job's id", id);
    return remote_ask(remote, method, path, NULL, ret);
}

/* ---- jobs ---- */

/* What is to be known of one that is under way. */
struct state {
    char id[NAME_SIZE], name[16];
    bool final, succeeded;
    size_t done, total;
    int error_status; /* of one that failed */
};

static bool read_state(const struct remote *remote, const struct answer *answer, struct state *ret)
{
    struct document *document = answer_decode(remote->settings, answer->body);
    if (document == NULL) return false;
    const struct value *job = document_root(document);
    const struct value *progress = field_node(job, "progress");
    const char *state = field_text(job, "state");
    *ret = (struct state){.done = field_count(progress, "done"),
                          .total = field_count(progress, "total"),
                          .succeeded = strcmp(state, "succeeded") == 0,
                          .error_status = (int)field_count(field_node(job, "error"), "status")};
    ret->final = strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
    snprintf(ret->id, sizeof ret->id, "%s", field_text(job, "id"));
    snprintf(ret->name, sizeof ret->name, "%s", state);
    document_free(document);
    return ret->id[0] != '\0' || say(false, "an answer that is no job");
}

/* How long the server may hold an answer back. */
static int wait_of(const struct remote *remote, bool live)
{
    const int64_t left_ns = remote->settings->deadline_ns - clock_monotonic_ns();
    const int64_t most = live ? LIVE_SECONDS : WAIT_SECONDS;
    const int64_t left = left_ns / SECOND_NS + 1;
    return (int)(left < 1 ? 1 : left < most ? left : most);
}

/* Looks at a job until it has ended; *state is as it is now, and the answer the job. */
static int follow(struct remote *remote, struct meter *meter, struct state *state,
                  struct answer *answer)
{
    char path[PATH_SIZE];
    if (!path_of(path, state->id)) return say(STATUS_USAGE, "'%s' is no job's id", state->id);
    while (!state->final) {
        const struct http_request request = {.method = "GET",
                                             .path = path,
                                             .wait_seconds =
                                                 wait_of(remote, meter->live || meter->lines)};
        meter_show(meter, state->name, state->done, state->total);
        answer_done(answer);
        const int status = ask(remote, &request, answer);
        if (status != STATUS_PASS) return status;
        if (answer->status != 200) return STATUS_PASS;
        if (!read_state(remote, answer, state)) return STATUS_SERVER;
    }
    return STATUS_PASS;
}

/* ---- cancelling ---- */

/* Asks once, whatever came in between; an answer, or nothing. */
static bool ask_last(struct remote *remote, struct http_request *request, struct answer *ret)
{
    struct http_reply reply;
    char error[HTTP_ERROR_SIZE];
    request->after_interrupt = true;
    if (http_ask(remote->http, request, clock_monotonic_ns() + CANCEL_SECONDS * SECOND_NS, &reply,
                 error) != HTTP_ANSWERED)
        return false;
    *ret = (struct answer){reply.status, reply.body};
    return true;
}

/* Posted again under its key, a job tells its id. */
static void find_id(struct remote *remote, const char *path, const struct blob *body,
                    struct state *state)
{
    struct http_request request = {
        .method = "POST", .path = path, .body = body, .key = remote->key};
    struct answer answer = {0};
    if (ask_last(remote, &request, &answer) && (answer.status == 200 || answer.status == 202))
        read_state(remote, &answer, state);
    answer_done(&answer);
}

/* Tells what became of the job, if there is one. */
static void cancel(struct remote *remote, const char *path, const struct blob *body,
                   struct state *state, char *ret_text, size_t size)
{
    char job_path[PATH_SIZE];
    struct http_request request = {.method = "DELETE", .path = job_path};
    struct answer answer = {0};
    if (state->id[0] == '\0') find_id(remote, path, body, state);
    ret_text[0] = '\0';
    if (state->id[0] == '\0') return;
    const bool cancelled = path_of(job_path, state->id) && ask_last(remote, &request, &answer) &&
                           (answer.status == 200 || answer.status == 202);
    if (cancelled)
        snprintf(ret_text, size, "; job %s is cancelled", state->id);
    else
        snprintf(ret_text, size, "; job %s could not be cancelled", state->id);
    answer_done(&answer);
}

/* ---- running ---- */

/* From the job to its result, or to the problem it failed with. */
static int reduce(const struct state *state, struct answer *answer)
{
    if (!state->succeeded && state->error_status == 0)
        return say(STATUS_FAIL, "job %s was %s", state->id, state->name);
    struct blob *part = answer_member(answer->body, state->succeeded ? "result" : "error");
    if (part == NULL) return say_memory();
    blob_unref(answer->body);
    *answer = (struct answer){state->succeeded ? 200 : state->error_status, part};
    return STATUS_PASS;
}

static int post(struct remote *remote, const char *path, const struct blob *body,
                struct meter *meter, struct state *state, struct answer *answer)
{
    const struct http_request request = {.method = "POST",
                                         .path = path,
                                         .body = body,
                                         .key = remote->key,
                                         .wait_seconds = wait_of(remote, meter->live)};
    const int status = ask(remote, &request, answer);
    if (status != STATUS_PASS || answer->status >= 300) return status;
    if (!read_state(remote, answer, state)) return STATUS_SERVER;
    return follow(remote, meter, state, answer);
}

int remote_run(struct remote *remote, enum job_kind kind, const struct blob *body,
               struct answer *ret)
{
    const char *path = kind == JOB_CHECK ? "/v1/gradient-checks" : "/v1/trainings";
    struct state state = {0};
    struct answer answer = {0};
    struct meter meter;
    char fate[128];
    meter_start(&meter, false);
    int status = post(remote, path, body, &meter, &state, &answer);
    meter_end(&meter);
    if (status == STATUS_PASS && answer.status < 300) status = reduce(&state, &answer);
    if (status == STATUS_INTERRUPTED || status == STATUS_TIMEOUT) {
        cancel(remote, path, body, &state, fate, sizeof fate);
        status = status == STATUS_TIMEOUT ? say(status, "no result after %lld seconds%s",
                                                (long long)remote->settings->timeout_seconds, fate)
                                          : interrupt_status(fate);
    }
    if (status == STATUS_PASS)
        *ret = answer;
    else
        answer_done(&answer);
    return status;
}

int remote_watch(struct remote *remote, const char *id, struct answer *ret)
{
    struct state state = {.name = "waiting"};
    struct meter meter;
    snprintf(state.id, sizeof state.id, "%s", id);
    meter_start(&meter, true);
    const int status = follow(remote, &meter, &state, ret);
    if (status == STATUS_PASS) meter_show(&meter, state.name, state.done, state.total);
    meter_end(&meter);
    if (status != STATUS_PASS) answer_done(ret);
    if (status == STATUS_TIMEOUT) return late(remote);
    return status == STATUS_INTERRUPTED ? interrupt_status("") : status;
}
