/* What a command was told: options over the environment over defaults, and its operands. Constant
 * once read. */
#ifndef GRADCHECK_SETTINGS_H
#define GRADCHECK_SETTINGS_H

#include "server/config.h"
#include "server/option.h"

/* Rows of the table of options, which a command names by bits of 1 << enum setting. */
enum setting {
    SETTING_SERVER,
    SETTING_LOCAL,
    SETTING_TOKEN_FILE,
    SETTING_CA_FILE,
    SETTING_TIMEOUT,
    SETTING_JSON,
    SETTING_ALLOW_INCONCLUSIVE,
    SETTING_MAP,
    SETTING_DTYPE,
    SETTING_TOLERANCE,
    SETTING_STATE,
    SETTING_KIND,
    SETTING_LABEL,
    SETTING_LIMIT,
    SETTING_SWEEP,
    SETTING_REPEAT,
    SETTING_SEED,
    SETTING_BUDGET,
    SETTING_JUNIT,
    SETTING_BASELINE,
    SETTING_UPDATE_BASELINE,
    SETTING_REPORT_TO,
    SETTINGS
};

struct settings {
    const char *server; /* NULL: none is named */
    bool local, json, allow_inconclusive;
    const char *token_file, *ca_file;
    int64_t timeout_seconds;
    int64_t deadline_ns; /* of the monotonic clock; INT64_MAX without one */
    struct option_list map, label;
    const char *dtype, *tolerance;
    const char *state, *kind;
    int64_t limit;
    const char *sweep;
    int64_t repeat, seed, budget;
    const char *junit, *baseline, *report_to;
    bool update_baseline;
    int operand_count;
    char **operand;

    struct limits limits; /* of what is decoded and computed here */
};

extern const struct options settings_options;

/* Defaults and environment; false after a message. */
bool settings_start(struct settings *settings);
/* What follows from what was read. False after a message. */
bool settings_complete(struct settings *settings);

/* Whether the work is done in this process. */
bool settings_are_local(const struct settings *settings);

#endif
