/* Options: defaults, environment, flags, and what is refused. Each test has a process of its own,
 * and so an environment of its own. */
#include "server/config.h"
#include "tests/core/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

enum { ARGUMENTS_MAX = 16 };

/* As `gradcheckd …` would read them; the list ends with NULL. */
static enum config_outcome read_list(struct config *config, const char *const *list)
{
    char *argument[ARGUMENTS_MAX] = {(char[]){"gradcheckd"}};
    int count = 1;
    for (; *list != NULL; list++)
        argument[count++] = (char *)*list;
    return config_read(config, count, argument);
}

#define READ(CONFIG, ...) read_list(CONFIG, (const char *const[]){__VA_ARGS__})

START_TEST(defaults)
{
    struct config config;
    ck_assert_int_eq(READ(&config, NULL), CONFIG_RUN);
    ck_assert_str_eq(config.listen, "127.0.0.1:8080");
    ck_assert_str_eq(config.data_dir, "./gradcheckd-data");
    ck_assert_str_eq(config.store, "sqlite:");
    ck_assert_ptr_null(config.host_name);
    ck_assert_ptr_null(config.tls_cert);
    ck_assert_ptr_null(config.tls_key);
    ck_assert_ptr_null(config.behind_proxy);
    ck_assert(!config.insecure);
    ck_assert_str_eq(config.kernels, "auto");
    ck_assert_uint_eq(config.limits.body_bytes, (size_t)64 << 20);
    ck_assert_uint_eq(config.limits.json_bytes, (size_t)512 << 20);
    ck_assert_uint_eq(config.limits.json_depth, 32);
    ck_assert_int_eq(config.limits.job_seconds, 3600);
    ck_assert_int_eq(config.limits.save_seconds, 10);
    ck_assert_int_eq(config.limits.probe_seconds, 3600);
    ck_assert_int_eq(config.limits.retain_days, 7);
}
END_TEST

START_TEST(what_is_kept_depends_on_the_store)
{
    struct config config;
    ck_assert_int_eq(READ(&config, NULL), CONFIG_RUN);
    ck_assert_uint_eq(config.limits.retain_jobs, 100000);
    ck_assert_uint_eq(config.limits.retain_bytes, (size_t)10 << 30);
    ck_assert_int_eq(READ(&config, "--store", "memory:", NULL), CONFIG_RUN);
    ck_assert_uint_eq(config.limits.retain_jobs, 10000);
    ck_assert_uint_eq(config.limits.retain_bytes, (size_t)2 << 30);
    ck_assert_int_eq(READ(&config, "--store=memory:", "--retain-jobs=7", NULL), CONFIG_RUN);
    ck_assert_uint_eq(config.limits.retain_jobs, 7);
}
END_TEST

START_TEST(there_is_a_worker_for_each_processor)
{
    struct config config;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    ck_assert_int_eq(READ(&config, NULL), CONFIG_RUN);
    ck_assert_uint_eq(config.workers, processors < 64 ? (size_t)processors : 64);
}
END_TEST

START_TEST(a_flag_takes_the_next_argument_or_what_follows_the_equals_sign)
{
    struct config config;
    ck_assert_int_eq(
        READ(&config, "--listen", "[::1]:0", "--workers=3", "--host-name=a=b", "--store=", NULL),
        CONFIG_RUN);
    ck_assert_str_eq(config.listen, "[::1]:0");
    ck_assert_uint_eq(config.workers, 3);
    ck_assert_str_eq(config.host_name, "a=b");
    ck_assert_str_eq(config.store, "");
}
END_TEST

START_TEST(the_last_flag_counts)
{
    struct config config;
    ck_assert_int_eq(READ(&config, "--workers", "2", "--workers=5", NULL), CONFIG_RUN);
    ck_assert_uint_eq(config.workers, 5);
}
END_TEST

