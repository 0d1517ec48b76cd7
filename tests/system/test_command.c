/* The program's commands: their arguments, what they print, how they end. */
#include "problems.h"
#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

/* A folder for data that no daemon has. */
static const char *folder_prepare(struct service *service)
{
    service_prepare(service, "");
    return format("%s/data", service->folder);
}

START_TEST(wrong_arguments)
{
    static const struct {
        const char *arguments, *told; /* in the message */
    } cases[] = {
        {"token", "'token'"},
        {"tokens add alice", "'tokens add'"},
        {"token ad alice", "'token ad'"},
        {"TOKEN add alice", "'TOKEN add'"},
        {"frob", "'frob'"},
        {"serve --workers 1", "'serve --workers'"},
        {"token add", "needs a NAME"},
        {"token revoke", "needs a NAME"},
        {"backup", "needs a FILE"},
        {"token add alice bob", "'bob'"},
        {"token list alice", "'alice'"},
        {"token revoke alice bob", "'bob'"},
        {"token add alice --admn", "'--admn'"},
        {"token add alice --workers 2", "'--workers'"},
        {"token add alice --listen 127.0.0.1:0", "'--listen'"},
        {"token add alice --version", "'--version'"},
        {"token list --admin", "'--admin'"},
        {"token revoke alice --expires 1d", "'--expires'"},
        {"token add --admin --read-only alice", "--read-only"},
        {"token add alice --admin=yes", "--admin"},
        {"token add alice --expires", "--expires"},
        {"token add alice --data-dir", "--data-dir"},
        {"token add alice --expires --admin", "--expires needs a value"},
        {"token add alice --data-dir --admin", "--data-dir needs a value"},
        {"token add -alice", "'-alice'"},
        {"token add .alice", "'.alice'"},
        {"token add al/ice", "'al/ice'"},
        {"token add ../alice", "'../alice'"},
        {"token add al\nice", "al\nice"},
        {"token add caf\xc3\xa9", "caf\xc3\xa9"},
        {"token add alice --expires 90", "'90'"},
        {"token add alice --expires d", "'d'"},
        {"token add alice --expires 0d", "'0d'"},
        {"token add alice --expires -1d", "'-1d'"},
        {"token add alice --expires +1d", "'+1d'"},
        {"token add alice --expires 1.5d", "'1.5d'"},
        {"token add alice --expires 1D", "'1D'"},
        {"token add alice --expires 1dd", "'1dd'"},
        {"token add alice --expires 90days", "'90days'"},
        {"token add alice --expires 101y", "'101y'"},
        {"token add alice --expires 36501d", "'36501d'"},
        {"token add alice --expires 99999999999999999999y", "'99999999999999999999y'"},
        {"token add alice --expires=", "''"},
        {"token add alice --store postgresql://localhost/x", "'postgresql://localhost/x'"},
        {"token list --store nothing:", "'nothing:'"},
        {"token revoke alice --store sqlite", "'sqlite'"},
        {"backup copy --store memory:", "memory"},
    };
    int failed = 0;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct output output;
        const char *fault = NULL;
        program_run(cases[i].arguments, &output);
        if (output.status != 2) fault = format("exit status %d", output.status);
        if (strstr(output.err, cases[i].told) == NULL) fault = output.err;
        if (output.out[0] != '\0') fault = format("prints %s", output.out);
        if (fault != NULL) failed += case_failed(cases[i].arguments, fault);
    }
    ck_assert_int_eq(failed, 0);
}

START_TEST(a_wrong_command_shows_all)
{
    static const char *const names[] = {"token add NAME", "token list", "token revoke NAME",
                                        "backup FILE", "--help"};
    struct output output;
    program_run("frob", &output);
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        ck_assert_msg(strstr(output.err, names[i]) != NULL, "no %s in:\n%s", names[i], output.err);
}

