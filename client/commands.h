/* The commands: rows of one table, each with its usage and its options. Called from main alone. */
#ifndef GRADCHECK_COMMANDS_H
#define GRADCHECK_COMMANDS_H

#include "client/settings.h"

/* Runs what the arguments, of which the first is the program, ask for; the exit status. */
int commands_run(int count, char **arguments);

/* ---- for the commands: each returns its exit status ---- */

typedef int command_function(const struct settings *settings);

command_function run_check, run_train, run_summary, run_catalog; /* run.c */
command_function run_ci;                                         /* ci.c */
command_function run_probe;                                      /* probe.c */
command_function run_diff;                                       /* diff.c */
command_function run_jobs, run_show, run_watch, run_cancel;      /* jobs.c */

#endif
