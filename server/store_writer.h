/* The queue before a store that commits many writes at once, and the thread that makes them; knows
 * nothing of what keeps them.
 *
 * All that is due goes into one transaction, in the order it was submitted, and with it what rides.
 * The writes of one job are never made in another order: what is held back goes when a later one of
 * its job goes. When a transaction fails, halves of it are tried, so that one that cannot be made
 * spoils no other; impatient writes are then refused, patient ones are tried again and again.
 *
 * Any thread; only the one that opened it closes it. `done` is called without a lock, by the
 * writer's thread or, when the writer is closed, by the submitter's. */
#ifndef GRADCHECKD_STORE_WRITER_H
#define GRADCHECKD_STORE_WRITER_H

#include "server/store.h"

struct store_writer_backend {
    void *context;
    /* Makes all in one transaction: with STORE_OK, statuses say what became of each; otherwise none
     * was made. On the writer's thread, as the others. */
    enum store_status (*commit)(void *context, struct store_write *const *writes, size_t count,
                                enum store_status *statuses);
    /* After the writes of a transaction were told. */
    void (*rest)(void *context);
    /* Why the last commit failed; for the log. */
    const char *(*fault)(void *context);
};

struct store_writer;

/* NULL when memory or threads are out. */
struct store_writer *store_writer_open(const struct store_writer_backend *backend);
void store_writer_submit(struct store_writer *writer, struct store_write *write);
/* Takes back what is not in a transaction yet. */
bool store_writer_withdraw(struct store_writer *writer, struct store_write *write);
/* Makes what is held back of a job (NULL: of all) due now. */
void store_writer_hurry(struct store_writer *writer, const char *id);
/* Patience ends: who waits for room is refused, now and later. */
void store_writer_give_up(struct store_writer *writer);
/* Makes all that was submitted, and ends the thread. */
void store_writer_close(struct store_writer *writer);

#endif
