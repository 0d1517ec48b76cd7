/* What the program does instead of serving: `gradcheckd WORD…`. Rows of one table, each with its
 * name, usage and help. Called from main alone, before any thread is started; messages go to
 * standard error. */
#ifndef GRADCHECKD_COMMAND_H
#define GRADCHECKD_COMMAND_H

#include "server/config.h"

enum { EXIT_USAGE = 2 };

/* Runs what the arguments, of which the first is the program, ask for. The exit status: 0, 1 when
 * it failed, EXIT_USAGE after wrong arguments. */
int command_run(int count, char **arguments);
/* One line a command, to standard output. */
void command_list(void);

/* ---- for the commands ---- */

enum command_option { COMMAND_ADMIN, COMMAND_READ_ONLY, COMMAND_EXPIRES, COMMAND_OPTIONS };

/* What the command was given, beside the options that it shares with the daemon. */
struct command_line {
    struct config config;
    const char *operand;                 /* NULL for a command that takes none */
    const char *option[COMMAND_OPTIONS]; /* NULL: not given; "" where there is no value */
};

typedef int command_handler(const struct command_line *line);

/* A message on standard error; returns the exit status. */
int command_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* command_token.c */
command_handler command_token_add, command_token_list, command_token_revoke;

#endif
