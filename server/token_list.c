#include "server/token_list.h"
#include "server/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char heading[] = "gradcheckd tokens 1";

enum { WORDS = 6, LINE_SIZE = 256 };

static bool fail(char fault[TOKEN_FAULT_SIZE], const char *text)
{
    snprintf(fault, TOKEN_FAULT_SIZE, "%s", text);
    return false;
}

/* ---- reading ---- */

/* Cuts a line into its words, which single spaces part. */
static bool split(char *line, char *word[WORDS])
{
    for (size_t i = 0; i < WORDS; i++) {
        word[i] = line;
        char *space = strchr(line, ' ');
        if (*line == '\0' || *line == ' ' || (space == NULL) != (i == WORDS - 1)) return false;
        if (space == NULL) continue;
        *space = '\0';
        line = space + 1;
    }
    return true;
}

static bool read_role(const char *word, enum role *ret_role)
{
    for (enum role role = ROLE_USER; role <= ROLE_READER; role++) {
        if (strcmp(word, role_name(role)) != 0) continue;
        *ret_role = role;
        return true;
    }
    return false;
}

static bool read_time(const char *word, int64_t *ret_ms)
{
    *ret_ms = 0;
    return strcmp(word, "-") == 0 || clock_parse(word, ret_ms);
}

/* What is wrong with the line, or NULL. */
static const char *read_entry(char *line, struct token_entry *entry)
{
    char *word[WORDS];
    *entry = (struct token_entry){0};
    if (!split(line, word))
        return "must have six words: name, role, SHA-256, when created, expires, revoked";
    if (!name_is_valid(word[0])) return "the name is none";
    snprintf(entry->name, sizeof entry->name, "%s", word[0]);
    if (!read_role(word[1], &entry->role)) return "the role must be user, admin or read-only";
    if (!digest_parse(word[2], &entry->digest))
        return "the SHA-256 must have 64 lower-case hexadecimal digits";
    if (!clock_parse(word[3], &entry->created_ms)) return "when it was created is no time";
    if (!read_time(word[4], &entry->expires_ms)) return "when it expires is neither a time nor -";
    if (!read_time(word[5], &entry->revoked_ms))
        return "when it was revoked is neither a time nor -";
    return NULL;
}

/* The line at *place without its end, as text of its own; what is wrong with it, or NULL. */
static const char *next_line(const char **place, const char *end, char line[LINE_SIZE])
{
    const char *newline = memchr(*place, '\n', (size_t)(end - *place));
    if (newline == NULL) return "the line is not whole";
    const size_t length = (size_t)(newline - *place);
    if (length >= LINE_SIZE) return "the line is too long";
    if (memchr(*place, '\0', length) != NULL) return "there is a NUL in it";
    memcpy(line, *place, length);
    line[length] = '\0';
    *place = newline + 1;
    return NULL;
}

static const char *read_line(struct token_list *list, const char **place, const char *end)
{
    char line[LINE_SIZE];
    const char *wrong = next_line(place, end, line);
    if (wrong != NULL) return wrong;
    if (list->count == TOKENS_MAX) return "there are more tokens than there may be";
    struct token_entry *entry = &list->entry[list->count];
    wrong = read_entry(line, entry);
    if (wrong != NULL) return wrong;
    if (token_list_find(list, entry->name) != NULL) return "the name stands there twice";
    list->count++;
    return NULL;
}

static const char *read_heading(const char **place, const char *end)
{
    char line[LINE_SIZE];
    const char *wrong = next_line(place, end, line);
    if (wrong != NULL) return wrong;
    return strcmp(line, heading) == 0 ? NULL : "must be 'gradcheckd tokens 1'";
}

bool token_list_init(struct token_list *ret_list)
{
    *ret_list = (struct token_list){0, calloc(TOKENS_MAX, sizeof *ret_list->entry)};
    return ret_list->entry != NULL;
}

bool token_list_parse(const char *text, size_t size, struct token_list *ret_list,
                      char fault[TOKEN_FAULT_SIZE])
{
    struct token_list list;
    const char *place = text, *end = text + size;
    if (!token_list_init(&list)) return fail(fault, "memory is out");
    const char *wrong = read_heading(&place, end);
    size_t line = 1;
    for (; wrong == NULL && place < end; line++)
        wrong = read_line(&list, &place, end);
    if (wrong != NULL) {
        snprintf(fault, TOKEN_FAULT_SIZE, "line %zu: %s", line, wrong);
        token_list_done(&list);
        return false;
    }
    *ret_list = list;
    return true;
}

/* ---- writing ---- */

static const char *time_text(int64_t ms, char text[CLOCK_TEXT_SIZE])
{
    return ms == 0 ? "-" : clock_format(ms, text);
}

static bool write_entry(const struct token_entry *entry, struct buf *buf)
{
    char line[LINE_SIZE], digest[DIGEST_TEXT_SIZE];
    char created[CLOCK_TEXT_SIZE], expires[CLOCK_TEXT_SIZE], revoked[CLOCK_TEXT_SIZE];
    digest_format(&entry->digest, digest);
    snprintf(line, sizeof line, "%s %s %s %s %s %s\n", entry->name, role_name(entry->role), digest,
             clock_format(entry->created_ms, created), time_text(entry->expires_ms, expires),
             time_text(entry->revoked_ms, revoked));
    return buf_append_text(buf, line);
}

bool token_list_format(const struct token_list *list, struct buf *buf)
{
    if (!buf_append_text(buf, heading) || !buf_append_text(buf, "\n")) return false;
    for (size_t i = 0; i < list->count; i++)
        if (!write_entry(&list->entry[i], buf)) return false;
    return true;
}

void token_list_done(struct token_list *list)
{
    free(list->entry);
    *list = (struct token_list){0};
}

/* ---- what is in it ---- */

enum token_state token_state(const struct token_entry *entry, int64_t now_ms)
{
    if (entry->revoked_ms != 0) return TOKEN_REVOKED;
    return entry->expires_ms != 0 && entry->expires_ms <= now_ms ? TOKEN_EXPIRED : TOKEN_ACTIVE;
}

const char *token_state_name(enum token_state state)
{
    static const char *const names[] = {
        [TOKEN_ACTIVE] = "active", [TOKEN_EXPIRED] = "expired", [TOKEN_REVOKED] = "revoked"};
    return names[state];
}

struct token_entry *token_list_find(const struct token_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entry[i].name, name) == 0) return &list->entry[i];
    return NULL;
}

/* The first inactive one makes room. */
static bool make_room(struct token_list *list, int64_t now_ms)
{
    for (size_t i = 0; i < list->count; i++) {
        if (token_state(&list->entry[i], now_ms) == TOKEN_ACTIVE) continue;
        list->count--;
        memmove(&list->entry[i], &list->entry[i + 1], (list->count - i) * sizeof *list->entry);
        return true;
    }
    return false;
}

bool token_list_add(struct token_list *list, const struct token_entry *entry,
                    char fault[TOKEN_FAULT_SIZE])
{
    struct token_entry *known = token_list_find(list, entry->name);
    if (known != NULL && token_state(known, entry->created_ms) == TOKEN_ACTIVE) {
        snprintf(fault, TOKEN_FAULT_SIZE, "%s has an active token; revoke it first", entry->name);
        return false;
    }
    if (known == NULL && list->count == TOKENS_MAX && !make_room(list, entry->created_ms))
        return fail(fault, "there are as many active tokens as there may be");
    if (known == NULL) known = &list->entry[list->count++];
    *known = *entry;
    return true;
}
