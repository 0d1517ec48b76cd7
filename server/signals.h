/* Signals, as the main thread waits for them. A handler and a pipe rather than a blocked mask: the
 * BLAS library's own threads, older than main(), take signals, too. */
#ifndef GRADCHECKD_SIGNALS_H
#define GRADCHECKD_SIGNALS_H

#include <stdbool.h>

/* From here on a write beyond the limit of file sizes is a fault (EFBIG), not the end. */
void signals_limit_files(void);
/* From here on SIGHUP, SIGTERM and SIGINT wait for signals_await, and SIGPIPE is ignored. After
 * SIGTERM or SIGINT the next one of them ends the process at once. */
bool signals_start(void);
/* The number of a signal that has come; SIGHUP once for all that came since it was last told. */
int signals_await(void);

#endif
