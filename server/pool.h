/* The request pool: threads that may block for a parse, a store or a computation, so that those of
 * the HTTP library need not. Tasks run in the order they came. Any thread may push. */
#ifndef GRADCHECKD_POOL_H
#define GRADCHECKD_POOL_H

#include <stddef.h>

struct task {
    void (*run)(struct task *task);
    struct task *next;
};

struct pool;

struct pool *pool_start(size_t threads);
void pool_push(struct pool *pool, struct task *task);
/* Runs what is left, then ends the threads. Nobody else may still be pushing. */
void pool_stop(struct pool *pool);

#endif
