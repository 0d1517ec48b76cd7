/* What a store keeps of a job. Plain; blobs are references. One thread at a time. */
#ifndef GRADCHECKD_RECORD_H
#define GRADCHECKD_RECORD_H

#include <gradcheck/blas.h>

#include "server/blob.h"
#include "server/id.h"

#include <stdbool.h>
#include <stdint.h>

enum { NAME_SIZE = 65, LABEL_VALUE_SIZE = 257, LABELS_MAX = 16, KEY_SIZE = 129 };

enum job_kind { JOB_CHECK, JOB_TRAINING, JOB_PROBE, JOB_KINDS };
enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED };
enum job_priority { PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_HIGH };

struct label {
    char name[NAME_SIZE];
    char value[LABEL_VALUE_SIZE];
};

struct labels {
    size_t count;
    struct label *label; /* owned; NULL for none */
};

/* How the work was cut when the job was accepted. */
struct job_cut {
    uint64_t format; /* of the cut itself */
    uint64_t block_rows, block_count, grain_operations, grain_count;
};

/* The large parts of a record, which are read when they are wanted. */
enum { PART_REQUEST = 1, PART_RESULT = 2, PART_PARAMETERS = 4, PARTS_ALL = 7 };

struct job_record {
    uint64_t position; /* grows with each job accepted: lists are ordered by it */
    char id[ID_SIZE];
    char owner[NAME_SIZE];
    enum job_kind kind;
    enum job_state state;
    enum job_priority priority;
    bool shared, cancel_requested;
    int64_t created_ms, started_ms, finished_ms; /* wall time; 0: not yet */
    uint64_t version;                            /* grows with each visible change */
    uint64_t event_sequence;
    uint32_t attempts;    /* of the grain begun most often */
    uint64_t done, total; /* parameters, or epochs */
    double seconds;       /* wall time from the first lease to the last grain */
    struct job_cut cut;
    char signature[GCK_SIGNATURE_SIZE];
    char idempotency_key[KEY_SIZE]; /* "" without one */
    struct labels labels;
    struct blob *request;    /* the posted body */
    struct blob *result;     /* encoded once; NULL before the end */
    struct blob *summary;    /* likewise, for lists */
    struct blob *error;      /* a problem document; NULL unless failed */
    struct blob *parameters; /* as doubles: a succeeded training's; a probe's values, all rounds */
};

bool job_state_is_final(enum job_state state);
const char *job_state_name(enum job_state state);
const char *job_kind_name(enum job_kind kind);
const char *job_priority_name(enum job_priority priority);
/* The index of a name, or -1. */
int job_state_find(const char *name, size_t length);
int job_kind_find(const char *name, size_t length);
int job_priority_find(const char *name, size_t length);

bool labels_copy(const struct labels *labels, struct labels *ret);
/* False when memory is out; *ret is then empty. */
bool job_record_copy(const struct job_record *record, struct job_record *ret);
void job_record_done(struct job_record *record);
/* What it takes in a store. */
size_t job_record_bytes(const struct job_record *record);

/* A trained network's parameters, as many as its model has; NULL without any. Borrowed. */
const double *job_record_parameters(const struct job_record *record);

/* Part of a list, newest first. */
struct job_page {
    size_t count;
    struct job_record *record; /* owned */
    uint64_t next;             /* where the next page begins; 0: there is none */
};

void job_page_done(struct job_page *page);

/* Names of labels, datasets, tokens: [A-Za-z0-9][A-Za-z0-9._-]{0,63} */
bool name_is_valid(const char *name);

#endif