START_TEST(help)
{
    static const char *const names[] = {"token add NAME", "token list", "token revoke NAME",
                                        "backup FILE",    "--data-dir", "--expires"};
    struct output output;
    program_run("--help", &output);
    ck_assert_int_eq(output.status, 0);
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        ck_assert_msg(strstr(output.out, names[i]) != NULL, "no %s in:\n%s", names[i], output.out);
    program_run("token --help", &output);
    ck_assert_int_eq(output.status, 0);
    ck_assert_ptr_nonnull(strstr(output.out, "token revoke NAME"));
    ck_assert_str_eq(output.err, "");
    program_run("token add --help", &output);
    ck_assert_int_eq(output.status, 0);
    ck_assert_ptr_nonnull(strstr(output.out, "token add NAME [--admin | --read-only]"));
    ck_assert_ptr_null(strstr(output.out, "revoke"));
    ck_assert_str_eq(output.err, "");
}

/* ---- ages ---- */

static double seconds_of(const char *time)
{
    struct tm utc = {0};
    ck_assert_int_eq(sscanf(time, "%d-%d-%dT%d:%d:%d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                            &utc.tm_hour, &utc.tm_min, &utc.tm_sec),
                     6);
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return (double)timegm(&utc);
}

/* Seconds from when a token was made until it expires, from its line in the file; 0 for never. */
static double age_of(const struct service *service, const char *name)
{
    char line[512] = "", created[64] = "", expires[64] = "";
    const char *path = format("%s/data/tokens", service->folder);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ') break;
    fclose(file);
    ck_assert_int_eq(sscanf(line, "%*s %*s %*s %63s %63s", created, expires), 2);
    if (strcmp(expires, "-") == 0) return 0;
    /* Both have the same milliseconds. */
    return seconds_of(expires) - seconds_of(created);
}

START_TEST(ages)
{
    static const struct {
        const char *option;
        double seconds;
    } cases[] = {
        {"", 0},
        {"--expires 1s", 1},
        {"--expires 30m", 1800},
        {"--expires=12h", 43200},
        {"--expires 90d", 7776000},
        {"--expires 2w", 1209600},
        {"--expires 1y", 31536000},
        {"--expires 100y", 3153600000},
        {"--expires 0001d", 86400},
    };
    struct service service;
    folder_prepare(&service);
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *name = format("user-%zu", i);
        token_add(&service, format("%s %s", name, cases[i].option));
        ck_assert_msg(age_of(&service, name) == cases[i].seconds, "%s: %g s", cases[i].option,
                      age_of(&service, name));
    }
}

/* ---- adding and revoking ---- */

START_TEST(arguments_stand_in_any_order)
{
    struct service service;
    struct output output;
    const char *folder = folder_prepare(&service);
    program_run(format("token add --expires 1d --data-dir=%s --admin alice", folder), &output);
    ck_assert_msg(output.status == 0, "%s", output.err);
    program_run(format("token list --store sqlite: --data-dir %s", folder), &output);
    ck_assert_ptr_nonnull(strstr(output.out, "alice  admin "));
    /* As the daemon does, from the environment. */
    ck_assert_int_eq(setenv("GRADCHECKD_DATA_DIR", folder, 1), 0);
    program_run("token revoke alice", &output);
    ck_assert_msg(output.status == 0, "%s", output.err);
    program_run("token list", &output);
    ck_assert_ptr_nonnull(strstr(output.out, " revoked "));
}

