#include "client/settings.h"
#include "client/say.h"
#include "server/clock.h"

#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(struct settings, member)

enum { DEPTH_MAX = 32, THREADS_MAX = 64 };

static const struct option rows[SETTINGS] = {
    [SETTING_SERVER] = {"--server", "GRADCHECK_SERVER", OPTION_TEXT, AT(server), NULL, 0, 0, 0,
                        "URL", "where gradcheckd is: http://HOST:PORT, https://… or unix:PATH"},
    [SETTING_LOCAL] = {"--local", NULL, OPTION_SWITCH, AT(local), NULL, 0, 0, 0, NULL,
                       "work in this process, whatever the environment says of a server"},
    [SETTING_TOKEN_FILE] = {"--token-file", "GRADCHECK_TOKEN_FILE", OPTION_TEXT, AT(token_file),
                            NULL, 0, 0, 0, "FILE",
                            "holds the token for the server; without it GRADCHECK_TOKEN has it"},
    [SETTING_CA_FILE] = {"--ca-file", "GRADCHECK_CA_FILE", OPTION_TEXT, AT(ca_file), NULL, 0, 0, 0,
                         "FILE", "certificates (PEM) to trust in place of the system's"},
    [SETTING_TIMEOUT] = {"--timeout", NULL, OPTION_NUMBER, AT(timeout_seconds), "none", 0, 1,
                         31536000, "SECONDS", "for the whole command; then exit status 4"},
    [SETTING_JSON] = {"--json", NULL, OPTION_SWITCH, AT(json), NULL, 0, 0, 0, NULL,
                      "the result as JSON, and nothing else on standard output"},
    [SETTING_ALLOW_INCONCLUSIVE] = {"--allow-inconclusive", NULL, OPTION_SWITCH,
                                    AT(allow_inconclusive), NULL, 0, 0, 0, NULL,
                                    "exit status 0 for what is inconclusive, too"},
    [SETTING_MAP] = {"--map", NULL, OPTION_LIST, AT(map), NULL, 0, 0, 0, "NAME=NAME[:T]",
                     "a tensor of A is that of B, or with :T its transpose"},
    [SETTING_DTYPE] = {"--dtype", NULL, OPTION_WORD, AT(dtype), "float64", 0, 0, 0,
                       "float64|float32|float16|bfloat16", "what A was computed in"},
    [SETTING_TOLERANCE] = {"--tolerance", NULL, OPTION_TEXT, AT(tolerance), NULL, 0, 0, 0, "NUMBER",
                           "relative, from 0 to 1; without it the dtype's own"},
    [SETTING_STATE] = {"--state", NULL, OPTION_TEXT, AT(state), NULL, 0, 0, 0, "STATE[,STATE]...",
                       "queued, running, succeeded, failed, cancelled"},
    [SETTING_KIND] = {"--kind", NULL, OPTION_TEXT, AT(kind), NULL, 0, 0, 0, "KIND[,KIND]...",
                      "gradient-check, training, probe"},
    [SETTING_LABEL] = {"--label", NULL, OPTION_LIST, AT(label), NULL, 0, 0, 0, "NAME=VALUE",
                       "that the jobs have"},
    [SETTING_LIMIT] = {"--limit", NULL, OPTION_NUMBER, AT(limit), NULL, 20, 1, 500, "JOBS",
                       "to list, the newest first"},
    [SETTING_SWEEP] = {"--sweep", NULL, OPTION_TEXT, AT(sweep), NULL, 0, 0, 0, "NAME=FIRST..LAST",
                       "a case for each of these numbers, which the program is told"},
    [SETTING_REPEAT] = {"--repeat", NULL, OPTION_NUMBER, AT(repeat), NULL, 1, 1, 10000, "SEEDS",
                        "for each case, one after the other"},
    [SETTING_SEED] = {"--seed", NULL, OPTION_NUMBER, AT(seed), NULL, 1, 0, 1000000000, "NUMBER",
                      "the first one, which the program is told"},
    [SETTING_BUDGET] = {"--budget", NULL, OPTION_NUMBER, AT(budget), "1000", 0, 9, 1000000,
                        "EVALUATIONS", "of a case, at most"},
    [SETTING_JUNIT] = {"--junit", NULL, OPTION_TEXT, AT(junit), NULL, 0, 0, 0, "FILE",
                       "to write JUnit's XML to: a suite a file, a case a tensor"},
    [SETTING_BASELINE] = {"--baseline", NULL, OPTION_TEXT, AT(baseline), NULL, 0, 0, 0, "FILE",
                          "of earlier distances: one that has grown tenfold fails"},
    [SETTING_UPDATE_BASELINE] = {"--update-baseline", NULL, OPTION_SWITCH, AT(update_baseline),
                                 NULL, 0, 0, 0, NULL, "write the baseline in place of reading it"},
    [SETTING_REPORT_TO] = {"--report-to", "GRADCHECK_REPORT_TO", OPTION_TEXT, AT(report_to), NULL,
                           0, 0, 0, "URL",
                           "a server that gets the checks as jobs, too; never changes the exit "
                           "status"},
};

const struct options settings_options = {"gradcheck", rows, SETTINGS};

bool settings_start(struct settings *settings)
{
    *settings = (struct settings){0};
    return option_start(&settings_options, settings);
}

/* One process for one user: as much memory as the machine has, and a thread a processor. */
static void complete_limits(struct limits *limits)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES);
    const size_t bytes = pages > 0 ? (size_t)pages * (size_t)sysconf(_SC_PAGESIZE) : SIZE_MAX;
    *limits = (struct limits){.body_bytes = SIZE_MAX,
                              .json_bytes = bytes,
                              .json_depth = DEPTH_MAX,
                              .job_bytes = bytes,
                              .workers = processors > 0 ? (size_t)processors : 1};
    if (limits->workers > THREADS_MAX) limits->workers = THREADS_MAX;
}

bool settings_complete(struct settings *settings)
{
    const int64_t second_ns = 1000000000;
    if (settings->server != NULL && settings->server[0] == '\0') settings->server = NULL;
    if (settings->token_file != NULL && settings->token_file[0] == '\0')
        settings->token_file = NULL;
    settings->deadline_ns = settings->timeout_seconds == 0
                                ? INT64_MAX
                                : clock_monotonic_ns() + settings->timeout_seconds * second_ns;
    complete_limits(&settings->limits);
    return true;
}

bool settings_are_local(const struct settings *settings)
{
    return settings->local || settings->server == NULL;
}
