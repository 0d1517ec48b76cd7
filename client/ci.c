/* ci: files of checks, comparisons and probes, several at once, and what CI systems want to know of
 * them. */
#include "client/ci.h"
#include "client/commands.h"
#include "client/remote.h"
#include "client/say.h"
#include "client/terminal.h"
#include "server/clock.h"

#include <math.h>
#include <stdlib.h>

/* For all that is reported. */
#define REPORT_NS INT64_C(30000000000)

/* ---- work ---- */

static int run_all(const struct settings *settings, struct ci_suite *suite, size_t count)
{
    struct run *run = calloc(count + 1, sizeof *run);
    size_t planned = 0;
    if (run == NULL) return say_memory();
    for (size_t i = 0; i < count; i++)
        if (suite[i].words != NULL) run[planned++] = suite[i].run;
    const int status = batch_run(run, planned, settings->limits.workers);
    planned = 0;
    for (size_t i = 0; i < count; i++)
        if (suite[i].words != NULL) suite[i].run = run[planned++];
    free(run);
    for (size_t i = 0; status == STATUS_PASS && i < count; i++)
        if (suite[i].words != NULL && !suite_read(settings, &suite[i])) return say_memory();
    return status;
}

/* The same requests as jobs of a shared server, which nobody waits for. What goes wrong is told,
 * and changes nothing. */
static void report(const struct settings *settings, const struct ci_suite *suite, size_t count)
{
    struct settings there = *settings;
    struct remote *remote;
    there.deadline_ns = clock_monotonic_ns() + REPORT_NS;
    there.server = settings->report_to;
    there.local = false;
    if (settings->report_to == NULL || remote_open(&there, &remote) != STATUS_PASS) return;
    for (size_t i = 0; i < count; i++) {
        struct answer answer = {0};
        if (suite[i].kind != CI_CHECK) continue;
        const int status =
            remote_ask(remote, "POST", "/v1/gradient-checks", suite[i].body, &answer);
        if (status == STATUS_PASS && answer.status >= 300)
            answer_problem(&there, &answer, suite[i].file);
        answer_done(&answer);
        if (status != STATUS_PASS) break;
    }
    remote_close(remote);
}

/* ---- what is told ---- */

static void show_suite(const struct ci_suite *suite)
{
    const enum ci_outcome outcome = suite_outcome(suite);
    if (outcome == CI_ERROR)
        print_line("error  %s", suite->file);
    else
        print_line("%s  %s (%zu gradient%s, %.3g s)", ci_outcome_name(outcome), suite->file,
                   suite->count, suite->count == 1 ? "" : "s", suite->run.seconds);
    for (size_t i = 0; i < suite->count; i++) {
        const struct ci_case *item = &suite->item[i];
        if (item->outcome != CI_PASS || item->regressed)
            print_line("%s: %s: %s", item->regressed ? "warning" : ci_outcome_name(item->outcome),
                       item->name, item->text);
    }
}

static bool write_all(const struct settings *settings, struct ci_suite *suite, size_t count)
{
    if (settings->baseline != NULL && !settings->update_baseline &&
        !baseline_read(settings, settings->baseline, suite, count))
        return false;
    for (size_t i = 0; i < count; i++)
        show_suite(&suite[i]);
    if (settings->update_baseline && !baseline_write(settings->baseline, suite, count))
        return false;
    return (settings->junit == NULL || junit_write(settings->junit, suite, count)) &&
           github_write(suite, count);
}

/* 2 for a file that came to no result, else 1 for a gradient that is wrong or has got worse. */
static int judge(const struct settings *settings, const struct ci_suite *suite, size_t count)
{
    int status = STATUS_PASS;
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < suite[s].count; i++) {
            const struct ci_case *item = &suite[s].item[i];
            const bool excused = item->outcome == CI_INCONCLUSIVE && settings->allow_inconclusive;
            const int own = item->outcome == CI_ERROR ? STATUS_USAGE
                            : (item->outcome != CI_PASS && !excused) || item->regressed
                                ? STATUS_FAIL
                                : STATUS_PASS;
            if (own > status) status = own;
        }
    return status;
}

int run_ci(const struct settings *settings)
{
    const size_t count = (size_t)settings->operand_count;
    int status = STATUS_PASS;
    if (settings->update_baseline && settings->baseline == NULL)
        return say(STATUS_USAGE, "--update-baseline needs --baseline FILE");
    struct ci_suite *suite = calloc(count, sizeof *suite);
    if (suite == NULL) return say_memory();
    for (size_t i = 0; status == STATUS_PASS && i < count; i++)
        if (!suite_open(settings, settings->operand[i], &suite[i])) status = say_memory();
    if (status == STATUS_PASS) status = run_all(settings, suite, count);
    if (status == STATUS_PASS)
        status = write_all(settings, suite, count) ? judge(settings, suite, count) : STATUS_USAGE;
    if (status <= STATUS_USAGE) report(settings, suite, count);
    for (size_t i = 0; i < count; i++)
        suite_done(&suite[i]);
    free(suite);
    return status;
}
