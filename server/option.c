#include "server/option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(size_t) == sizeof(int64_t), "numbers of both types are set through one");

static void *place_of(const struct option *row, void *target)
{
    return (char *)target + row->place;
}

static void set_text(const struct option *row, void *target, const char *value)
{
    memcpy(place_of(row, target), &value, sizeof value);
}

static void set_number(const struct option *row, void *target, int64_t value)
{
    memcpy(place_of(row, target), &value, sizeof value);
}

/* ---- values; `source` is the flag or the variable, for messages ---- */

static bool read_word(const struct options *options, const struct option *row, void *target,
                      const char *source, const char *value)
{
    const size_t length = strlen(value);
    for (const char *word = row->unit; word != NULL; word = strchr(word, '|')) {
        if (*word == '|') word++;
        if (strcspn(word, "|") != length || memcmp(word, value, length) != 0) continue;
        set_text(row, target, value);
        return true;
    }
    fprintf(stderr, "%s: %s must be one of %s, got '%s'\n", options->program, source, row->unit,
            value);
    return false;
}

static bool read_switch(const struct options *options, const struct option *row, void *target,
                        const char *source, const char *value)
{
    const bool on = strcmp(value, "true") == 0;
    if (!on && strcmp(value, "false") != 0) {
        fprintf(stderr, "%s: %s must be true or false, got '%s'\n", options->program, source,
                value);
        return false;
    }
    memcpy(place_of(row, target), &on, sizeof on);
    return true;
}

static bool read_number(const struct options *options, const struct option *row, void *target,
                        const char *source, const char *value)
{
    char *end;
    errno = 0;
    const long long number = strtoll(value, &end, 10);
    if (errno == 0 && *value >= '0' && *value <= '9' && *end == '\0' && number >= row->minimum &&
        number <= row->maximum) {
        set_number(row, target, number);
        return true;
    }
    fprintf(stderr, "%s: %s must be a whole number from %lld to %lld, got '%s'\n", options->program,
            source, (long long)row->minimum, (long long)row->maximum, value);
    return false;
}

static bool add_item(const struct options *options, const struct option *row, void *target,
                     const char *source, const char *value)
{
    struct option_list *list = place_of(row, target);
    if (list->count == OPTION_LIST_MAX) {
        fprintf(stderr, "%s: %s can be given %d times\n", options->program, source,
                OPTION_LIST_MAX);
        return false;
    }
    list->item[list->count++] = value;
    return true;
}

static bool read_value(const struct options *options, const struct option *row, void *target,
                       const char *source, const char *value)
{
    switch (row->kind) {
    case OPTION_WORD:
        return read_word(options, row, target, source, value);
    case OPTION_SWITCH:
        return read_switch(options, row, target, source, value);
    case OPTION_NUMBER:
        return read_number(options, row, target, source, value);
    case OPTION_LIST:
        return add_item(options, row, target, source, value);
    default:
        set_text(row, target, value);
        return true;
    }
}

/* ---- the table ---- */

bool option_start(const struct options *options, void *target)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct option *row = &options->row[i];
        if (row->kind == OPTION_NUMBER)
            set_number(row, target, row->fallback);
        else if (row->kind == OPTION_TEXT || row->kind == OPTION_WORD)
            set_text(row, target, row->text);
        const char *value = row->variable == NULL ? NULL : getenv(row->variable);
        if (value != NULL && !read_value(options, row, target, row->variable, value)) return false;
    }
    return true;
}

const struct option *option_find(const struct options *options, const char *argument)
{
    const size_t length = strcspn(argument, "=");
    for (size_t i = 0; i < options->count; i++) {
        const char *flag = options->row[i].flag;
        if (strlen(flag) == length && memcmp(flag, argument, length) == 0) return &options->row[i];
    }
    return NULL;
}

bool option_read(const struct options *options, const struct option *row, void *target, int count,
                 char **arguments, int *index)
{
    const char *equals = strchr(arguments[*index], '=');
    if (equals != NULL) return read_value(options, row, target, row->flag, equals + 1);
    if (row->kind == OPTION_SWITCH) return read_value(options, row, target, row->flag, "true");
    if (*index + 1 >= count || strncmp(arguments[*index + 1], "--", 2) == 0) {
        fprintf(stderr, "%s: %s needs a value\n", options->program, row->flag);
        return false;
    }
    return read_value(options, row, target, row->flag, arguments[++*index]);
}

/* What stands in brackets behind the help: where else it may be set, its default, its bounds. */
static void print_details(const struct option *row)
{
    const char *variable = row->variable == NULL ? "" : row->variable;
    const char *comma = row->variable == NULL ? "" : "; ";
    if (row->kind == OPTION_SWITCH)
        printf(row->variable == NULL ? "\n" : " (%s)\n", variable);
    else if (row->kind == OPTION_LIST)
        printf(" (%s%smay be given again)\n", variable, comma);
    else if (row->kind != OPTION_NUMBER)
        printf(" (%s%sdefault %s)\n", variable, comma, row->text == NULL ? "none" : row->text);
    else
        printf(" (%s%sdefault %s%.0lld, %lld to %lld)\n", variable, comma,
               row->text == NULL ? "" : row->text, (long long)row->fallback,
               (long long)row->minimum, (long long)row->maximum);
}

void option_print(const struct option *row)
{
    printf("  %s%s%s\n      %s", row->flag, row->unit == NULL ? "" : " ",
           row->unit == NULL ? "" : row->unit, row->help);
    print_details(row);
}