START_TEST(a_flag_goes_over_the_environment_over_the_default)
{
    struct config config;
    setenv("GRADCHECKD_WORKERS", "7", 1);
    setenv("GRADCHECKD_LISTEN", "localhost:1", 1);
    ck_assert_int_eq(READ(&config, "--listen=127.0.0.1:2", NULL), CONFIG_RUN);
    ck_assert_uint_eq(config.workers, 7);
    ck_assert_str_eq(config.listen, "127.0.0.1:2");
    ck_assert_uint_eq(config.limits.json_depth, 32);
}
END_TEST

static const struct number {
    const char *flag, *variable;
    long long minimum, maximum;
    size_t place;
} numbers[] = {
#define AT(MEMBER) offsetof(struct config, MEMBER)
    {"--workers", "GRADCHECKD_WORKERS", 1, 64, AT(workers)},
    {"--connections", "GRADCHECKD_CONNECTIONS", 16, 65536, AT(connections)},
    {"--idle-seconds", "GRADCHECKD_IDLE_SECONDS", 1, 3600, AT(idle_seconds)},
    {"--body-bytes", "GRADCHECKD_BODY_BYTES", 1, 4LL << 30, AT(limits.body_bytes)},
    {"--json-bytes", "GRADCHECKD_JSON_BYTES", 65536, 1LL << 40, AT(limits.json_bytes)},
    {"--json-depth", "GRADCHECKD_JSON_DEPTH", 8, 1024, AT(limits.json_depth)},
    {"--job-seconds", "GRADCHECKD_JOB_SECONDS", 1, 31536000, AT(limits.job_seconds)},
    {"--job-bytes", "GRADCHECKD_JOB_BYTES", 1 << 20, 1LL << 40, AT(limits.job_bytes)},
    {"--active-jobs", "GRADCHECKD_ACTIVE_JOBS", 1, 100000, AT(limits.active_jobs)},
    {"--active-bytes", "GRADCHECKD_ACTIVE_BYTES", 1 << 20, 1LL << 40, AT(limits.active_bytes)},
    {"--save-seconds", "GRADCHECKD_SAVE_SECONDS", 1, 3600, AT(limits.save_seconds)},
    {"--probe-seconds", "GRADCHECKD_PROBE_SECONDS", 1, 604800, AT(limits.probe_seconds)},
    {"--retain-days", "GRADCHECKD_RETAIN_DAYS", 1, 36500, AT(limits.retain_days)},
    {"--retain-jobs", "GRADCHECKD_RETAIN_JOBS", 1, 10000000, AT(limits.retain_jobs)},
    {"--retain-bytes", "GRADCHECKD_RETAIN_BYTES", 1 << 20, 1LL << 40, AT(limits.retain_bytes)},
};

static long long number_at(const struct config *config, size_t place)
{
    int64_t number;
    memcpy(&number, (const char *)config + place, sizeof number);
    return number;
}

START_TEST(numbers_have_bounds)
{
    const struct number *n = &numbers[_i];
    const long long values[] = {n->minimum - 1, n->minimum, n->maximum, n->maximum + 1};
    for (size_t i = 0; i < COUNT(values); i++) {
        const enum config_outcome want = i == 1 || i == 2 ? CONFIG_RUN : CONFIG_USAGE;
        struct config config;
        char text[32];
        snprintf(text, sizeof text, "%lld", values[i]);
        ck_assert_msg(READ(&config, n->flag, text, NULL) == want, "%s %s", n->flag, text);
        if (want == CONFIG_RUN) ck_assert_int_eq(number_at(&config, n->place), values[i]);
        setenv(n->variable, text, 1);
        ck_assert_msg(READ(&config, NULL) == want, "%s=%s", n->variable, text);
        if (want == CONFIG_RUN) ck_assert_int_eq(number_at(&config, n->place), values[i]);
        unsetenv(n->variable);
    }
}
END_TEST

