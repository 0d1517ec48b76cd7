/* jobs, show, watch, cancel: what a server has. */
#include "client/commands.h"
#include "client/http.h"
#include "client/remote.h"
#include "client/say.h"
#include "client/service.h"
#include "client/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 16384 };

/* ---- listing ---- */

static bool add_parameter(struct buf *path, const char *name, const char *value)
{
    const char *divider = memchr(path->data, '?', path->size) == NULL ? "?" : "&";
    return value == NULL || (buf_append_text(path, divider) && http_escape(path, name) &&
                             buf_append_text(path, "=") && http_escape(path, value));
}

/* False after a message. */
static bool add_label(struct buf *path, const char *label)
{
    const char *equals = strchr(label, '=');
    char name[NAME_SIZE + 8];
    if (equals == NULL || equals == label || equals - label >= NAME_SIZE)
        return say(false, "--label must be NAME=VALUE, got '%s'", label);
    snprintf(name, sizeof name, "label.%.*s", (int)(equals - label), label);
    return add_parameter(path, name, equals + 1) || say(false, "these labels are too long");
}

static bool make_path(const struct settings *settings, struct buf *path)
{
    char limit[24];
    snprintf(limit, sizeof limit, "%lld", (long long)settings->limit);
    if (!buf_append_text(path, "/v1/jobs") || !add_parameter(path, "limit", limit) ||
        !add_parameter(path, "state", settings->state) ||
        !add_parameter(path, "kind", settings->kind))
        return say(false, "these filters are too long");
    for (size_t i = 0; i < settings->label.count; i++)
        if (!add_label(path, settings->label.item[i])) return false;
    return buf_append(path, "", 1);
}

int run_jobs(const struct settings *settings)
{
    struct buf path = {.limit = PATH_MAX_BYTES};
    struct answer answer = {0};
    struct remote *remote = NULL;
    int status = make_path(settings, &path) ? remote_open(settings, &remote) : STATUS_USAGE;
    if (status == STATUS_PASS) status = remote_ask(remote, "GET", path.data, NULL, &answer);
    remote_close(remote);
    buf_done(&path);
    return status == STATUS_PASS ? service_conclude(settings, &answer, "jobs", show_jobs, NULL)
                                 : status;
}

/* ---- one job ---- */

/* That of its result, or of what it failed with; one that has not ended is as good as any. */
static int judge_job(const struct settings *settings, const struct value *job)
{
    const char *state = field_text(job, "state");
    if (strcmp(state, "failed") == 0) return answer_status_of(field_node(job, "error"));
    if (strcmp(state, "cancelled") == 0) return STATUS_FAIL;
    return service_judge(settings, field_node(job, "result"));
}

/* Asks for the job, or with method NULL for its end. */
static int ask(const struct settings *settings, const char *method, judge_function *judge)
{
    const char *id = settings->operand[0];
    struct answer answer = {0};
    struct remote *remote;
    int status = remote_open(settings, &remote);
    if (status != STATUS_PASS) return status;
    status = method == NULL ? remote_watch(remote, id, &answer)
                            : remote_ask_job(remote, method, id, &answer);
    remote_close(remote);
    return status == STATUS_PASS ? service_conclude(settings, &answer, id, show_job, judge)
                                 : status;
}

int run_show(const struct settings *settings)
{
    return ask(settings, "GET", judge_job);
}

int run_watch(const struct settings *settings)
{
    return ask(settings, NULL, judge_job);
}

int run_cancel(const struct settings *settings)
{
    return ask(settings, "DELETE", NULL);
}
