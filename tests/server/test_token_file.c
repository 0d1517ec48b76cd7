/* The files of tokens: made for their owner alone, replaced whole, changed by one at a time. */
#include "server/clock.h"
#include "server/token_file.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/folders.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct token_entry entry_named(const char *name)
{
    struct token_entry entry = {.created_ms = clock_wall_ms()};
    snprintf(entry.name, sizeof entry.name, "%s", name);
    ck_assert(digest_of(name, strlen(name), &entry.digest));
    return entry;
}

/* As the command does it. */
static void add(const char *folder, const char *name)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    const struct token_entry entry = entry_named(name);
    const int lock = token_file_lock(folder, true, fault);
    ck_assert_msg(lock >= 0, "%s", fault);
    ck_assert_msg(token_file_load(folder, &list, fault) != TOKEN_FILE_BAD, "%s", fault);
    ck_assert_msg(token_list_add(&list, &entry, fault), "%s", fault);
    ck_assert_msg(token_file_store(folder, &list, fault), "%s", fault);
    token_file_unlock(lock);
    token_list_done(&list);
}

static struct token_list load(const char *folder)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    ck_assert_msg(token_file_load(folder, &list, fault) == TOKEN_FILE_OK, "%s", fault);
    return list;
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

START_TEST(a_missing_file_is_an_empty_list)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    const char *folder = folder_new();
    ck_assert_int_eq(token_file_load(folder, &list, fault), TOKEN_FILE_MISSING);
    ck_assert_uint_eq(list.count, 0);
    token_list_done(&list);
    ck_assert_int_eq(token_file_load(folder_path(folder, "none"), &list, fault),
                     TOKEN_FILE_MISSING);
    token_list_done(&list);
}
END_TEST

START_TEST(what_is_made_is_its_owners_alone)
{
    const char *folder = folder_path(folder_new(), "data");
    umask(0);
    add(folder, "alice");
    ck_assert_uint_eq(mode_of(folder), 0700);
    ck_assert_uint_eq(mode_of(folder_path(folder, "tokens")), 0600);
    ck_assert_uint_eq(mode_of(folder_path(folder, "tokens.lock")), 0600);
    struct token_list list = load(folder);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(list.entry[0].name, "alice");
    token_list_done(&list);
}
END_TEST

START_TEST(the_folder_is_made_only_when_wanted)
{
    char fault[TOKEN_FAULT_SIZE] = "";
    const char *folder = folder_path(folder_new(), "data");
    ck_assert_int_lt(token_file_lock(folder, false, fault), 0);
    ck_assert_ptr_nonnull(strstr(fault, folder));
    ck_assert_int_ne(access(folder, F_OK), 0);
}
END_TEST

START_TEST(a_fault_names_file_and_line)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    const char *folder = folder_new();
    folder_write(folder, "tokens", "gradcheckd tokens 1\nalice\n");
    ck_assert_int_eq(token_file_load(folder, &list, fault), TOKEN_FILE_BAD);
    ck_assert_ptr_nonnull(strstr(fault, folder_path(folder, "tokens: line 2: ")));
    folder_write(folder, "tokens", "");
    ck_assert_int_eq(token_file_load(folder, &list, fault), TOKEN_FILE_BAD);
}
END_TEST

/* None of these may pass for a folder without tokens, or hold the reader up. */
START_TEST(what_is_no_plain_file_is_a_fault)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    const char *folder = folder_new(), *path = folder_path(folder, "tokens");
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(token_file_load(folder, &list, fault), TOKEN_FILE_BAD);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(token_file_load(folder, &list, fault), TOKEN_FILE_BAD);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("tokens", path), 0);
    ck_assert_int_eq(token_file_load(folder, &list, fault), TOKEN_FILE_BAD);
}
END_TEST

START_TEST(a_file_that_is_too_large_is_a_fault)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    const char *folder = folder_new();
    const int fd = open(folder_path(folder, "tokens"), O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(ftruncate(fd, INT64_C(1) << 40), 0);
    close(fd);
    ck_assert_int_eq(token_file_load(folder, &list, fault), TOKEN_FILE_BAD);
}
END_TEST

START_TEST(what_a_killed_writer_left_is_no_hindrance)
{
    const char *folder = folder_new();
    folder_write(folder, "tokens.new", "half a li");
    add(folder, "alice");
    struct token_list list = load(folder);
    ck_assert_uint_eq(list.count, 1);
    token_list_done(&list);
    ck_assert_ptr_null(folder_read(folder, "tokens.new"));
}
END_TEST

/* A reader never sees half a list: it holds the old file, or opens the new one. */
START_TEST(a_list_is_replaced_not_written_over)
{
    char text[512] = "";
    const char *folder = folder_new();
    add(folder, "alice");
    const int fd = open(folder_path(folder, "tokens"), O_RDONLY);
    snprintf(text, sizeof text, "%s", folder_read(folder, "tokens"));
    add(folder, "bob");
    char before[512] = "";
    ck_assert_int_eq(read(fd, before, sizeof before - 1), (int)strlen(text));
    ck_assert_str_eq(before, text);
    close(fd);
}
END_TEST

