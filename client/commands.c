#include "client/commands.h"
#include "client/say.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name, *operands, *summary;
    uint32_t options; /* bits of 1 << enum setting */
    int least, most;  /* operands */
    command_function *run;
    const char *more; /* lines below the summary; NULL: none */
};

#define BIT(setting) (1u << SETTING_##setting)

enum {
    OF_SERVER = BIT(SERVER) | BIT(TOKEN_FILE) | BIT(CA_FILE) | BIT(TIMEOUT) | BIT(JSON),
    OF_WORK = OF_SERVER | BIT(LOCAL),
    OF_VERDICT = BIT(ALLOW_INCONCLUSIVE)
};

static const struct command commands[] = {
    {"check", "SPEC", "check the gradients of a network", OF_WORK | OF_VERDICT, 1, 1, run_check,
     "SPEC is the JSON body of POST /v1/gradient-checks, a file or - for standard input.\n"},
    {"train", "SPEC", "train a network, with checks on the way", OF_WORK | OF_VERDICT, 1, 1,
     run_train,
     "SPEC is the JSON body of POST /v1/trainings, a file or - for standard input.\n"
     "Exit status 1 when one of its checks fails, or the cost stops being finite.\n"},
    {"diff", "A B", "compare two sets of gradients, without a network",
     OF_WORK | OF_VERDICT | BIT(MAP) | BIT(DTYPE) | BIT(TOLERANCE), 1, 2, run_diff,
     "A, which is judged by B, and B are files of JSON, {\"name\": nested numbers, ...}, or\n"
     "NumPy's .npz or .npy (whose one array is called array).\n"
     "One file alone is the JSON body of POST /v1/comparisons, which has both.\n"},
    {"probe", "-- PROGRAM [ARGUMENT]...", "check the gradients of a function that a program has",
     OF_WORK | OF_VERDICT | BIT(SWEEP) | BIT(REPEAT) | BIT(SEED) | BIT(BUDGET), 1, INT_MAX,
     run_probe,
     "PROGRAM evaluates its own function, as it is asked by lines of JSON on its standard input:\n"
     "docs/probe-protocol.md.\n"},
    {"ci", "FILE...", "run checks, comparisons and probes of files, here, several at once",
     OF_VERDICT | BIT(JUNIT) | BIT(BASELINE) | BIT(UPDATE_BASELINE) | BIT(REPORT_TO) |
         BIT(TOKEN_FILE) | BIT(CA_FILE),
     1, INT_MAX, run_ci,
     "FILE holds the JSON body of POST /v1/gradient-checks or of POST /v1/comparisons, or a "
     "probe:\n"
     "{\"program\": [\"python3\", \"layer.py\"], \"sweep\": \"n=1..17\", \"repeat\": 3}.\n"},
    {"summary", "SPEC", "show a network's layers, and what its check takes", OF_WORK, 1, 1,
     run_summary,
     "SPEC is the JSON body of POST /v1/models/summary, a file or - for standard input.\n"},
    {"catalog", "", "show activations, costs, layers, initializers, optimizers", OF_WORK, 0, 0,
     run_catalog, NULL},
    {"jobs", "", "list jobs of the server",
     OF_SERVER | BIT(STATE) | BIT(KIND) | BIT(LABEL) | BIT(LIMIT), 0, 0, run_jobs, NULL},
    {"show", "ID", "show a job and its result", OF_SERVER | OF_VERDICT, 1, 1, run_show,
     "The exit status is that of its result, and 0 for a job that has not ended.\n"},
    {"watch", "ID", "follow a job to its end, and show it", OF_SERVER | OF_VERDICT, 1, 1, run_watch,
     "Interrupted, it leaves the job alone.\n"},
    {"cancel", "ID", "cancel a job", OF_SERVER, 1, 1, run_cancel, NULL},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const char statuses[] =
    "exit status: 0 pass; 1 failed or inconclusive; 2 wrong arguments or spec;\n"
    "3 server, network or token; 4 time is up; 130 interrupted\n";

/* ---- help ---- */

static void print_help(void)
{
    printf(
        "usage: gradcheck COMMAND [OPTION]... [OPERAND]...\n\n"
        "Checks gradients, here or with a server (--server, GRADCHECK_SERVER).\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-8s %-6s %s\n", commands[i].name, commands[i].operands, commands[i].summary);
    printf("\n  gradcheck COMMAND --help\n  gradcheck --version\n\n%s", statuses);
}

static void print_command(const struct command *command)
{
    const char *space = command->operands[0] == '\0' ? "" : " ";
    printf("usage: gradcheck %s [OPTION]...%s%s\n\n%c%s.\n%s\n", command->name, space,
           command->operands, command->summary[0] - 'a' + 'A', command->summary + 1,
           command->more == NULL ? "" : command->more);
    for (int i = 0; i < SETTINGS; i++)
        if ((command->options & 1u << i) != 0) option_print(&settings_options.row[i]);
    printf("\n%s", statuses);
}

static int usage(const struct command *command)
{
    fprintf(stderr, "usage: gradcheck %s [OPTION]... %s\n", command->name, command->operands);
    fprintf(stderr, "       gradcheck %s --help\n", command->name);
    return STATUS_USAGE;
}

/* ---- arguments ---- */

/* The argument's option, if this command has it. */
static const struct option *find_option(const struct command *command, const char *argument)
{
    const struct option *row = option_find(&settings_options, argument);
    if (row == NULL || (command->options & 1u << (row - settings_options.row)) == 0) return NULL;
    return row;
}

static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1] != '\0';
}

