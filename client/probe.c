/* probe: checks the gradients that a program of the user's computes of its own function, in every
 * case that it is asked for. */
#include "client/commands.h"
#include "client/numerics.h"
#include "client/program.h"
#include "client/remote.h"
#include "client/say.h"
#include "client/service.h"
#include "client/show.h"
#include "client/terminal.h"
#include "server/clock.h"
#include "server/codec_probe.h"
#include "server/codec_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For one answer. */
#define ANSWER_NS INT64_C(60000000000)

enum { LINE_MAX_BYTES = 1 << 30, NAME_MAX_SIZE = 64, CASES_MAX = 10000 };

struct sweep {
    char name[NAME_MAX_SIZE]; /* "": none */
    long first, last;
};

/* One case at work. */
struct trial {
    const struct settings *settings;
    struct program *program;
    struct remote *remote; /* NULL: here */
    const struct sweep *sweep;
    long number;
    uint64_t seed;
    struct probe *probe;
};

/* ---- questions to the program ---- */

static int64_t answer_deadline(const struct settings *settings)
{
    const int64_t deadline_ns = clock_monotonic_ns() + ANSWER_NS;
    return settings->deadline_ns < deadline_ns ? settings->deadline_ns : deadline_ns;
}

/* Takes the line. */
static int ask(const struct trial *t, struct blob *line, const char *what, struct blob **ret)
{
    if (line == NULL) return say_memory();
    const int status =
        program_ask(t->program, line, what, answer_deadline(t->settings), LINE_MAX_BYTES, ret);
    blob_unref(line);
    return status;
}

static int tell(const struct trial *t, const struct problem *problem, const char *what)
{
    return say(STATUS_USAGE, "%s, where %s was asked for: %s%s%s", t->settings->operand[0], what,
               problem->pointer, problem->pointer[0] == '\0' ? "" : " ", problem->detail);
}

static int start(const struct trial *t, struct probe **ret_probe)
{
    struct problem problem = {0};
    struct blob *answer;
    const char *name = t->sweep->name[0] == '\0' ? NULL : t->sweep->name;
    const int status =
        ask(t, program_start(name, (uint64_t)t->number, t->seed), "the start", &answer);
    if (status != STATUS_PASS) return status;
    const bool started = program_started(answer, &t->settings->limits, ret_probe, &problem);
    blob_unref(answer);
    return started ? STATUS_PASS : tell(t, &problem, "the start");
}

/* Whether two answers to the same question are the same, to the bit. */
static bool is_same(const struct probe *a, const struct probe *b)
{
    if (a->core.tensor_count != b->core.tensor_count) return false;
    for (size_t i = 0; i < a->core.tensor_count; i++) {
        const gck_session_tensor *x = &a->tensor[i], *y = &b->tensor[i];
        size_t count = 0;
        if (strcmp(x->name, y->name) != 0 || !gck_shape_equal(&x->shape, &y->shape) ||
            (x->claimed == NULL) != (y->claimed == NULL) || !gck_shape_count(&x->shape, &count))
            return false;
        if (memcmp(x->theta, y->theta, count * sizeof *x->theta) != 0) return false;
        if (x->claimed != NULL && memcmp(x->claimed, y->claimed, count * sizeof *x->claimed) != 0)
            return false;
    }
    return true;
}

/* Twice: a backward pass that leaves something behind, or depends on chance, shows. */
static int start_twice(struct trial *t)
{
    struct probe *again;
    int status = start(t, &t->probe);
    if (status != STATUS_PASS) return status;
    status = start(t, &again);
    if (status != STATUS_PASS) return status;
    if (!is_same(t->probe, again))
        say_note(
            "%s gave other gradients, or another theta, when it was asked for them a second "
            "time with the same seed",
            t->settings->operand[0]);
    probe_free(again);
    if (t->settings->budget > 0) t->probe->core.budget = (size_t)t->settings->budget;
    return STATUS_PASS;
}

/* Takes the line. ret_values are freed by free(). */
static int evaluate(const struct trial *t, struct blob *line, size_t asked, double **ret_values)
{
    struct problem problem = {0};
    struct blob *answer;
    const int status = ask(t, line, "values", &answer);
    if (status != STATUS_PASS) return status;
    const bool read = program_evaluated(answer, &t->settings->limits, asked, ret_values, &problem);
    blob_unref(answer);
    return read ? STATUS_PASS : tell(t, &problem, "values");
}

/* ---- here ---- */

static int tell_error(const struct trial *t, const gck_error *error)
{
    return say(STATUS_USAGE, "%s: %s", t->settings->operand[0], error->text);
}

static int rounds(const struct trial *t, gck_session *session)
{
    gck_error error;
    size_t asked;
    while ((asked = gck_session_asked(session)) > 0) {
        double *values;
        const int status = evaluate(t, program_eval(session, t->probe), asked, &values);
        if (status != STATUS_PASS) return status;
        const gck_status taken = gck_session_take(session, values, asked, &error);
        free(values);
        if (taken != GCK_OK) return tell_error(t, &error);
    }
    return STATUS_PASS;
}

static int probe_here(const struct trial *t, struct blob **ret_result)
{
    gck_session *session;
    gck_session_result *result;
    gck_error error;
    if (gck_session_new(&t->probe->core, &session, &error) != GCK_OK) return tell_error(t, &error);
    int status = rounds(t, session);
    if (status == STATUS_PASS && gck_session_result_new(session, &result, &error) != GCK_OK) {
        status = tell_error(t, &error);
    } else if (status == STATUS_PASS) {
        *ret_result = codec_probe_result(result, t->probe->core.dtype);
        gck_session_result_free(result);
        if (*ret_result == NULL) status = say_memory();
    }
    gck_session_free(session);
    return status;
}

