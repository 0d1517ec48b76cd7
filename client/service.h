/* Where a command's work is done, here or by a server, and what its answer makes of the command.
 * One thread. */
#ifndef GRADCHECK_SERVICE_H
#define GRADCHECK_SERVICE_H

#include "client/answer.h"
#include "server/record.h"

enum question { QUESTION_SUMMARY, QUESTION_CATALOG, QUESTION_COMPARISON };

/* An exit status, after a message unless it is STATUS_PASS: then there is an answer, which may be a
 * problem. */
int service_run(const struct settings *settings, enum job_kind kind, struct blob *body,
                struct answer *ret);
/* body NULL: none is needed. */
int service_ask(const struct settings *settings, enum question question, const struct blob *body,
                struct answer *ret);

/* Prints an answer, or tells its problem with `source`; frees it. The exit status is what `judge`
 * says of the answer; NULL: STATUS_PASS. */
typedef void show_function(const struct value *root);
typedef int judge_function(const struct settings *settings, const struct value *root);
int service_conclude(const struct settings *settings, struct answer *answer, const char *source,
                     show_function *show, judge_function *judge);

/* What a result stands for: its verdict, or those of a training's checks. */
judge_function service_judge;

#endif
