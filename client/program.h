/* A program of the user's on the other end of two pipes: a line of JSON to it, a line back. Its
 * standard error is ours. One thread.
 *
 * No answer is waited for beyond its time, and none is read beyond a limit; a program that has
 * ended, or is stuck, is killed at the end. */
#ifndef GRADCHECK_PROGRAM_H
#define GRADCHECK_PROGRAM_H

#include "server/blob.h"

#include <stdint.h>

struct program;

/* NULL after a message. argv ends with NULL. */
struct program *program_open(char *const *argv);
/* Ends it: its standard input is closed, and what does not end by itself within a second is killed.
 */
void program_close(struct program *program);

/* Sends a line and waits for the answer's, which is without its line's end. Returns an exit status,
 * after a message unless it is STATUS_PASS; `what` is asked for, and named in messages. */
int program_ask(struct program *program, const struct blob *line, const char *what,
                int64_t deadline_ns, size_t most, struct blob **ret_answer);

#endif
