/* check, train, summary: a spec to its result; and catalog, which needs none. */
#include "client/commands.h"
#include "client/file.h"
#include "client/interrupt.h"
#include "client/say.h"
#include "client/service.h"
#include "client/show.h"

#include <string.h>

/* The spec at the first operand; NULL after a message, *ret_status then being the exit status. */
static struct blob *read_spec(const struct settings *settings, int *ret_status)
{
    struct blob *spec = file_read(settings->operand[0]);
    *ret_status = interrupt_asked() ? STATUS_INTERRUPTED : STATUS_USAGE;
    return spec;
}

/* How messages call it. */
static const char *source_of(const struct settings *settings)
{
    return strcmp(settings->operand[0], "-") == 0 ? "standard input" : settings->operand[0];
}

static int run(const struct settings *settings, enum job_kind kind, show_function *show)
{
    struct answer answer = {0};
    int status;
    struct blob *spec = read_spec(settings, &status);
    if (spec == NULL) return status;
    status = service_run(settings, kind, spec, &answer);
    blob_unref(spec);
    return status == STATUS_PASS
               ? service_conclude(settings, &answer, source_of(settings), show, service_judge)
               : status;
}

int run_check(const struct settings *settings)
{
    return run(settings, JOB_CHECK, show_check);
}

int run_train(const struct settings *settings)
{
    return run(settings, JOB_TRAINING, show_training);
}

int run_summary(const struct settings *settings)
{
    struct answer answer = {0};
    int status;
    struct blob *spec = read_spec(settings, &status);
    if (spec == NULL) return status;
    status = service_ask(settings, QUESTION_SUMMARY, spec, &answer);
    blob_unref(spec);
    return status == STATUS_PASS
               ? service_conclude(settings, &answer, source_of(settings), show_summary, NULL)
               : status;
}

int run_catalog(const struct settings *settings)
{
    struct answer answer = {0};
    const int status = service_ask(settings, QUESTION_CATALOG, NULL, &answer);
    return status == STATUS_PASS
               ? service_conclude(settings, &answer, "catalog", show_catalog, NULL)
               : status;
}