START_TEST(a_name_has_one_active_token)
{
    struct service service;
    struct output output;
    folder_prepare(&service);
    const char *first = token_add(&service, "alice");
    token_run(&service, "add alice --admin", &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_msg(strstr(output.err, "alice has an active token") != NULL, "%s", output.err);
    ck_assert_str_eq(output.out, "");
    token_revoke(&service, "alice");
    ck_assert_str_ne(token_add(&service, "alice --admin"), first);
    token_run(&service, "list", &output);
    ck_assert_ptr_nonnull(strstr(output.out, "\nalice  admin "));
    ck_assert_ptr_null(strstr(output.out, "revoked"));
}

START_TEST(names_are_told_apart)
{
    struct service service;
    struct output output;
    folder_prepare(&service);
    token_add(&service, "a");
    token_add(&service, "A");
    token_add(&service, "a.b-c_D");
    token_add(&service, "0123456789012345678901234567890123456789012345678901234567890123");
    token_run(&service, "add 01234567890123456789012345678901234567890123456789012345678901234",
              &output);
    ck_assert_int_eq(output.status, 2);
    token_revoke(&service, "A");
    token_run(&service, "list", &output);
    ck_assert_ptr_nonnull(strstr(output.out, "\na "));
}

START_TEST(revoking_again_is_no_fault)
{
    struct service service;
    struct output before, after;
    folder_prepare(&service);
    token_add(&service, "alice");
    token_revoke(&service, "alice");
    token_run(&service, "list", &before);
    token_revoke(&service, "alice");
    token_run(&service, "list", &after);
    ck_assert_str_eq(before.out, after.out);
}

START_TEST(what_is_not_there_cannot_be_revoked)
{
    struct service service;
    struct output output;
    const char *folder = folder_prepare(&service);
    token_run(&service, "revoke alice", &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_msg(strstr(output.err, folder) != NULL, "%s", output.err);
    /* A folder that was misspelt is not made by this. */
    ck_assert_int_ne(access(folder, F_OK), 0);
    token_add(&service, "bob");
    token_run(&service, "revoke alice", &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_msg(strstr(output.err, "alice") != NULL, "%s", output.err);
}

START_TEST(a_folder_that_cannot_be_made)
{
    struct output output;
    program_run("token add alice --data-dir /proc/none/data", &output);
    ck_assert_int_eq(output.status, 1);
    ck_assert_msg(strstr(output.err, "/proc/none/data") != NULL, "%s", output.err);
    ck_assert_str_eq(output.out, "");
    program_run("token add alice --data-dir stderr", &output); /* a file */
    ck_assert_int_eq(output.status, 1);
}

/* ---- listing ---- */

START_TEST(a_list_has_a_row_a_token)
{
    struct service service;
    struct output output;
    char name[65], role[16], created[32], expires[32], state[16], used[32];
    folder_prepare(&service);
    token_add(&service, "alice");
    token_add(&service, "a-rather-long-name --read-only --expires 1y");
    token_run(&service, "list", &output);
    ck_assert_int_eq(output.status, 0);
    ck_assert_str_eq(output.err, "");
    const char *line = output.out;
    const size_t column = (size_t)(strstr(line, "ROLE") - line);
    ck_assert_int_eq(strncmp(line, "NAME ", 5), 0);
    line = strchr(line, '\n') + 1;
    ck_assert_int_eq(strncmp(line + column, "user ", 5), 0);
    ck_assert_int_eq(
        sscanf(line, "%64s %15s %31s %31s %15s %31s", name, role, created, expires, state, used),
        6);
    ck_assert_str_eq(name, "alice");
    ck_assert_str_eq(expires, "-");
    ck_assert_str_eq(state, "active");
    ck_assert_str_eq(used, "-");
    line = strchr(line, '\n') + 1;
    ck_assert_int_eq(strncmp(line + column, "read-only ", 10), 0);
    ck_assert_int_eq(
        sscanf(line, "%64s %15s %31s %31s %15s %31s", name, role, created, expires, state, used),
        6);
    ck_assert_str_eq(name, "a-rather-long-name");
    ck_assert_uint_eq(strlen(created), 24);
    ck_assert_uint_eq(strlen(expires), 24);
    ck_assert_str_eq(strchr(line, '\n'), "\n");
}

START_TEST(a_list_of_nothing)
{
    struct service service;
    struct output output;
    const char *folder = folder_prepare(&service);
    token_run(&service, "list", &output);
    ck_assert_int_eq(output.status, 0);
    ck_assert_int_eq(strncmp(output.out, "NAME ", 5), 0);
    ck_assert_str_eq(strchr(output.out, '\n'), "\n");
    ck_assert_msg(strstr(output.err, folder) != NULL, "%s", output.err);
    ck_assert_int_ne(access(folder, F_OK), 0);
}

int main(void)
{
    const TTest *const tests[] = {wrong_arguments,
                                  a_wrong_command_shows_all,
                                  help,
                                  ages,
                                  arguments_stand_in_any_order,
                                  a_name_has_one_active_token,
                                  names_are_told_apart,
                                  revoking_again_is_no_fault,
                                  what_is_not_there_cannot_be_revoked,
                                  a_folder_that_cannot_be_made,
                                  a_list_has_a_row_a_token,
                                  a_list_of_nothing,
                                  NULL};
    return suite_main("command", tests);
}
