/* Adding, listing and revoking tokens, beside a running daemon or without one. */
#include "server/clock.h"
#include "server/command.h"
#include "server/token.h"
#include "server/token_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t second_ms = 1000;

/* ---- ages ---- */

static const struct {
    char unit;
    int64_t seconds;
} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'y', 31536000}};

/* "90d": from 1s to 100y, a year being 365 days. */
static bool parse_age(const char *text, int64_t *ret_ms)
{
    const size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 10 || text[digits] == '\0' || text[digits + 1] != '\0') return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (text[digits] != units[i].unit) continue;
        const int64_t number = strtoll(text, NULL, 10), most = 100 * 365 * CLOCK_DAY_MS;
        if (number < 1 || number > most / second_ms / units[i].seconds) return false;
        *ret_ms = number * units[i].seconds * second_ms;
        return true;
    }
    return false;
}

/* ---- adding ---- */

static int read_entry(const struct command_line *line, struct token_entry *entry)
{
    const char *const *option = line->option;
    int64_t age_ms = 0;
    if (!name_is_valid(line->operand))
        return command_fail(EXIT_USAGE,
                            "a name is 1 to 64 letters, digits, '.', '_' and '-', and begins with "
                            "a letter or digit; got '%s'",
                            line->operand);
    if (option[COMMAND_ADMIN] != NULL && option[COMMAND_READ_ONLY] != NULL)
        return command_fail(EXIT_USAGE, "--admin and --read-only exclude each other");
    if (option[COMMAND_EXPIRES] != NULL && !parse_age(option[COMMAND_EXPIRES], &age_ms))
        return command_fail(EXIT_USAGE,
                            "--expires takes 1s to 100y, such as 30m, 12h, 90d, 2w or 1y; got '%s'",
                            option[COMMAND_EXPIRES]);
    *entry = (struct token_entry){.role = option[COMMAND_ADMIN] != NULL       ? ROLE_ADMIN
                                          : option[COMMAND_READ_ONLY] != NULL ? ROLE_READER
                                                                              : ROLE_USER,
                                  .created_ms = clock_wall_ms()};
    snprintf(entry->name, sizeof entry->name, "%s", line->operand);
    if (age_ms > 0) entry->expires_ms = entry->created_ms + age_ms;
    return EXIT_SUCCESS;
}

/* With the lock held. */
static bool add(const char *folder, const struct token_entry *entry, char fault[TOKEN_FAULT_SIZE])
{
    struct token_list list;
    if (token_file_load(folder, &list, fault) == TOKEN_FILE_BAD) return false;
    const bool added =
        token_list_add(&list, entry, fault) && token_file_store(folder, &list, fault);
    token_list_done(&list);
    return added;
}

/* Told once it is stored: a token that was seen is one that works. */
static int print_token(const char *token, const char *name)
{
    if (puts(token) >= 0 && fflush(stdout) == 0) return EXIT_SUCCESS;
    return command_fail(EXIT_FAILURE, "the token was made, but not printed; revoke %s", name);
}

int command_token_add(const struct command_line *line)
{
    struct token_entry entry;
    char token[TOKEN_SIZE], fault[TOKEN_FAULT_SIZE];
    const int status = read_entry(line, &entry);
    if (status != EXIT_SUCCESS) return status;
    token_new(token);
    if (!digest_of(token, TOKEN_LENGTH, &entry.digest))
        return command_fail(EXIT_FAILURE, "SHA-256 failed");
    const int lock = token_file_lock(line->config.data_dir, true, fault);
    if (lock < 0) return command_fail(EXIT_FAILURE, "%s", fault);
    const bool added = add(line->config.data_dir, &entry, fault);
    token_file_unlock(lock);
    return added ? print_token(token, entry.name) : command_fail(EXIT_FAILURE, "%s", fault);
}

/* ---- listing ---- */

static const char *last_use(const struct token_entry *entry, const struct token_use *uses,
                            size_t count, char text[CLOCK_TEXT_SIZE])
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(uses[i].name, entry->name) == 0 && uses[i].used_ms >= entry->created_ms)
            return clock_format(uses[i].used_ms, text);
    return "-";
}

static void print_entry(const struct token_entry *entry, int width, const char *used)
{
    char created[CLOCK_TEXT_SIZE], expires[CLOCK_TEXT_SIZE];
    printf("%-*s  %-9s  %-24s  %-24s  %-7s  %s\n", width, entry->name, role_name(entry->role),
           clock_format(entry->created_ms, created),
           entry->expires_ms == 0 ? "-" : clock_format(entry->expires_ms, expires),
           token_state_name(token_state(entry, clock_wall_ms())), used);
}

static void print_list(const struct token_list *list, const struct token_use *uses, size_t count)
{
    char used[CLOCK_TEXT_SIZE];
    int width = 4;
    for (size_t i = 0; i < list->count; i++)
        if ((int)strlen(list->entry[i].name) > width) width = (int)strlen(list->entry[i].name);
    printf("%-*s  %-9s  %-24s  %-24s  %-7s  %s\n", width, "NAME", "ROLE", "CREATED", "EXPIRES",
           "STATE", "LAST USE");
    for (size_t i = 0; i < list->count; i++)
        print_entry(&list->entry[i], width, last_use(&list->entry[i], uses, count, used));
}

int command_token_list(const struct command_line *line)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE];
    const char *folder = line->config.data_dir;
    const enum token_file_status status = token_file_load(folder, &list, fault);
    if (status == TOKEN_FILE_BAD) return command_fail(EXIT_FAILURE, "%s", fault);
    struct token_use *uses = calloc(TOKENS_MAX, sizeof *uses);
    print_list(&list, uses, uses == NULL ? 0 : token_file_load_uses(folder, uses));
    if (status == TOKEN_FILE_MISSING) command_fail(EXIT_SUCCESS, "%s has no tokens", folder);
    free(uses);
    token_list_done(&list);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- revoking ---- */

/* With the lock held. What is revoked stays so, since when it was. */
static bool revoke(const char *folder, const char *name, char fault[TOKEN_FAULT_SIZE])
{
    struct token_list list;
    if (token_file_load(folder, &list, fault) == TOKEN_FILE_BAD) return false;
    struct token_entry *entry = token_list_find(&list, name);
    bool revoked = entry != NULL;
    if (entry == NULL)
        snprintf(fault, TOKEN_FAULT_SIZE, "%.200s has no token of %.80s", folder, name);
    if (revoked && entry->revoked_ms == 0) {
        entry->revoked_ms = clock_wall_ms();
        revoked = token_file_store(folder, &list, fault);
    }
    token_list_done(&list);
    return revoked;
}

int command_token_revoke(const struct command_line *line)
{
    char fault[TOKEN_FAULT_SIZE];
    const int lock = token_file_lock(line->config.data_dir, false, fault);
    if (lock < 0) return command_fail(EXIT_FAILURE, "%s", fault);
    const bool revoked = revoke(line->config.data_dir, line->operand, fault);
    token_file_unlock(lock);
    return revoked ? EXIT_SUCCESS : command_fail(EXIT_FAILURE, "%s", fault);
}