static const char *const no_numbers[] = {
    "",    " ",   "x",   "2x",  "2 ",
    "0x2", "1e1", "2.5", "-2",  "--",
    "nan", "two", "2,0", "2_0", "99999999999999999999",
};

START_TEST(what_is_no_number_is_refused)
{
    struct config config;
    ck_assert_int_eq(READ(&config, "--workers", no_numbers[_i], NULL), CONFIG_USAGE);
}
END_TEST

START_TEST(words_are_those_of_the_list)
{
    const char *const words[] = {"auto", "generic", "avx2", "avx512"};
    for (size_t i = 0; i < COUNT(words); i++) {
        struct config config;
        ck_assert_int_eq(READ(&config, "--kernels", words[i], NULL), CONFIG_RUN);
        ck_assert_str_eq(config.kernels, words[i]);
        setenv("GRADCHECKD_KERNELS", words[i], 1);
        ck_assert_int_eq(READ(&config, NULL), CONFIG_RUN);
        ck_assert_str_eq(config.kernels, words[i]);
    }
}
END_TEST

START_TEST(what_is_no_word_is_refused)
{
    const char *const bad[] = {"", "a", "AVX2", "avx", "avx5122", " auto", "auto|generic", "|"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct config config;
        unsetenv("GRADCHECKD_KERNELS");
        ck_assert_msg(READ(&config, "--kernels", bad[i], NULL) == CONFIG_USAGE, "'%s'", bad[i]);
        setenv("GRADCHECKD_KERNELS", bad[i], 1);
        ck_assert_msg(READ(&config, NULL) == CONFIG_USAGE, "'%s' in the environment", bad[i]);
    }
}
END_TEST

START_TEST(a_switch_stands_alone)
{
    struct config config;
    ck_assert_int_eq(READ(&config, "--insecure", "--workers", "2", NULL), CONFIG_RUN);
    ck_assert(config.insecure && config.workers == 2);
    ck_assert_int_eq(READ(&config, "--insecure=true", NULL), CONFIG_RUN);
    ck_assert(config.insecure);
    setenv("GRADCHECKD_INSECURE", "true", 1);
    ck_assert_int_eq(READ(&config, NULL), CONFIG_RUN);
    ck_assert(config.insecure);
    ck_assert_int_eq(READ(&config, "--insecure=false", NULL), CONFIG_RUN);
    ck_assert(!config.insecure);
    setenv("GRADCHECKD_INSECURE", "false", 1);
    ck_assert_int_eq(READ(&config, NULL), CONFIG_RUN);
    ck_assert(!config.insecure);
}
END_TEST

START_TEST(a_switch_is_true_or_false)
{
    const char *const bad[] = {"", "1", "yes", "TRUE", "true ", "falsehood"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct config config;
        char argument[64];
        snprintf(argument, sizeof argument, "--insecure=%s", bad[i]);
        unsetenv("GRADCHECKD_INSECURE");
        ck_assert_msg(READ(&config, argument, NULL) == CONFIG_USAGE, "%s", argument);
        setenv("GRADCHECKD_INSECURE", bad[i], 1);
        ck_assert_msg(READ(&config, NULL) == CONFIG_USAGE, "'%s' in the environment", bad[i]);
    }
    unsetenv("GRADCHECKD_INSECURE");
    struct config config;
    ck_assert_int_eq(READ(&config, "--insecure", "true", NULL), CONFIG_USAGE);
}
END_TEST

START_TEST(texts_are_taken_as_they_are)
{
    struct config config;
    ck_assert_int_eq(READ(&config, "--tls-cert", "a.pem", "--tls-key=b.pem", "--behind-proxy",
                          "10.0.0.0/8,::1", "--listen", "unix:a b", NULL),
                     CONFIG_RUN);
    ck_assert_str_eq(config.tls_cert, "a.pem");
    ck_assert_str_eq(config.tls_key, "b.pem");
    ck_assert_str_eq(config.behind_proxy, "10.0.0.0/8,::1");
    ck_assert_str_eq(config.listen, "unix:a b");
}
END_TEST

