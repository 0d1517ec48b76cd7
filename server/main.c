/* The daemon: reads its options, puts the parts together, serves until a signal, and takes them
 * apart in order. */
#include "server/clock.h"
#include "server/codec_json.h"
#include "server/http.h"
#include "server/log.h"
#include "server/worker.h"

#include <gradcheck/blas.h>
#include <gradcheck/kernels.h>

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For how long running work may go on after a signal. */
#define DRAIN_NS INT64_C(3000000000)

enum { EXIT_USAGE = 2 };

struct parts {
    struct store *store;
    struct queue *queue;
    struct events *events;
    struct jobs *jobs;
    struct workers *workers;
    struct service service;
    struct http *http;
};

static bool start(struct parts *parts, const struct config *config, const struct address *address)
{
    parts->queue = queue_open();
    parts->events = events_open();
    if (parts->queue == NULL || parts->events == NULL) return false;
    parts->jobs = jobs_open(parts->store, parts->queue, parts->events, &config->limits);
    if (parts->jobs == NULL) return false;
    parts->workers = workers_start(config->workers, parts->queue, parts->jobs);
    if (parts->workers == NULL) return false;
    parts->service = (struct service){parts->jobs, config};
    parts->http = http_start(address, &parts->service);
    return parts->http != NULL;
}

/* New jobs are refused and waits end; running work gets its time; then everything stops. */
static void stop(struct parts *parts)
{
    if (parts->jobs != NULL) {
        jobs_drain(parts->jobs);
        events_drain(parts->events);
    }
    if (parts->http != NULL) jobs_await_idle(parts->jobs, clock_monotonic_ns() + DRAIN_NS);
    if (parts->jobs != NULL) jobs_abandon(parts->jobs);
    if (parts->queue != NULL) queue_stop(parts->queue);
    workers_join(parts->workers);
    if (!http_stop(parts->http)) {
        log_error("stop", "reason=\"an answer takes too long\"");
        _exit(EXIT_SUCCESS);
    }
    jobs_close(parts->jobs);
    queue_close(parts->queue);
    events_close(parts->events);
    if (parts->store != NULL) parts->store->operations->close(parts->store);
}

static int signal_pipe[2];

static void signal_taken(int number)
{
    const int saved = errno;
    const unsigned char byte = (unsigned char)number;
    const ssize_t written = write(signal_pipe[1], &byte, 1);
    (void)written;
    /* A second signal ends the process at once. */
    signal(number, SIG_DFL);
    errno = saved;
}

/* A handler and a pipe rather than a blocked mask: the BLAS library's own threads, older than
 * main(), take signals, too. */
static bool signals_start(void)
{
    if (pipe(signal_pipe) != 0) return false;
    const struct sigaction action = {.sa_handler = signal_taken};
    signal(SIGPIPE, SIG_IGN);
    return sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0;
}

static int signal_await(void)
{
    unsigned char byte = 0;
    while (read(signal_pipe[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    return byte;
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

static void announce(const struct parts *parts, const struct config *config,
                     const struct address *address)
{
    char signature[GCK_SIGNATURE_SIZE];
    log_info("start", "workers=%zu store=%s numerics=\"%s\"", config->workers,
             parts->store->operations->scheme, gck_signature(signature));
    printf("listening on http://%s:%u\n", address->host, http_port(parts->http));
    fflush(stdout);
}

int main(int count, char **arguments)
{
    struct config config;
    switch (config_read(&config, count, arguments)) {
    case CONFIG_EXIT:
        return EXIT_SUCCESS;
    case CONFIG_USAGE:
        return EXIT_USAGE;
    default:
        break;
    }
    struct address address;
    if (!address_parse(config.listen, &address)) return EXIT_USAGE;
    memory_start();
    codec_json_start();
    struct parts parts = {.store = store_open(&config)};
    if (parts.store == NULL) return EXIT_USAGE;
    const bool started =
        signals_start() && numerics_start(&config) && start(&parts, &config, &address);
    if (started) {
        announce(&parts, &config, &address);
        log_info("stop", "signal=%d", signal_await());
    }
    stop(&parts);
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}