/* ---- by a server ---- */

static struct blob *round_body(size_t round, const double *values, size_t count)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "round", write_count(&w, round));
    write_member(&w, object, "values", write_numbers(&w, values, 1, &count));
    return write_blob(&w, object);
}

/* The points that the server asks for, as they came. */
static struct blob *points_line(const struct blob *ask)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "op", write_text(&w, "eval"));
    const struct member_text points = {"points", ask};
    return write_spliced(&w, object, &points, 1);
}

/* Takes the body. */
static int post(const struct trial *t, const char *path, struct blob *body, struct answer *ret)
{
    if (body == NULL) return say_memory();
    const int status = remote_ask(t->remote, "POST", path, body, ret);
    blob_unref(body);
    if (status != STATUS_PASS || ret->status < 300) return status;
    const int told = answer_problem(t->settings, ret, t->settings->operand[0]);
    answer_done(ret);
    return told;
}

/* What a server asks for; there is one document at a time, and values come in another. */
struct asked {
    char path[128]; /* that values go to */
    size_t round, count;
};

static bool read_asked(const struct trial *t, const struct answer *answer, struct asked *ret)
{
    struct document *document = answer_decode(t->settings, answer->body);
    if (document == NULL) return false;
    const struct value *root = document_root(document);
    snprintf(ret->path, sizeof ret->path, "/v1/probes/%.40s/values", field_text(root, "id"));
    ret->round = field_count(root, "round");
    ret->count = field_length(field_node(root, "ask"));
    document_free(document);
    return true;
}

/* One round: what the answer asks for is evaluated, and sent; the answer becomes the next one. */
static int round_there(const struct trial *t, struct answer *answer)
{
    struct asked asked;
    double *values;
    if (!read_asked(t, answer, &asked)) return STATUS_SERVER;
    struct blob *points = answer_member(answer->body, "ask");
    int status = evaluate(t, points_line(points), asked.count, &values);
    blob_unref(points);
    if (status != STATUS_PASS) return status;
    answer_done(answer);
    status = post(t, asked.path, round_body(asked.round, values, asked.count), answer);
    free(values);
    return status;
}

static int probe_there(const struct trial *t, struct blob **ret_result)
{
    struct answer answer = {0};
    int status = post(t, "/v1/probes", codec_probe_body(t->probe), &answer);
    while (status == STATUS_PASS && (*ret_result = answer_member(answer.body, "result")) == NULL)
        status = round_there(t, &answer);
    answer_done(&answer);
    return status;
}

/* ---- cases ---- */

static int show(const struct trial *t, struct blob *result)
{
    struct answer answer = {200, result};
    if (!t->settings->json && t->sweep->name[0] != '\0')
        print_line("%s = %ld, seed %llu", t->sweep->name, t->number, (unsigned long long)t->seed);
    return service_conclude(t->settings, &answer, t->settings->operand[0], show_probe,
                            service_judge);
}

static int run_case(struct trial *t)
{
    struct blob *result = NULL;
    t->probe = NULL;
    int status = start_twice(t);
    if (status == STATUS_PASS)
        status = t->remote == NULL ? probe_here(t, &result) : probe_there(t, &result);
    probe_free(t->probe);
    return status == STATUS_PASS ? show(t, result) : status;
}

/* A gradient that is wrong in one case does not keep the others from being tried. */
static int run_cases(struct trial *t)
{
    int worst = STATUS_PASS;
    for (t->number = t->sweep->first; t->number <= t->sweep->last; t->number++)
        for (int64_t i = 0; i < t->settings->repeat; i++) {
            t->seed = (uint64_t)(t->settings->seed + i);
            const int status = run_case(t);
            if (status > STATUS_FAIL) return status;
            if (status > worst) worst = status;
        }
    return worst;
}

/* "n=1..17" */
static bool read_sweep(const char *text, struct sweep *ret)
{
    int length = 0, end = 0;
    *ret = (struct sweep){0};
    if (text == NULL) return true;
    if (sscanf(text, "%63[A-Za-z0-9_]%n=%ld..%ld%n", ret->name, &length, &ret->first, &ret->last,
               &end) == 3 &&
        text[end] == '\0' && ret->first >= 0 && ret->first <= ret->last &&
        ret->last - ret->first < CASES_MAX)
        return true;
    return say(false, "--sweep must be NAME=FIRST..LAST, of at most %d numbers, got '%s'",
               CASES_MAX, text);
}

int run_probe(const struct settings *settings)
{
    struct sweep sweep;
    struct trial trial = {.settings = settings, .sweep = &sweep};
    if (!read_sweep(settings->sweep, &sweep)) return STATUS_USAGE;
    int status = STATUS_PASS;
    if (!settings_are_local(settings))
        status = remote_open(settings, &trial.remote);
    else if (!numerics_begin() || !numerics_finish())
        status = STATUS_SERVER;
    if (status != STATUS_PASS) return status;
    settings->operand[settings->operand_count] = NULL; /* their array ends so, or is longer */
    trial.program = program_open(settings->operand);
    status = trial.program == NULL ? STATUS_USAGE : run_cases(&trial);
    program_close(trial.program);
    remote_close(trial.remote);
    return status;
}
