/* SIGINT and SIGTERM: noted, so that work stops and a job is cancelled; a second one ends the
 * program at once. Start before any thread; the others from any thread. */
#ifndef GRADCHECK_INTERRUPT_H
#define GRADCHECK_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

bool interrupt_start(void);
bool interrupt_asked(void);
/* Readable from the first signal on, for poll(). */
int interrupt_fd(void);
/* Waits so long, or until a signal, which is true. */
bool interrupt_pause(int64_t ms);
/* The exit status: 128 and the signal, and a message. */
int interrupt_status(const char *what);

#endif
