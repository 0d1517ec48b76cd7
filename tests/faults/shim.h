/*
 * What a test and the daemon under test share: orders to fail, and counts. The shim, preloaded into
 * the daemon, takes the place of the allocator's and the file system's functions and obeys; the
 * test gives orders (tests/system/faults.h). Both map the same memory; everything is atomic.
 */
#ifndef TESTS_FAULTS_SHIM_H
#define TESTS_FAULTS_SHIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file descriptor of the shared memory, which the daemon inherits. */
#define SHIM_VARIABLE "GRADCHECKD_TEST_FAULTS"

/* Calls that the shim tells apart: masks for an order. */
enum shim_call {
    SHIM_ALLOCATE = 1,
    SHIM_READ = 2,
    SHIM_WRITE = 4,
    SHIM_SYNC = 8,
    SHIM_RESIZE = 16, /* ftruncate, fallocate */
    SHIM_OPEN = 32,
    SHIM_REMOVE = 64, /* rename, unlink */
    SHIM_STORE = SHIM_WRITE | SHIM_SYNC | SHIM_RESIZE | SHIM_OPEN | SHIM_REMOVE
};

/* Which calls fail: of those in the mask the one that brings `left` to 0, and so many from it on.
 */
struct shim_order {
    _Atomic unsigned mask; /* 0: none */
    _Atomic int64_t left;
    _Atomic int64_t count;
    _Atomic int error;   /* errno; not for allocations */
    _Atomic bool half;   /* a write that fails is half made before */
    _Atomic bool growth; /* of writes only those beyond a file's end count */
    _Atomic uint64_t fired;
};

enum { SHIM_SITES = 4096, SHIM_TEXT = 1024 };

/* Allocations of one place in the code that are not freed yet. */
struct shim_site {
    _Atomic uintptr_t address;
    _Atomic int64_t live;
};

struct shim {
    _Atomic bool works;     /* the daemon's side is there; */
    _Atomic bool allocates; /* and allocations are its own, which a sanitizer does not allow */
    _Atomic bool hasty; /* files are not synchronised: nothing here shows what a power cut does */
    struct shim_order order;
    _Atomic int64_t live;           /* allocations of the program's own code that are not freed */
    _Atomic int64_t live_libraries; /* likewise, of the libraries that count */
    _Atomic uintptr_t program;      /* where it was loaded */
    struct shim_site site[SHIM_SITES];
    char where[SHIM_TEXT]; /* the stack at the last failure: object+offset, innermost first */
};

#endif
