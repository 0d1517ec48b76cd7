/* Jobs at work, and what all files of jobs share. */
#ifndef GRADCHECKD_JOBS_TABLE_H
#define GRADCHECKD_JOBS_TABLE_H

#include "server/jobs.h"
#include "server/progress.h"

struct jobs {
    struct store *store;
    struct queue *queue;
    struct events *events;
    struct progress *progress;
    struct limits limits;
    pthread_mutex_t changing; /* one change that an owner makes at a time */
    pthread_mutex_t lock;     /* for all below */
    pthread_cond_t idle;
    struct job *newest; /* a list, at most limits.active_jobs long */
    size_t count;       /* those in it, and those about to be */
    size_t probes;      /* of them, those that wait for values, not for workers */
    double bytes;       /* estimated, of all of them */
    uint64_t position;  /* of the newest job so far */
    bool draining;
};

/* Enters a job, which got its room before. False when another job at work has the owner's key:
 * *ret_other is a reference to it. */
bool table_enter(struct jobs *jobs, struct job *job, struct job **ret_other);
/* Gives the room of one job back that is in the table no longer, or never was; with the last one,
 * who waits for that is woken. */
void table_release(struct jobs *jobs, double bytes);
/* The job has ended, or never was: it leaves the queue and the table, and who waits is woken. */
void table_leave(struct jobs *jobs, struct job *job);
/* References, or NULL. */
struct job *table_find(struct jobs *jobs, const char *id);
struct job *table_find_key(struct jobs *jobs, const char *owner, const char *key);

/* References to all jobs at work, in memory to be freed; NULL, and 0, when memory is out. */
struct job **table_copy(struct jobs *jobs, size_t *ret_count);

/* What a store said of a job, as a problem; true for STORE_OK. */
bool store_problem(enum store_status status, struct problem *problem);

/* A record that ends as failed. */
void record_fail(struct job_record *record, const struct problem *problem);

#endif
