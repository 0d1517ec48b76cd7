/* Logs: one line of logfmt an event, to standard error. Any thread. */
#ifndef GRADCHECKD_LOG_H
#define GRADCHECKD_LOG_H

enum { LOG_QUOTED_SIZE = 256 };

/* level=info event=… and what format adds ("key=value key=value"). Values from users go through
 * log_quote. */
void log_info(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* In double quotes, with quotes, backslashes and bytes outside of printable ASCII escaped; cut
 * where it is too long. */
const char *log_quote(const char *value, char text[LOG_QUOTED_SIZE]);

#endif
