#include "server/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum option_kind {
    TEXT,
    WORD,   /* one of those that `unit` lists: "first|second" */
    SWITCH, /* on when given; of a variable: true or false */
    NUMBER
};

struct option {
    const char *flag, *variable;
    enum option_kind kind;
    size_t place; /* in struct config */
    const char *text;
    int64_t fallback, minimum, maximum;
    const char *unit, *help;
};

#define AT(member) offsetof(struct config, member)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

/* A number whose default is 0 has one that depends on others; its text says on what. */
static const struct option options[] = {
    {"--listen", "GRADCHECKD_LISTEN", TEXT, AT(listen), "127.0.0.1:8080", 0, 0, 0, "ADDRESS:PORT",
     "address to serve, or unix:PATH; port 0 picks a free one"},
    {"--data-dir", "GRADCHECKD_DATA_DIR", TEXT, AT(data_dir), "./gradcheckd-data", 0, 0, 0, "DIR",
     "folder of jobs and tokens"},
    {"--store", "GRADCHECKD_STORE", TEXT, AT(store), "sqlite:", 0, 0, 0, "URL",
     "where jobs are kept: sqlite: (in the folder) or memory:"},
    {"--host-name", "GRADCHECKD_HOST_NAME", TEXT, AT(host_name), NULL, 0, 0, 0, "NAME",
     "host name accepted beside localhost, 127.0.0.1 and [::1]"},
    {"--tls-cert", "GRADCHECKD_TLS_CERT", TEXT, AT(tls_cert), NULL, 0, 0, 0, "FILE",
     "certificate chain (PEM) to serve HTTPS with; read again on SIGHUP"},
    {"--tls-key", "GRADCHECKD_TLS_KEY", TEXT, AT(tls_key), NULL, 0, 0, 0, "FILE",
     "its private key (PEM)"},
    {"--behind-proxy", "GRADCHECKD_BEHIND_PROXY", TEXT, AT(behind_proxy), NULL, 0, 0, 0,
     "NETWORK[,NETWORK]...", "proxies, such as 10.0.0.0/8, that speak plain HTTP to this server"},
    {"--insecure", "GRADCHECKD_INSECURE", SWITCH, AT(insecure), NULL, 0, 0, 0, NULL,
     "serve plain HTTP on an address that is not loopback; tokens travel unprotected"},
    {"--workers", "GRADCHECKD_WORKERS", NUMBER, AT(workers), "one a processor", 0, 1, 64, "threads",
     "that compute"},
    {"--kernels", "GRADCHECKD_KERNELS", WORD, AT(kernels), "auto", 0, 0, 0,
     "auto|generic|avx2|avx512", "instructions to compute with; auto: the best of the processor's"},
    {"--connections", "GRADCHECKD_CONNECTIONS", NUMBER, AT(connections), NULL, 1024, 16, 65536,
     "connections", "open at once"},
    {"--idle-seconds", "GRADCHECKD_IDLE_SECONDS", NUMBER, AT(idle_seconds), NULL, 30, 1, 3600,
     "seconds", "after which a silent connection is closed"},
    {"--body-bytes", "GRADCHECKD_BODY_BYTES", NUMBER, AT(limits.body_bytes), NULL, 64 * MIB, 1,
     4 * GIB, "bytes", "of one request body"},
    {"--json-bytes", "GRADCHECKD_JSON_BYTES", NUMBER, AT(limits.json_bytes), NULL, 512 * MIB, 65536,
     1024 * GIB, "bytes", "of decoded JSON, all requests together"},
    {"--json-depth", "GRADCHECKD_JSON_DEPTH", NUMBER, AT(limits.json_depth), NULL, 32, 8, 1024,
     "levels", "of nesting in a body"},
    {"--job-seconds", "GRADCHECKD_JOB_SECONDS", NUMBER, AT(limits.job_seconds), NULL, 3600, 1,
     31536000, "seconds", "that a job may take"},
    {"--job-bytes", "GRADCHECKD_JOB_BYTES", NUMBER, AT(limits.job_bytes), NULL, 2 * GIB, MIB,
     1024 * GIB, "bytes", "of memory that a job may need, estimated"},
    {"--active-jobs", "GRADCHECKD_ACTIVE_JOBS", NUMBER, AT(limits.active_jobs), NULL, 1000, 1,
     100000, "jobs", "queued or running"},
    {"--active-bytes", "GRADCHECKD_ACTIVE_BYTES", NUMBER, AT(limits.active_bytes), NULL, 8 * GIB,
     MIB, 1024 * GIB, "bytes", "of memory for all jobs queued or running, estimated"},
    {"--save-seconds", "GRADCHECKD_SAVE_SECONDS", NUMBER, AT(limits.save_seconds), NULL, 10, 1,
     3600, "seconds", "between saved states of a training"},
    {"--retain-days", "GRADCHECKD_RETAIN_DAYS", NUMBER, AT(limits.retain_days), NULL, 7, 1, 36500,
     "days", "that a job is kept for after its end"},
    {"--retain-jobs", "GRADCHECKD_RETAIN_JOBS", NUMBER, AT(limits.retain_jobs),
     "100000, in memory 10000", 0, 1, 10000000, "jobs",
     "kept after their end; the first to end go first"},
    {"--retain-bytes", "GRADCHECKD_RETAIN_BYTES", NUMBER, AT(limits.retain_bytes),
     "10 GiB, in memory 2 GiB", 0, MIB, 1024 * GIB, "bytes", "of requests and results kept"},
};
enum { OPTIONS = sizeof options / sizeof options[0] };

