#include "server/command.h"
#include "server/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 64 };

struct command {
    const char *name;    /* one word or two */
    const char *operand; /* what it needs; NULL: nothing */
    const char *usage, *help;
    command_handler *run;
    unsigned options; /* bits of 1 << enum command_option */
};

static command_handler backup;

static const struct command commands[] = {
    {"token add", "NAME", " [--admin | --read-only] [--expires AGE]",
     "makes a token and prints it; AGE is such as 30m, 12h, 90d, 2w, 1y", command_token_add,
     1u << COMMAND_ADMIN | 1u << COMMAND_READ_ONLY | 1u << COMMAND_EXPIRES},
    {"token list", NULL, "", "lists all tokens: whose, until when, last used", command_token_list,
     0},
    {"token revoke", "NAME", "", "ends a token", command_token_revoke, 0},
    {"backup", "FILE", "", "copies the jobs to a new file, beside a running daemon, too", backup,
     0},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct {
    const char *flag;
    bool value;
} options[COMMAND_OPTIONS] = {[COMMAND_ADMIN] = {"--admin", false},
                              [COMMAND_READ_ONLY] = {"--read-only", false},
                              [COMMAND_EXPIRES] = {"--expires", true}};

/* The daemon's options that commands take, too. */
static const char shared_usage[] = "[--data-dir DIR] [--store URL]";
static const char *const shared[] = {"--data-dir", "--store"};

int command_fail(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "gradcheckd: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    return status;
}

static void print_usage(FILE *file, const struct command *command)
{
    const char *operand = command->operand;
    fprintf(file, "  gradcheckd %s%s%s%s %s\n      %s\n", command->name, operand == NULL ? "" : " ",
            operand == NULL ? "" : operand, command->usage, shared_usage, command->help);
}

static void print_all(FILE *file)
{
    for (int i = 0; i < COMMANDS; i++)
        print_usage(file, &commands[i]);
}

void command_list(void)
{
    printf("\ncommands:\n");
    print_all(stdout);
}

/* ---- arguments ---- */

/* How many arguments the name takes, if it is this one. */
static int name_words(const char *name, int count, char **arguments)
{
    const char *space = strchr(name, ' ');
    const size_t length = space == NULL ? strlen(name) : (size_t)(space - name);
    if (count < 1 || strlen(arguments[0]) != length || memcmp(arguments[0], name, length) != 0)
        return 0;
    if (space == NULL) return 1;
    return count > 1 && strcmp(arguments[1], space + 1) == 0 ? 2 : 0;
}

/* Whether the argument is this flag, alone or with "=VALUE". */
static bool is_flag(const char *argument, const char *flag)
{
    const size_t length = strlen(flag);
    return strncmp(argument, flag, length) == 0 &&
           (argument[length] == '\0' || argument[length] == '=');
}

static bool is_shared(const char *argument)
{
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
        if (is_flag(argument, shared[i])) return true;
    return false;
}

/* The argument's option, if the command has it; else COMMAND_OPTIONS. */
static enum command_option option_find(const struct command *command, const char *argument)
{
    for (enum command_option i = 0; i < COMMAND_OPTIONS; i++)
        if ((command->options & 1u << i) != 0 && is_flag(argument, options[i].flag)) return i;
    return COMMAND_OPTIONS;
}

/* Its value stands behind `=`, or is the next argument. */
static int take_option(struct command_line *line, enum command_option option, int count,
                       char **arguments, int *index)
{
    const char *flag = options[option].flag, *equals = strchr(arguments[*index], '=');
    line->option[option] = "";
    if (!options[option].value && equals == NULL) return EXIT_SUCCESS;
    if (!options[option].value) return command_fail(EXIT_USAGE, "%s takes no value", flag);
    if (equals == NULL && (*index + 1 >= count || strncmp(arguments[*index + 1], "--", 2) == 0))
        return command_fail(EXIT_USAGE, "%s needs a value", flag);
    line->option[option] = equals != NULL ? equals + 1 : arguments[++*index];
    return EXIT_SUCCESS;
}

/* The rest is the command's operand, or wrong. */
static int take_operand(const struct command *command, struct command_line *line,
                        const char *argument)
{
    if (argument[0] == '-')
        return command_fail(EXIT_USAGE, "%s has no option '%s'", command->name, argument);
    if (command->operand == NULL || line->operand != NULL)
        return command_fail(EXIT_USAGE, "%s: '%s' is too much", command->name, argument);
    line->operand = argument;
    return EXIT_SUCCESS;
}

/* The options of the daemon are left to its own reader. */
static int read_line(const struct command *command, int count, char **arguments,
                     struct command_line *line)
{
    char *config[ARGUMENTS_MAX + 1] = {NULL};
    int config_count = 1, status = EXIT_SUCCESS;
    *line = (struct command_line){0};
    for (int i = 0; i < count && status == EXIT_SUCCESS; i++) {
        const enum command_option option = option_find(command, arguments[i]);
        if (is_shared(arguments[i])) {
            const bool joined = strchr(arguments[i], '=') != NULL;
            config[config_count++] = arguments[i];
            if (!joined && i + 1 < count) config[config_count++] = arguments[++i];
        } else if (option != COMMAND_OPTIONS) {
            status = take_option(line, option, count, arguments, &i);
        } else {
            status = take_operand(command, line, arguments[i]);
        }
    }
    if (status != EXIT_SUCCESS) return status;
    if (command->operand != NULL && line->operand == NULL)
        return command_fail(EXIT_USAGE, "%s needs a %s", command->name, command->operand);
    return config_read(&line->config, config_count, config) == CONFIG_RUN ? EXIT_SUCCESS
                                                                          : EXIT_USAGE;
}

static int run(const struct command *command, int count, char **arguments)
{
    struct command_line line;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--help") != 0) continue;
        printf("usage:\n");
        print_usage(stdout, command);
        return EXIT_SUCCESS;
    }
    int status = count > ARGUMENTS_MAX ? command_fail(EXIT_USAGE, "too many arguments")
                                       : read_line(command, count, arguments, &line);
    if (status == EXIT_SUCCESS && !store_is_known(line.config.store)) status = EXIT_USAGE;
    if (status == EXIT_SUCCESS) return command->run(&line);
    fprintf(stderr, "usage:\n");
    print_usage(stderr, command);
    return status;
}