START_TEST(nothing_changes_where_nothing_can_be_written)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    const char *folder = folder_new();
    add(folder, "alice");
    list = load(folder);
    /* The place of the new file is taken by what cannot be removed like one. */
    ck_assert_int_eq(mkdir(folder_path(folder, "tokens.new"), 0700), 0);
    list.entry[0].revoked_ms = 1;
    ck_assert(!token_file_store(folder, &list, fault));
    ck_assert_str_ne(fault, "");
    token_list_done(&list);
    list = load(folder);
    ck_assert_int_eq(list.entry[0].revoked_ms, 0);
    token_list_done(&list);
}
END_TEST

START_TEST(several_processes_add_together)
{
    enum { PROCESSES = 8, TOKENS = 10 };
    const char *folder = folder_path(folder_new(), "data");
    for (int process = 0; process < PROCESSES; process++) {
        if (fork() != 0) continue;
        for (int i = 0; i < TOKENS; i++) {
            char name[32];
            snprintf(name, sizeof name, "p%d-%d", process, i);
            add(folder, name);
        }
        _exit(0);
    }
    int status;
    while (wait(&status) > 0)
        ck_assert_int_eq(status, 0);
    struct token_list list = load(folder);
    ck_assert_uint_eq(list.count, PROCESSES * TOKENS);
    token_list_done(&list);
}
END_TEST

/* ---- last uses ---- */

START_TEST(last_uses_come_back)
{
    static struct token_use uses[TOKENS_MAX], again[TOKENS_MAX];
    char fault[TOKEN_FAULT_SIZE] = "";
    const char *folder = folder_new();
    ck_assert_uint_eq(token_file_load_uses(folder, again), 0);
    for (int i = 0; i < TOKENS_MAX; i++) {
        snprintf(uses[i].name, sizeof uses[i].name, "%064d", i);
        uses[i].used_ms = INT64_C(1700000000000) + i;
    }
    ck_assert_msg(token_file_store_uses(folder, uses, TOKENS_MAX, fault), "%s", fault);
    ck_assert_uint_eq(mode_of(folder_path(folder, "tokens.used")), 0600);
    ck_assert_uint_eq(token_file_load_uses(folder, again), TOKENS_MAX);
    for (int i = 0; i < TOKENS_MAX; i++) {
        ck_assert_str_eq(again[i].name, uses[i].name);
        ck_assert_int_eq(again[i].used_ms, uses[i].used_ms);
    }
}
END_TEST

/* They are not worth a refusal: what cannot be read is not there. */
START_TEST(damaged_last_uses_end_where_they_are_damaged)
{
#define USES "gradcheckd last uses 1\n"
#define USE(NAME) NAME " 2026-03-04T05:06:07.089Z\n"
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        {"", 0},
        {"gradcheckd last uses 2\n" USE("alice"), 0},
        {USES, 0},
        {USES USE("alice"), 1},
        {USES USE("alice") USE("bob"), 2},
        {USES USE("alice") "bob\n", 1},
        {USES USE("alice") "\n" USE("bob"), 1},
        {USES USE("alice") "bob never\n" USE("carol"), 1},
        {USES USE("alice") "-bob 2026-03-04T05:06:07.089Z\n", 1},
        {USES USE("alice") "bob 2026-03-04T05:06:07.089Z", 1},
        {USES USE("alice") USE("0123456789012345678901234567890123456789012345678901234567890123"
                               "4567890123456789012345678901234567890123456789"),
         1},
    };
    static struct token_use uses[TOKENS_MAX];
    const char *folder = folder_new();
    for (size_t i = 0; i < COUNT(cases); i++) {
        folder_write(folder, "tokens.used", cases[i].text);
        const size_t count = token_file_load_uses(folder, uses);
        ck_assert_msg(count == cases[i].count, "%s: %zu", cases[i].text, count);
        if (count > 0) ck_assert_str_eq(uses[0].name, "alice");
    }
}
END_TEST

SUITE_MAIN("token_file", {a_missing_file_is_an_empty_list, 0},
           {what_is_made_is_its_owners_alone, 0}, {the_folder_is_made_only_when_wanted, 0},
           {a_fault_names_file_and_line, 0}, {what_is_no_plain_file_is_a_fault, 0},
           {a_file_that_is_too_large_is_a_fault, 0}, {what_a_killed_writer_left_is_no_hindrance, 0},
           {a_list_is_replaced_not_written_over, 0},
           {nothing_changes_where_nothing_can_be_written, 0}, {several_processes_add_together, 0},
           {last_uses_come_back, 0}, {damaged_last_uses_end_where_they_are_damaged, 0})