_Static_assert(sizeof(size_t) == sizeof(int64_t), "numbers of both types are set through one");

static void set_text(struct config *config, const struct option *option, const char *value)
{
    memcpy((char *)config + option->place, &value, sizeof value);
}

static void set_number(struct config *config, const struct option *option, int64_t value)
{
    memcpy((char *)config + option->place, &value, sizeof value);
}

static bool set_word(struct config *config, const struct option *option, const char *source,
                     const char *value)
{
    const size_t length = strlen(value);
    for (const char *word = option->unit; word != NULL; word = strchr(word, '|')) {
        if (*word == '|') word++;
        if (strcspn(word, "|") != length || memcmp(word, value, length) != 0) continue;
        set_text(config, option, value);
        return true;
    }
    fprintf(stderr, "gradcheckd: %s must be one of %s, got '%s'\n", source, option->unit, value);
    return false;
}

static bool set_switch(struct config *config, const struct option *option, const char *source,
                       const char *value)
{
    const bool on = strcmp(value, "true") == 0;
    if (!on && strcmp(value, "false") != 0) {
        fprintf(stderr, "gradcheckd: %s must be true or false, got '%s'\n", source, value);
        return false;
    }
    memcpy((char *)config + option->place, &on, sizeof on);
    return true;
}

static bool set(struct config *config, const struct option *option, const char *source,
                const char *value)
{
    if (option->kind == SWITCH) return set_switch(config, option, source, value);
    if (option->kind == WORD) return set_word(config, option, source, value);
    if (option->kind == TEXT) {
        set_text(config, option, value);
        return true;
    }
    char *end;
    errno = 0;
    const long long number = strtoll(value, &end, 10);
    if (errno == 0 && *value >= '0' && *value <= '9' && *end == '\0' && number >= option->minimum &&
        number <= option->maximum) {
        set_number(config, option, number);
        return true;
    }
    fprintf(stderr, "gradcheckd: %s must be a whole number from %lld to %lld, got '%s'\n", source,
            (long long)option->minimum, (long long)option->maximum, value);
    return false;
}

static void print_help(void)
{
    printf(
        "usage: gradcheckd [OPTION VALUE]...\n       gradcheckd COMMAND...\n\n"
        "Checks gradients of neural networks, and trains them, as jobs over HTTP.\n\n");
    for (int i = 0; i < OPTIONS; i++) {
        const struct option *o = &options[i];
        const char *space = o->unit == NULL ? "" : " ", *unit = o->unit == NULL ? "" : o->unit;
        printf("  %s%s%s\n      %s (%s", o->flag, space, unit, o->help, o->variable);
        if (o->kind == SWITCH)
            printf(")\n");
        else if (o->kind != NUMBER)
            printf("; default %s)\n", o->text == NULL ? "none" : o->text);
        else
            printf("; default %s%.0lld, %lld to %lld)\n", o->text == NULL ? "" : o->text,
                   (long long)o->fallback, (long long)o->minimum, (long long)o->maximum);
    }
    printf("  --version\n  --help\n");
}

static const struct option *option_find(const char *flag, size_t length)
{
    for (int i = 0; i < OPTIONS; i++)
        if (strlen(options[i].flag) == length && memcmp(options[i].flag, flag, length) == 0)
            return &options[i];
    return NULL;
}

/* `--flag VALUE` or `--flag=VALUE`; advances *index past what it used. */
static bool read_argument(struct config *config, int count, char **arguments, int *index)
{
    const char *argument = arguments[*index], *equals = strchr(argument, '=');
    const size_t length = equals == NULL ? strlen(argument) : (size_t)(equals - argument);
    const struct option *option = option_find(argument, length);
    if (option == NULL) {
        fprintf(stderr, "gradcheckd: unknown option '%s'; --help lists all\n", argument);
        return false;
    }
    if (equals != NULL) return set(config, option, option->flag, equals + 1);
    if (option->kind == SWITCH) return set(config, option, option->flag, "true");
    if (*index + 1 >= count || strncmp(arguments[*index + 1], "--", 2) == 0) {
        fprintf(stderr, "gradcheckd: %s needs a value\n", option->flag);
        return false;
    }
    return set(config, option, option->flag, arguments[++*index]);
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
    for (int i = 0; i < OPTIONS; i++) {
        if (options[i].kind == NUMBER)
            set_number(config, &options[i], options[i].fallback);
        else if (options[i].kind != SWITCH)
            set_text(config, &options[i], options[i].text);
        const char *value = getenv(options[i].variable);
        if (value != NULL && !set(config, &options[i], options[i].variable, value))
            return CONFIG_USAGE;
    }
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--help") == 0) {
            print_help();
            return CONFIG_HELP;
        }
        if (strcmp(arguments[i], "--version") == 0) {
            printf("gradcheckd %s\n", GCK_VERSION);
            return CONFIG_EXIT;
        }
        if (!read_argument(config, count, arguments, &i)) return CONFIG_USAGE;
    }
    complete(config);
    return CONFIG_RUN;
}
