/* The daemon: reads its options, puts the parts together, serves until a signal, and takes them
 * apart in order. Or one of the commands. */
#include "server/clock.h"
#include "server/codec_json.h"
#include "server/command.h"
#include "server/http.h"
#include "server/keeper.h"
#include "server/log.h"
#include "server/signals.h"
#include "server/worker.h"

#include <gradcheck/blas.h>
#include <gradcheck/kernels.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For how long running work may go on after a signal. */
#define DRAIN_NS INT64_C(3000000000)

enum { PRUNES_A_SECOND = 50 };

struct parts {
    struct listener listener;
    struct store *store;
    struct queue *queue;
    struct events *events;
    struct jobs *jobs;
    struct workers *workers;
    struct auth *auth;
    struct keeper *keeper;
    struct service service;
    struct http *http;
};

static void refresh_auth(void *auth)
{
    auth_refresh(auth);
}

/* A little at a time, so that whoever writes meanwhile waits for little. */
static void prune_jobs(void *jobs)
{
    for (int i = 0; i < PRUNES_A_SECOND && jobs_prune(jobs); i++)
        continue;
}

static void expire_probes(void *jobs)
{
    jobs_probe_expire(jobs);
}

/* What is to be looked after while the daemon runs. */
static bool keep(struct parts *parts)
{
    parts->keeper = keeper_open();
    return parts->keeper != NULL && keeper_add(parts->keeper, refresh_auth, parts->auth) &&
           keeper_add(parts->keeper, prune_jobs, parts->jobs) &&
           keeper_add(parts->keeper, expire_probes, parts->jobs) && keeper_start(parts->keeper);
}

/* The exit status: EXIT_USAGE for what the options forbid, EXIT_FAILURE for what is wrong in the
 * folder. */
static int open_parts(struct parts *parts, const struct config *config)
{
    if (!store_is_known(config->store) || !listener_init(&parts->listener, config))
        return EXIT_USAGE;
    parts->auth = auth_open(config->data_dir);
    if (parts->auth == NULL) return EXIT_FAILURE;
    if (!listener_may_serve(&parts->listener, config, auth_required(parts->auth)))
        return EXIT_USAGE;
    parts->store = store_open(config);
    return parts->store != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool start(struct parts *parts, const struct config *config)
{
    parts->queue = queue_open();
    parts->events = events_open();
    if (parts->queue == NULL || parts->events == NULL) return false;
    parts->jobs = jobs_open(parts->store, parts->queue, parts->events, &config->limits);
    if (parts->jobs == NULL || !jobs_recover(parts->jobs)) return false;
    parts->workers = workers_start(config->workers, parts->queue, parts->jobs);
    if (parts->workers == NULL) return false;
    parts->service = (struct service){parts->jobs, parts->auth, config};
    parts->http = http_start(&parts->listener, &parts->service);
    return parts->http != NULL && keep(parts);
}

/* New jobs are refused and waits end; running work gets its time; then everything stops. */
static void stop(struct parts *parts)
{
    keeper_close(parts->keeper);
    if (parts->jobs != NULL) {
        jobs_drain(parts->jobs);
        events_drain(parts->events);
    }
    if (parts->http != NULL) jobs_await_idle(parts->jobs, clock_monotonic_ns() + DRAIN_NS);
    if (parts->jobs != NULL) jobs_abandon(parts->jobs);
    if (parts->queue != NULL) queue_stop(parts->queue);
    workers_join(parts->workers);
    if (parts->jobs != NULL) jobs_hand_over(parts->jobs);
    if (!http_stop(parts->http)) {
        log_error("stop", "reason=\"an answer takes too long\"");
        listener_remove_file(&parts->listener);
        log_close();
        _exit(EXIT_SUCCESS);
    }
    if (parts->store != NULL) parts->store->operations->close(parts->store);
    jobs_close(parts->jobs);
    queue_close(parts->queue);
    events_close(parts->events);
    auth_close(parts->auth);
    listener_done(&parts->listener);
}

/* What may change without a restart. */
static void reload(struct parts *parts)
{
    log_info("reload", "signal=%d", SIGHUP);
    if (parts->listener.tls != NULL) tls_reload(parts->listener.tls);
    auth_refresh(parts->auth);
}

/* A check takes and frees some ten megabytes: kept, they need not be cleared by the kernel again
 * for the next one. */
static void memory_start(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

static bool numerics_start(const struct config *config)
{
    gck_error error;
    if (gck_kernels_start(config->kernels, &error) == GCK_OK && gck_blas_start(&error) == GCK_OK)
        return true;
    fprintf(stderr, "gradcheckd: %s\n", error.text);
    return false;
}

static void announce(const struct parts *parts, const struct config *config)
{
    char signature[GCK_SIGNATURE_SIZE];
    log_info("start", "workers=%zu store=%s numerics=\"%s\"", config->workers,
             parts->store->operations->scheme, gck_signature(signature));
    printf("listening on %s\n", parts->listener.url);
    fflush(stdout);
}

static bool open_log(void)
{
    if (log_open()) return true;
    fprintf(stderr, "gradcheckd: there is no thread for the log\n");
    return false;
}

static void serve(struct parts *parts)
{
    int number;
    while ((number = signals_await()) == SIGHUP)
        reload(parts);
    log_info("stop", "signal=%d", number);
}

/* The exit status. */
static int run(const struct config *config)
{
    struct parts parts = {.listener.fd = -1};
    int status = open_log() ? open_parts(&parts, config) : EXIT_FAILURE;
    if (status == EXIT_SUCCESS && !(numerics_start(config) && start(&parts, config)))
        status = EXIT_FAILURE;
    if (status == EXIT_SUCCESS) {
        announce(&parts, config);
        serve(&parts);
    }
    stop(&parts);
    log_close();
    return status;
}

/* Signals come first: one that came before would end the process. */
int main(int count, char **arguments)
{
    signals_limit_files();
    if (count > 1 && arguments[1][0] != '-') return command_run(count, arguments);
    struct config config;
    if (!signals_start()) return EXIT_FAILURE;
    switch (config_read(&config, count, arguments)) {
    case CONFIG_HELP:
        command_list();
        return EXIT_SUCCESS;
    case CONFIG_EXIT:
        return EXIT_SUCCESS;
    case CONFIG_USAGE:
        return EXIT_USAGE;
    default:
        break;
    }
    memory_start();
    codec_json_start();
    return run(&config);
}
