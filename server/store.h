/* Where jobs are kept: one table of functions, behind it memory, a file, or a database.
 *
 * Reads may block for a disk or a network, so only the request pool and the workers make them,
 * never a thread of the HTTP library. Writes are handed over, and told when they are durable; a
 * store may commit many of them at once. Any thread.
 *
 * A store keeps what was accepted and what became of it. Which jobs run is known to the table of
 * jobs at work alone: here a job is queued until it has ended. */
#ifndef GRADCHECKD_STORE_H
#define GRADCHECKD_STORE_H

#include "server/config.h"
#include "server/user.h"

enum store_status {
    STORE_OK,
    STORE_NOT_FOUND,
    STORE_KEY_TAKEN, /* the owner has a job with this idempotency key */
    STORE_FULL,      /* beyond the limits, or the disk is full */
    STORE_BROKEN,    /* the store cannot be read or written, or is being closed */
    STORE_MEMORY
};

/* Which jobs a list shows, newest first: the owner's, or, with scope.all, everybody's; what others
 * share is found by id alone. */
struct store_filter {
    struct scope scope;
    unsigned states, kinds; /* bit masks of 1 << enum; 0: all */
    struct labels labels;   /* all must be there */
    uint64_t before;        /* position of the last job of the page before; 0: from the newest */
    size_t limit;
};

/* What is kept of a job's work until it ends: of each grain how often it was begun, and, under an
 * index of its own or a training's one grain, the state of the whole. */
struct store_grain {
    uint64_t index;
    uint32_t attempts;
    const void *bytes; /* borrowed; NULL: what was kept before stays */
    size_t size;
};

enum store_change {
    STORE_ADD,    /* a job, ended or not */
    STORE_PUT,    /* what may change of the job of that id; with its end, its grains go */
    STORE_REMOVE, /* the job of record.id, and all that belongs to it, if `scope` may see it */
    STORE_GRAIN,  /* of the job record.id; of one that is not there, or has ended, nothing */
    STORE_PRUNE   /* some of the finished jobs beyond what the limits keep, the first to finish
                     first; `removed` says how many went: perhaps not all */
};

/* A change, made whole or not at all. It is the store's, with all it points at, from `submit` until
 * `done` is called: once, perhaps before `submit` returns, perhaps from a thread of the store,
 * which it must not hold up. */
struct store_write {
    enum store_change change;
    bool patient;             /* while the disk is full: waits, instead of being refused */
    bool resets;              /* PUT: what was kept of its work goes */
    int64_t delay_ms;         /* may be held back for so long; 0: now */
    bool rides;               /* but goes with the next commit, if that comes sooner */
    struct job_record record; /* REMOVE, GRAIN: its id alone */
    struct scope scope;
    struct store_grain grain;
    int64_t now_ms; /* PRUNE: wall time, for the age of jobs */
    size_t removed;
    void (*done)(struct store_write *write, enum store_status status);
    void *context;            /* of whoever submits */
    struct store_write *next; /* the store's */
    int64_t due_ns;           /* likewise */
};

/* An unfinished job as a start finds it; everything is the callee's to copy. */
typedef bool store_visit(void *context, const struct job_record *record,
                         const struct store_grain *grain, size_t grain_count);

struct store;

struct store_operations {
    const char *scheme; /* "memory:" */
    bool durable;       /* survives the process: GRAIN is kept, `recover` may find jobs */
    /* What scope may not see is not found. Of the large parts of the record at least those of the
     * mask `parts` are read. */
    enum store_status (*get)(struct store *store, const struct scope *scope, const char *id,
                             unsigned parts, struct job_record *ret_record);
    /* The owner's job with that idempotency key; PART_REQUEST is read. */
    enum store_status (*find_key)(struct store *store, const char *owner, const char *key,
                                  struct job_record *ret_record);
    /* Records without their large parts. */
    enum store_status (*list)(struct store *store, const struct store_filter *filter,
                              struct job_page *ret_page);
    /* The highest position of any job so far; 0 for none. */
    uint64_t (*last_position)(struct store *store);
    /* Shows every unfinished job, oldest first and whole, until `visit` says false. */
    enum store_status (*recover)(struct store *store, store_visit *visit, void *context);
    void (*submit)(struct store *store, struct store_write *write);
    /* Takes back a write that is still held back: true, and it is the caller's again. */
    bool (*withdraw)(struct store *store, struct store_write *write);
    /* What is held back of that job (NULL: of all) is made now. */
    void (*hurry)(struct store *store, const char *id);
    /* From now on no write waits for room on the disk: patient ones end with STORE_BROKEN. */
    void (*give_up)(struct store *store);
    /* Commits what was submitted; what cannot be is STORE_BROKEN. */
    void (*close)(struct store *store);
};

/* The first member of each store. */
struct store {
    const struct store_operations *operations;
};

/* Whether a store goes by that name; false after a message on standard error. */
bool store_is_known(const char *name);
/* Opens what config->store names; NULL after a message on standard error. */
struct store *store_open(const struct config *config);
struct store *store_memory_open(const struct limits *limits);
/* Jobs in a file of this folder, which is made if need be; a second process is refused. */
struct store *store_sqlite_open(const char *folder, const struct limits *limits);
/* Copies the jobs kept in the folder to a new file, beside a running daemon, too; false after a
 * message on standard error. */
bool store_sqlite_backup(const char *folder, const char *file);

/* Whether a list with this filter shows the job, as far as its limit reaches. */
bool store_filter_matches(const struct store_filter *filter, const struct job_record *record);

/* Submits a write and waits until it is made. The write needs no `done`. */
enum store_status store_do(struct store *store, struct store_write *write);

#endif