START_TEST(what_is_no_option_is_refused)
{
    static const char *const bad[] = {
        "--worker", "--workerss", "-workers", "workers",     "",          "-",
        "--",       "--=",        "-h",       "--Workers=2", "--help=no", "--version=1"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct config config;
        ck_assert_msg(READ(&config, bad[i], NULL) == CONFIG_USAGE, "'%s'", bad[i]);
    }
}
END_TEST

START_TEST(a_flag_without_a_value_is_refused)
{
    struct config config;
    ck_assert_int_eq(READ(&config, "--workers", NULL), CONFIG_USAGE);
    ck_assert_int_eq(READ(&config, "--workers=", NULL), CONFIG_USAGE);
    ck_assert_int_eq(READ(&config, "--workers=2", "--listen", NULL), CONFIG_USAGE);
}
END_TEST

/* Standard output of one call; --help exits before anything that follows is read. */
static const char *printed(const char *flag)
{
    static char text[16384];
    struct config config;
    FILE *file = tmpfile();
    fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    const enum config_outcome outcome = READ(&config, flag, "--no-such-option", NULL);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    ck_assert(outcome == CONFIG_EXIT || outcome == CONFIG_HELP);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

START_TEST(help_lists_every_option_with_default_and_bounds)
{
    const char *help = printed("--help");
    for (size_t i = 0; i < COUNT(numbers); i++) {
        char bounds[64];
        snprintf(bounds, sizeof bounds, "%lld to %lld)", numbers[i].minimum, numbers[i].maximum);
        const char *at = strstr(help, numbers[i].flag);
        ck_assert_msg(at != NULL, "%s", numbers[i].flag);
        ck_assert_msg(strstr(at, numbers[i].variable) != NULL, "%s", numbers[i].variable);
        ck_assert_msg(strstr(at, bounds) != NULL, "%s", bounds);
    }
    ck_assert_ptr_nonnull(strstr(help, "GRADCHECKD_LISTEN; default 127.0.0.1:8080"));
    ck_assert_ptr_nonnull(strstr(help, "GRADCHECKD_HOST_NAME; default none"));
    ck_assert_ptr_nonnull(strstr(help, "--kernels auto|generic|avx2|avx512"));
    ck_assert_ptr_nonnull(strstr(help, "GRADCHECKD_KERNELS; default auto)"));
    ck_assert_ptr_nonnull(strstr(help, "--insecure\n"));
    ck_assert_ptr_nonnull(strstr(help, "(GRADCHECKD_INSECURE)"));
    ck_assert_ptr_nonnull(strstr(help, "default one a processor, 1 to 64)"));
    ck_assert_ptr_nonnull(strstr(help, "default 100000, in memory 10000, 1 to 10000000)"));
}
END_TEST

START_TEST(version_is_one_line)
{
    ck_assert_str_eq(printed("--version"), "gradcheckd " GCK_VERSION "\n");
}
END_TEST

SUITE_MAIN("config", {defaults, 0}, {there_is_a_worker_for_each_processor, 0},
           {a_flag_takes_the_next_argument_or_what_follows_the_equals_sign, 0},
           {the_last_flag_counts, 0}, {a_flag_goes_over_the_environment_over_the_default, 0},
           {numbers_have_bounds, COUNT(numbers)}, {what_is_no_number_is_refused, COUNT(no_numbers)},
           {what_is_kept_depends_on_the_store, 0}, {a_switch_stands_alone, 0},
           {a_switch_is_true_or_false, 0}, {texts_are_taken_as_they_are, 0},
           {words_are_those_of_the_list, 0}, {what_is_no_word_is_refused, 0},
           {what_is_no_option_is_refused, 0}, {a_flag_without_a_value_is_refused, 0},
           {help_lists_every_option_with_default_and_bounds, 0}, {version_is_one_line, 0})
