/*
 * Runs of the command line, gradcheck: its files, its server, its exit status.
 */
#ifndef TESTS_SYSTEM_COMMANDS_H
#define TESTS_SYSTEM_COMMANDS_H

#include "client.h"

/* Takes away what the environment of the tests says of servers and tokens. For main. */
void commands_clean(void);

/* Writes a file into the folder of a service, which need not run; its absolute path. */
const char *text_file(const struct service *service, const char *name, const char *text);
/* Takes the value. */
const char *json_file(const struct service *service, const char *name, json_t *value);

/* Runs it to its end, and asserts the exit status. */
void command_expect(const char *options, int status, struct output *ret);
/* "--server http://127.0.0.1:PORT" */
const char *server_of(const struct service *service);

/* Asserts that a text holds another one, or does not. */
void text_expect(const char *text, const char *part);
void text_refuse(const char *text, const char *part);

#endif
