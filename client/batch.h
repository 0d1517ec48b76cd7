/* Runs of this program with other arguments, several at once. One thread. */
#ifndef GRADCHECK_BATCH_H
#define GRADCHECK_BATCH_H

#include "server/buf.h"

#include <stdint.h>
#include <sys/types.h>

enum { BATCH_ARGUMENTS = 64 };

struct run {
    const char *argument[BATCH_ARGUMENTS]; /* behind the program's name; ends with NULL. Borrowed */
    struct buf out, err;                   /* what it wrote; freed by run_done */
    int status;                            /* its exit status, 128 and the signal that ended it */
    double seconds;
    /* The batch's: */
    pid_t pid;
    int out_fd, err_fd;
    int64_t started_ns;
};

/* All of them, so many at once, in order. An exit status: not STATUS_PASS when it was interrupted,
 * or nothing could be started; then those at work were ended. */
int batch_run(struct run *run, size_t count, size_t at_once);
void run_done(struct run *run);

#endif