/* `WORD --help`, where several commands begin with the word. */
static bool print_group(const char *word)
{
    const size_t length = strlen(word);
    bool found = false;
    for (int i = 0; i < COMMANDS; i++) {
        if (strncmp(commands[i].name, word, length) != 0 || commands[i].name[length] != ' ')
            continue;
        if (!found) printf("usage:\n");
        print_usage(stdout, &commands[i]);
        found = true;
    }
    return found;
}

int command_run(int count, char **arguments)
{
    for (int i = 0; i < COMMANDS; i++) {
        const int words = name_words(commands[i].name, count - 1, arguments + 1);
        if (words > 0) return run(&commands[i], count - 1 - words, arguments + 1 + words);
    }
    if (count > 2 && strcmp(arguments[2], "--help") == 0 && print_group(arguments[1]))
        return EXIT_SUCCESS;
    command_fail(EXIT_USAGE, "there is no command '%s%s%s'", arguments[1], count > 2 ? " " : "",
                 count > 2 ? arguments[2] : "");
    fprintf(stderr, "usage:\n  gradcheckd [OPTION VALUE]...\n      serves; --help lists options\n");
    print_all(stderr);
    return EXIT_USAGE;
}

/* ---- backup ---- */

static int backup(const struct command_line *line)
{
    if (strcmp(line->config.store, "sqlite:") != 0)
        return command_fail(EXIT_USAGE, "a store in memory has nothing to copy");
    return store_sqlite_backup(line->config.data_dir, line->operand) ? EXIT_SUCCESS : EXIT_FAILURE;
}