/* Operands stand in any place; all behind `--` is operands. They are gathered in the arguments'
 * own array. */
static bool read_arguments(const struct command *command, int count, char **arguments,
                           struct settings *settings)
{
    settings->operand = arguments;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--") == 0) {
            while (++i < count)
                settings->operand[settings->operand_count++] = arguments[i];
        } else if (!is_option(arguments[i])) {
            settings->operand[settings->operand_count++] = arguments[i];
        } else {
            const struct option *row = find_option(command, arguments[i]);
            if (row == NULL)
                return say(false, "%s has no option '%s'", command->name, arguments[i]);
            if (!option_read(&settings_options, row, settings, count, arguments, &i)) return false;
        }
    }
    if (settings->operand_count < command->least)
        return say(false, "%s needs %s", command->name, command->operands);
    if (settings->operand_count > command->most)
        return say(false, "%s: '%s' is too much", command->name, settings->operand[command->most]);
    return true;
}

/* A command that is about a server's jobs has nothing to do without one. */
static bool has_server(const struct command *command, const struct settings *settings)
{
    if ((command->options & BIT(SERVER)) == 0 || (command->options & BIT(LOCAL)) != 0 ||
        settings->server != NULL)
        return true;
    return say(false, "%s needs a server: --server URL or GRADCHECK_SERVER", command->name);
}

static int run(const struct command *command, int count, char **arguments)
{
    struct settings settings;
    for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++) {
        if (strcmp(arguments[i], "--help") != 0) continue;
        print_command(command);
        return STATUS_PASS;
    }
    if (!settings_start(&settings) || !read_arguments(command, count, arguments, &settings) ||
        !settings_complete(&settings) || !has_server(command, &settings))
        return usage(command);
    return command->run(&settings);
}

int commands_run(int count, char **arguments)
{
    const char *name = count > 1 ? arguments[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        print_help();
        return STATUS_PASS;
    }
    if (strcmp(name, "--version") == 0) {
        printf("gradcheck %s\n", GCK_VERSION);
        return STATUS_PASS;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return run(&commands[i], count - 2, arguments + 2);
    if (count > 1)
        say(STATUS_USAGE, "there is no command '%s'; --help lists all", name);
    else
        fprintf(stderr,
                "usage: gradcheck COMMAND [OPTION]... [OPERAND]...\n"
                "       gradcheck --help\n");
    return STATUS_USAGE;
}
