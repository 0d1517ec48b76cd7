/* The list of tokens as text: what is taken, and which line is named when it is not. */
#include "server/clock.h"
#include "server/token_list.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <stdio.h>
#include <string.h>

#define HEAD "gradcheckd tokens 1\n"
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MADE "2026-03-04T05:06:07.089Z"
#define LATER "2027-03-04T05:06:07.089Z"
#define GOOD(NAME) NAME " user " HEX " " MADE " - -\n"

static bool parse(const char *text, struct token_list *list, char fault[TOKEN_FAULT_SIZE])
{
    fault[0] = '\0';
    return token_list_parse(text, strlen(text), list, fault);
}

static struct token_list list_of(const char *text)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE];
    ck_assert_msg(parse(text, &list, fault), "%s", fault);
    return list;
}

START_TEST(times)
{
    static const char *const good[] = {"1970-01-01T00:00:00.001Z", "2000-02-29T23:59:59.999Z",
                                       "2026-03-04T05:06:07.089Z", "9999-12-31T23:59:59.999Z"};
    static const char *const bad[] = {
        "",
        "-",
        "2026-03-04",
        "2026-03-04T05:06:07Z",
        "2026-03-04T05:06:07.08Z",
        "2026-03-04T05:06:07.0890Z",
        "2026-03-04T05:06:07.089z",
        "2026-03-04t05:06:07.089Z",
        "2026-03-04 05:06:07.089Z",
        "2026-03-04T05:06:07.089+",
        "2026-02-29T05:06:07.089Z", /* no leap year */
        "2026-13-04T05:06:07.089Z",
        "2026-00-04T05:06:07.089Z",
        "2026-03-00T05:06:07.089Z",
        "2026-03-04T24:00:00.000Z",
        "2026-03-04T05:60:07.089Z",
        "2026-03-04T05:06:60.089Z",
        "+026-03-04T05:06:07.089Z",
        "1970-01-01T00:00:00.000Z", /* stands for never */
        "1969-12-31T23:59:59.999Z",
    };
    int64_t ms;
    for (size_t i = 0; i < COUNT(good); i++) {
        char text[CLOCK_TEXT_SIZE];
        ck_assert_msg(clock_parse(good[i], &ms), "%s", good[i]);
        ck_assert_str_eq(clock_format(ms, text), good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!clock_parse(bad[i], &ms), "%s", bad[i]);
    ck_assert(clock_parse("2001-09-09T01:46:40.123Z", &ms));
    ck_assert_int_eq(ms, INT64_C(1000000000123));
}
END_TEST

START_TEST(a_list_comes_back)
{
    static const char text[] = HEAD "alice user " HEX " " MADE
                                    " - -\n"
                                    "Bob.2 admin " HEX " " MADE " " LATER
                                    " -\n"
                                    "c-_ read-only " HEX " " MADE " - " LATER "\n";
    struct token_list list = list_of(text);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_str_eq(list.entry[1].name, "Bob.2");
    ck_assert_int_eq(list.entry[0].role, ROLE_USER);
    ck_assert_int_eq(list.entry[1].role, ROLE_ADMIN);
    ck_assert_int_eq(list.entry[2].role, ROLE_READER);
    ck_assert_int_eq(list.entry[0].expires_ms, 0);
    ck_assert_int_gt(list.entry[1].expires_ms, list.entry[1].created_ms);
    ck_assert_int_eq(list.entry[2].revoked_ms, list.entry[1].expires_ms);
    struct buf again = {.limit = TOKEN_LIST_BYTES};
    ck_assert(token_list_format(&list, &again));
    ck_assert_uint_eq(again.size, strlen(text));
    ck_assert_int_eq(memcmp(again.data, text, again.size), 0);
    buf_done(&again);
    token_list_done(&list);
}
END_TEST

START_TEST(faults_name_their_line)
{
    static const struct {
        const char *text;
        int line;
    } cases[] = {
        {"", 1},
        {"\n", 1},
        {"gradcheckd tokens 1", 1}, /* not whole */
        {"gradcheckd tokens 2\n", 1},
        {"Gradcheckd tokens 1\n", 1},
        {GOOD("alice"), 1},
        {HEAD "\n", 2},
        {HEAD "alice\n", 2},
        {HEAD GOOD("alice") GOOD("bob") "carol user " HEX " " MADE " - -", 4},
        {HEAD GOOD("alice") GOOD("alice"), 3},
        {HEAD GOOD("alice") GOOD(".alice"), 3},
        {HEAD GOOD("alice") GOOD("ali,ce"), 3},
        {HEAD GOOD("alice") GOOD("\xc3\xa4"), 3},
        {HEAD " user " HEX " " MADE " - -\n", 2},
        {HEAD "alice  user " HEX " " MADE " - -\n", 2},
        {HEAD " alice user " HEX " " MADE " - -\n", 2},
        {HEAD "alice user " HEX " " MADE " - - \n", 2},
        {HEAD "alice user " HEX " " MADE " - -\r\n", 2},
        {HEAD "alice user " HEX " " MADE " - - -\n", 2},
        {HEAD "alice user " HEX " " MADE " -\n", 2},
        {HEAD "alice\tuser\t" HEX "\t" MADE "\t-\t-\n", 2},
        {HEAD "alice root " HEX " " MADE " - -\n", 2},
        {HEAD "alice User " HEX " " MADE " - -\n", 2},
        {HEAD "alice user " HEX "0 " MADE " - -\n", 2},
        {HEAD "alice user 0" MADE " - -\n", 2},
        {HEAD "alice user - " MADE " - -\n", 2},
        {HEAD "alice user " HEX " - - -\n", 2},
        {HEAD "alice user " HEX " " MADE " never -\n", 2},
        {HEAD "alice user " HEX " " MADE " - 0\n", 2},
        {HEAD "alice user " HEX " " MADE " - 2026-03-04T05:06:07Z\n", 2},
        {HEAD GOOD("alice") "# a remark\n", 3},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct token_list list = {7, NULL};
        char fault[TOKEN_FAULT_SIZE], start[32];
        ck_assert_msg(!parse(cases[i].text, &list, fault), "%s", cases[i].text);
        snprintf(start, sizeof start, "line %d: ", cases[i].line);
        ck_assert_msg(strncmp(fault, start, strlen(start)) == 0, "%s: %s", cases[i].text, fault);
        ck_assert_uint_eq(list.count, 7); /* untouched */
    }
}
END_TEST

START_TEST(a_fault_does_not_repeat_the_line)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE];
    ck_assert(!parse(HEAD "alice root " HEX " " MADE " - -\n", &list, fault));
    ck_assert_ptr_null(strstr(fault, "0123456789"));
}
END_TEST

