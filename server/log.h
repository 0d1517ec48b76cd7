/* Logs: one line of logfmt an event, to standard error. Any thread.
 *
 * Between log_open and log_close a thread writes them, out of a ring of 1 MiB: who logs never waits
 * for who reads. While the ring is full lines are dropped; "event=log dropped=N" stands where they
 * would. Without log_open each line is written before the call returns. */
#ifndef GRADCHECKD_LOG_H
#define GRADCHECKD_LOG_H

#include <stdbool.h>

enum { LOG_QUOTED_SIZE = 256 };

/* Starts the thread, once in a process; false where there can be none. */
bool log_open(void);
/* Waits until all is written, for a second at most; nothing without log_open. Where that was not
 * enough, what is logged from then on is lost. */
void log_close(void);

/* level=info event=… and what format adds ("key=value key=value"). Values from users go through
 * log_quote. */
void log_info(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* In double quotes, with quotes, backslashes and bytes outside of printable ASCII escaped; cut
 * where it is too long. */
const char *log_quote(const char *value, char text[LOG_QUOTED_SIZE]);

#endif
