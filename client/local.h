/* Questions answered in this process, by the same JSON as the daemon's answers. One at a time, of
 * one thread. Costs what the work does; starting the numeric library some milliseconds beside. */
#ifndef GRADCHECK_LOCAL_H
#define GRADCHECK_LOCAL_H

#include "client/answer.h"
#include "server/record.h"

/* All return an exit status, and with STATUS_PASS the answer, which may be a problem. */

/* The result of a check or training whose request is the body. */
int local_run(const struct settings *settings, enum job_kind kind, struct blob *body,
              struct answer *ret);
int local_summary(const struct settings *settings, const struct blob *body, struct answer *ret);
int local_comparison(const struct settings *settings, const struct blob *body, struct answer *ret);
int local_catalog(struct answer *ret);

#endif