START_TEST(a_nul_is_a_fault)
{
    static const char text[] = HEAD "alice\0user " HEX " " MADE " - -\n";
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE];
    ck_assert(!token_list_parse(text, sizeof text - 1, &list, fault));
    ck_assert_ptr_nonnull(strstr(fault, "line 2"));
}
END_TEST

START_TEST(a_heading_alone_is_an_empty_list)
{
    struct token_list list = list_of(HEAD);
    ck_assert_uint_eq(list.count, 0);
    token_list_done(&list);
}
END_TEST

START_TEST(long_lines_and_names)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE], name[NAME_SIZE + 1], text[1024];
    memset(name, 'n', sizeof name);
    name[NAME_SIZE - 1] = '\0';
    snprintf(text, sizeof text, HEAD "%s read-only " HEX " " MADE " " LATER " " LATER "\n", name);
    list = list_of(text);
    ck_assert_str_eq(list.entry[0].name, name);
    token_list_done(&list);
    name[NAME_SIZE - 1] = 'n';
    name[NAME_SIZE] = '\0';
    snprintf(text, sizeof text, HEAD "%s user " HEX " " MADE " - -\n", name);
    ck_assert(!parse(text, &list, fault));
    snprintf(text, sizeof text, HEAD "%0500d\n", 1);
    ck_assert(!parse(text, &list, fault));
    ck_assert_ptr_nonnull(strstr(fault, "line 2"));
}
END_TEST

/* ---- states and changes ---- */

static struct token_entry entry_named(const char *name, int64_t created_ms)
{
    struct token_entry entry = {.created_ms = created_ms};
    snprintf(entry.name, sizeof entry.name, "%s", name);
    return entry;
}

