/* The options: rows of one table, each a flag and an environment variable; flag over environment.
 */
#ifndef GRADCHECKD_CONFIG_H
#define GRADCHECKD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What bounds requests and jobs. */
struct limits {
    size_t body_bytes; /* of a request */
    size_t json_bytes; /* JSON trees of all requests together */
    size_t json_depth;
    int64_t job_seconds;   /* from a job's first lease */
    size_t job_bytes;      /* estimated memory of one job */
    size_t active_jobs;    /* queued and running */
    size_t active_bytes;   /* estimated memory of all those together */
    int64_t save_seconds;  /* between saved states of a training */
    int64_t probe_seconds; /* that a probe waits for values */
    int64_t retain_days;   /* that a finished job is kept for */
    size_t retain_jobs;    /* finished ones kept */
    size_t retain_bytes;   /* requests and results kept */
    size_t workers;        /* each has a room of its own on a job */
};

struct config {
    const char *listen; /* "127.0.0.1:8080", "unix:PATH" */
    const char *data_dir;
    const char *store;
    const char *kernels;            /* "auto" or a name of core/kernels.h */
    const char *host_name;          /* accepted beside the loopback names; NULL: none */
    const char *tls_cert, *tls_key; /* PEM files; NULL: plain HTTP */
    const char *behind_proxy; /* networks of proxies whose X-Forwarded-For counts; NULL: none */
    bool insecure;            /* plain HTTP on any address */
    size_t workers;
    size_t connections;
    int64_t idle_seconds; /* a connection without traffic */
    struct limits limits;
};

enum config_outcome { CONFIG_RUN, CONFIG_HELP, CONFIG_EXIT, CONFIG_USAGE };

/* Reads environment and arguments over the defaults. CONFIG_HELP after --help, which has
 * printed the options, CONFIG_EXIT after --version, CONFIG_USAGE after a message on standard error.
 * Strings are borrowed from the arguments and the environment. */
enum config_outcome config_read(struct config *config, int count, char **arguments);

#endif
