/* Commands as a user types them. */
#ifndef TESTS_SYSTEM_SHELL_H
#define TESTS_SYSTEM_SHELL_H

#include <stddef.h>

/* Runs a command of the shell; its exit status (-1: a signal), and what it wrote. */
int shell_run(const char *command, char *output, size_t size);
/* A Python that has the module, or NULL. */
const char *python_with(const char *module);

#endif