START_TEST(states)
{
    struct token_entry entry = entry_named("alice", 1000);
    ck_assert_int_eq(token_state(&entry, INT64_MAX), TOKEN_ACTIVE);
    entry.expires_ms = 2000;
    ck_assert_int_eq(token_state(&entry, 1999), TOKEN_ACTIVE);
    ck_assert_int_eq(token_state(&entry, 2000), TOKEN_EXPIRED);
    entry.revoked_ms = 1500;
    ck_assert_int_eq(token_state(&entry, 1000), TOKEN_REVOKED);
    ck_assert_int_eq(token_state(&entry, 3000), TOKEN_REVOKED);
    ck_assert_str_eq(token_state_name(TOKEN_ACTIVE), "active");
    ck_assert_str_eq(token_state_name(TOKEN_EXPIRED), "expired");
    ck_assert_str_eq(token_state_name(TOKEN_REVOKED), "revoked");
}
END_TEST

START_TEST(an_active_token_is_not_replaced)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    ck_assert(token_list_init(&list));
    struct token_entry entry = entry_named("alice", 1000);
    entry.expires_ms = 2000;
    ck_assert(token_list_add(&list, &entry, fault));
    entry = entry_named("alice", 1999);
    ck_assert(!token_list_add(&list, &entry, fault));
    ck_assert_ptr_nonnull(strstr(fault, "alice"));
    ck_assert_int_eq(list.entry[0].created_ms, 1000);
    /* Once it has expired, it is; so is one that was revoked. */
    entry.created_ms = 2000;
    ck_assert(token_list_add(&list, &entry, fault));
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.entry[0].created_ms, 2000);
    token_list_find(&list, "alice")->revoked_ms = 2001;
    entry.created_ms = 2002;
    ck_assert(token_list_add(&list, &entry, fault));
    ck_assert_uint_eq(list.count, 1);
    ck_assert_int_eq(list.entry[0].revoked_ms, 0);
    ck_assert_ptr_null(token_list_find(&list, "alic"));
    token_list_done(&list);
}
END_TEST

static void fill(struct token_list *list)
{
    char name[32], fault[TOKEN_FAULT_SIZE];
    ck_assert(token_list_init(list));
    for (int i = 0; i < TOKENS_MAX; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        const struct token_entry entry = entry_named(name, 1000);
        ck_assert_msg(token_list_add(list, &entry, fault), "%s", fault);
    }
}

START_TEST(a_full_list_lets_go_of_what_is_over)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    fill(&list);
    const struct token_entry entry = entry_named("late", 3000);
    ck_assert(!token_list_add(&list, &entry, fault));
    ck_assert_str_ne(fault, "");
    token_list_find(&list, "name-500")->revoked_ms = 2000;
    ck_assert(token_list_add(&list, &entry, fault));
    ck_assert_uint_eq(list.count, TOKENS_MAX);
    ck_assert_ptr_null(token_list_find(&list, "name-500"));
    ck_assert_ptr_nonnull(token_list_find(&list, "name-499"));
    ck_assert_ptr_nonnull(token_list_find(&list, "name-501"));
    ck_assert_ptr_nonnull(token_list_find(&list, "late"));
    token_list_done(&list);
}
END_TEST

/* The largest list fits where it is kept, and one more line is a fault. */
START_TEST(the_largest_list_comes_back)
{
    struct token_list list, again;
    struct buf text = {.limit = TOKEN_LIST_BYTES};
    char fault[TOKEN_FAULT_SIZE];
    fill(&list);
    for (size_t i = 0; i < list.count; i++) {
        struct token_entry *entry = &list.entry[i];
        snprintf(entry->name, sizeof entry->name, "%064zu", i);
        entry->role = ROLE_READER;
        entry->expires_ms = entry->revoked_ms = 5000;
    }
    ck_assert(token_list_format(&list, &text));
    ck_assert_msg(token_list_parse(text.data, text.size, &again, fault), "%s", fault);
    ck_assert_uint_eq(again.count, TOKENS_MAX);
    token_list_done(&again);
    ck_assert(buf_append_text(&text, GOOD("more")));
    ck_assert(!token_list_parse(text.data, text.size, &again, fault));
    ck_assert_ptr_nonnull(strstr(fault, "line 1002"));
    buf_done(&text);
    token_list_done(&list);
}
END_TEST

SUITE_MAIN("token_list", {times, 0}, {a_list_comes_back, 0}, {faults_name_their_line, 0},
           {a_fault_does_not_repeat_the_line, 0}, {a_nul_is_a_fault, 0},
           {a_heading_alone_is_an_empty_list, 0}, {long_lines_and_names, 0}, {states, 0},
           {an_active_token_is_not_replaced, 0}, {a_full_list_lets_go_of_what_is_over, 0},
           {the_largest_list_comes_back, 0})
