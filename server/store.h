/* Where jobs are kept: one table of functions, behind it memory now and databases later.
 *
 * Calls may block for a disk or a network, so only the request pool and the workers make them,
 * never a thread of the HTTP library. Any thread. What a call stored is durable, as far as the
 * store is, when it returns. */
#ifndef GRADCHECKD_STORE_H
#define GRADCHECKD_STORE_H

#include "server/config.h"
#include "server/record.h"

enum store_status {
    STORE_OK,
    STORE_NOT_FOUND,
    STORE_KEY_TAKEN, /* the owner has a job with this idempotency key */
    STORE_FULL,
    STORE_MEMORY
};

/* Which jobs a list shows, newest first. */
struct store_filter {
    const char *owner;
    unsigned states, kinds; /* bit masks of 1 << enum; 0: all */
    struct labels labels;   /* all must be there */
    uint64_t before;        /* position of the last job of the page before; 0: from the newest */
    size_t limit;
};

struct store;

struct store_operations {
    const char *scheme; /* "memory:" */
    /* Adds a job. With STORE_KEY_TAKEN the job that has the key is copied to *ret_other. */
    enum store_status (*add)(struct store *store, const struct job_record *record,
                             struct job_record *ret_other);
    /* Someone else's job is not found. */
    enum store_status (*get)(struct store *store, const char *owner, const char *id,
                             struct job_record *ret_record);
    /* The owner's job with that idempotency key. */
    enum store_status (*find_key)(struct store *store, const char *owner, const char *key,
                                  struct job_record *ret_record);
    /* Replaces the job of that id. */
    enum store_status (*put)(struct store *store, const struct job_record *record);
    enum store_status (*remove)(struct store *store, const char *owner, const char *id);
    enum store_status (*list)(struct store *store, const struct store_filter *filter,
                              struct job_page *ret_page);
    void (*close)(struct store *store);
};

/* The first member of each store. */
struct store {
    const struct store_operations *operations;
};

/* Opens what config->store names; NULL after a message on standard error. */
struct store *store_open(const struct config *config);
struct store *store_memory_open(const struct limits *limits);

#endif
