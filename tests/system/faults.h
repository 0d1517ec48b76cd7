/*
 * Makes calls of the daemon fail: allocations, and what it does to files of its data folder. A shim
 * (tests/faults) is preloaded into every daemon started after faults_open(); orders reach it at
 * once, while the daemon runs.
 */
#ifndef TESTS_SYSTEM_FAULTS_H
#define TESTS_SYSTEM_FAULTS_H

#include "harness.h"
#include "tests/faults/shim.h"

/* Which of the counted calls fails, and how. */
struct fault {
    unsigned calls; /* a mask of enum shim_call */
    int64_t number; /* the first to fail, from 1 */
    int64_t count;  /* how many do, one after the other; 0: one */
    int error;      /* errno of a call on a file */
    bool half;      /* a write is half made before it fails */
    bool growth;    /* only writes beyond a file's end count */
};

/* For the count of those that do until further notice. */
#define FAULTS_ALL (INT64_C(1) << 60)

struct shim *faults_open(void);

/* From now on. */
void faults_order(struct shim *shim, struct fault fault);
/* No more; how many calls failed since the order. */
uint64_t faults_end(struct shim *shim);
/* How many calls of that kind were made since the order, of which none fails. */
void faults_count(struct shim *shim, unsigned calls);
int64_t faults_counted(struct shim *shim);

/* For the tale of a leak: where allocations grew in number, as offsets in the program. */
struct faults_sites {
    int64_t live[SHIM_SITES];
};
void faults_sites(struct shim *shim, struct faults_sites *ret);
const char *faults_grown(struct shim *shim, const struct faults_sites *before);

/* Whether allocations can fail: not in a build with a sanitizer that has an allocator of its own.
 */
bool faults_allocate(const struct shim *shim);

#endif
