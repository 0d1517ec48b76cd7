#include "server/config.h"
#include "server/option.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(struct config, member)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

/* A number whose default is 0 has one that depends on others; its text says on what. */
static const struct option rows[] = {
    {"--listen", "GRADCHECKD_LISTEN", OPTION_TEXT, AT(listen), "127.0.0.1:8080", 0, 0, 0,
     "ADDRESS:PORT", "address to serve, or unix:PATH; port 0 picks a free one"},
    {"--data-dir", "GRADCHECKD_DATA_DIR", OPTION_TEXT, AT(data_dir), "./gradcheckd-data", 0, 0, 0,
     "DIR", "folder of jobs and tokens"},
    {"--store", "GRADCHECKD_STORE", OPTION_TEXT, AT(store), "sqlite:", 0, 0, 0, "URL",
     "where jobs are kept: sqlite: (in the folder) or memory:"},
    {"--host-name", "GRADCHECKD_HOST_NAME", OPTION_TEXT, AT(host_name), NULL, 0, 0, 0, "NAME",
     "host name accepted beside localhost, 127.0.0.1 and [::1]"},
    {"--tls-cert", "GRADCHECKD_TLS_CERT", OPTION_TEXT, AT(tls_cert), NULL, 0, 0, 0, "FILE",
     "certificate chain (PEM) to serve HTTPS with; read again on SIGHUP"},
    {"--tls-key", "GRADCHECKD_TLS_KEY", OPTION_TEXT, AT(tls_key), NULL, 0, 0, 0, "FILE",
     "its private key (PEM)"},
    {"--behind-proxy", "GRADCHECKD_BEHIND_PROXY", OPTION_TEXT, AT(behind_proxy), NULL, 0, 0, 0,
     "NETWORK[,NETWORK]...", "proxies, such as 10.0.0.0/8, that speak plain HTTP to this server"},
    {"--insecure", "GRADCHECKD_INSECURE", OPTION_SWITCH, AT(insecure), NULL, 0, 0, 0, NULL,
     "serve plain HTTP on an address that is not loopback; tokens travel unprotected"},
    {"--workers", "GRADCHECKD_WORKERS", OPTION_NUMBER, AT(workers), "one a processor", 0, 1, 64,
     "threads", "that compute"},
    {"--kernels", "GRADCHECKD_KERNELS", OPTION_WORD, AT(kernels), "auto", 0, 0, 0,
     "auto|generic|avx2|avx512", "instructions to compute with; auto: the best of the processor's"},
    {"--connections", "GRADCHECKD_CONNECTIONS", OPTION_NUMBER, AT(connections), NULL, 1024, 16,
     65536, "connections", "open at once"},
    {"--idle-seconds", "GRADCHECKD_IDLE_SECONDS", OPTION_NUMBER, AT(idle_seconds), NULL, 30, 1,
     3600, "seconds", "after which a silent connection is closed"},
    {"--body-bytes", "GRADCHECKD_BODY_BYTES", OPTION_NUMBER, AT(limits.body_bytes), NULL, 64 * MIB,
     1, 4 * GIB, "bytes", "of one request body"},
    {"--json-bytes", "GRADCHECKD_JSON_BYTES", OPTION_NUMBER, AT(limits.json_bytes), NULL, 512 * MIB,
     65536, 1024 * GIB, "bytes", "of decoded JSON, all requests together"},
    {"--json-depth", "GRADCHECKD_JSON_DEPTH", OPTION_NUMBER, AT(limits.json_depth), NULL, 32, 8,
     1024, "levels", "of nesting in a body"},
    {"--job-seconds", "GRADCHECKD_JOB_SECONDS", OPTION_NUMBER, AT(limits.job_seconds), NULL, 3600,
     1, 31536000, "seconds", "that a job may take"},
    {"--job-bytes", "GRADCHECKD_JOB_BYTES", OPTION_NUMBER, AT(limits.job_bytes), NULL, 2 * GIB, MIB,
     1024 * GIB, "bytes", "of memory that a job may need, estimated"},
    {"--active-jobs", "GRADCHECKD_ACTIVE_JOBS", OPTION_NUMBER, AT(limits.active_jobs), NULL, 1000,
     1, 100000, "jobs", "queued or running"},
    {"--active-bytes", "GRADCHECKD_ACTIVE_BYTES", OPTION_NUMBER, AT(limits.active_bytes), NULL,
     8 * GIB, MIB, 1024 * GIB, "bytes", "of memory for all jobs queued or running, estimated"},
    {"--save-seconds", "GRADCHECKD_SAVE_SECONDS", OPTION_NUMBER, AT(limits.save_seconds), NULL, 10,
     1, 3600, "seconds", "between saved states of a training"},
    {"--probe-seconds", "GRADCHECKD_PROBE_SECONDS", OPTION_NUMBER, AT(limits.probe_seconds), NULL,
     3600, 1, 604800, "seconds", "that a probe waits for values"},
    {"--retain-days", "GRADCHECKD_RETAIN_DAYS", OPTION_NUMBER, AT(limits.retain_days), NULL, 7, 1,
     36500, "days", "that a job is kept for after its end"},
    {"--retain-jobs", "GRADCHECKD_RETAIN_JOBS", OPTION_NUMBER, AT(limits.retain_jobs),
     "100000, in memory 10000", 0, 1, 10000000, "jobs",
     "kept after their end; the first to end go first"},
    {"--retain-bytes", "GRADCHECKD_RETAIN_BYTES", OPTION_NUMBER, AT(limits.retain_bytes),
     "10 GiB, in memory 2 GiB", 0, MIB, 1024 * GIB, "bytes", "of requests and results kept"},
};
static const struct options options = {"gradcheckd", rows, sizeof rows / sizeof rows[0]};

static void print_help(void)
{
    printf(
        "usage: gradcheckd [OPTION VALUE]...\n       gradcheckd COMMAND...\n\n"
        "Checks gradients of neural networks, and trains them, as jobs over HTTP.\n\n");
    for (size_t i = 0; i < options.count; i++)
        option_print(&rows[i]);
    printf("  --version\n  --help\n");
}

static void complete(struct config *config)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct limits *limits = &config->limits;
    const bool memory = strcmp(config->store, "memory:") == 0;
    if (config->workers == 0) config->workers = processors > 0 ? (size_t)processors : 1;
    if (config->workers > 64) config->workers = 64;
    limits->workers = config->workers;
    if (limits->retain_jobs == 0) limits->retain_jobs = memory ? 10000 : 100000;
    if (limits->retain_bytes == 0) limits->retain_bytes = (size_t)(memory ? 2 * GIB : 10 * GIB);
}

enum config_outcome config_read(struct config *config, int count, char **arguments)
{
    *config = (struct config){0};
    if (!option_start(&options, config)) return CONFIG_USAGE;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--help") == 0) {
            print_help();
            return CONFIG_HELP;
        }
        if (strcmp(arguments[i], "--version") == 0) {
            printf("gradcheckd %s\n", GCK_VERSION);
            return CONFIG_EXIT;
        }
        const struct option *row = option_find(&options, arguments[i]);
        if (row == NULL) {
            fprintf(stderr, "gradcheckd: unknown option '%s'; --help lists all\n", arguments[i]);
            return CONFIG_USAGE;
        }
        if (!option_read(&options, row, config, count, arguments, &i)) return CONFIG_USAGE;
    }
    complete(config);
    return CONFIG_RUN;
}
