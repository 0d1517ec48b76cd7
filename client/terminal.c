#include "client/terminal.h"
#include "client/say.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- colours ---- */

static bool has_colours(void)
{
    static int known = -1;
    if (known < 0) {
        const char *no = getenv("NO_COLOR"), *kind = getenv("TERM");
        const bool plain = (no != NULL && no[0] != '\0') || kind == NULL ||
                           strcmp(kind, "dumb") == 0 || isatty(STDOUT_FILENO) == 0;
        known = !plain;
    }
    return known != 0;
}

const char *colour_of(const char *word)
{
    static const struct {
        const char *word, *colour;
    } colours[] = {
        {"pass", "\033[32m"},     {"succeeded", "\033[32m"}, {"fail", "\033[1;31m"},
        {"failed", "\033[1;31m"}, {"error", "\033[1;31m"},   {"inconclusive", "\033[33m"},
        {"warning", "\033[33m"},  {"finding", "\033[1;31m"}, {"cancelled", "\033[33m"},
        {"running", "\033[36m"},
    };
    for (size_t i = 0; has_colours() && i < sizeof colours / sizeof colours[0]; i++)
        if (strcmp(colours[i].word, word) == 0) return colours[i].colour;
    return "";
}

const char *colour_end(void)
{
    return has_colours() ? "\033[0m" : "";
}

/* The first word of a line, up to a blank or a colon, has its colour. */
void print_line(const char *format, ...)
{
    char text[4096], word[32];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    make_harmless(text);
    const size_t length = strcspn(text, " :,");
    snprintf(word, sizeof word, "%.*s", length < sizeof word ? (int)length : 0, text);
    const char *colour = colour_of(word);
    if (colour[0] == '\0')
        printf("%s\n", text);
    else
        printf("%s%s%s%s\n", colour, word, colour_end(), text + length);
}

/* ---- tables ---- */

/* Characters of UTF-8. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void add(struct table *table, const char *text)
{
    const size_t column = table->cells % table->columns, width = width_of(text);
    if (!buf_append(&table->text, text, strlen(text) + 1)) return;
    if (table->width[column] < width) table->width[column] = width;
    table->cells++;
}

void table_start(struct table *table, const char *head)
{
    char text[TABLE_CELL_MAX], *rest = NULL;
    *table = (struct table){.text.limit = SIZE_MAX, .columns = 1};
    for (const char *at = head; (at = strchr(at, '|')) != NULL; at++)
        table->columns++;
    snprintf(text, sizeof text, "%s", head);
    for (char *name = strtok_r(text, "|", &rest); name != NULL; name = strtok_r(NULL, "|", &rest)) {
        if (*name == '>') table->right |= 1u << table->cells;
        add(table, *name == '>' ? name + 1 : name);
    }
}

void table_cell(struct table *table, const char *format, ...)
{
    char text[TABLE_CELL_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; (at = strpbrk(at, "\n\t")) != NULL;)
        *at = ' ';
    add(table, make_harmless(text));
}

void table_number(struct table *table, double number)
{
    if (isnan(number))
        table_cell(table, "%s", "");
    else
        table_cell(table, "%.3g", number);
}

void table_count(struct table *table, size_t count)
{
    table_cell(table, "%zu", count);
}

static void print_cell(const struct table *table, size_t column, const char *text, bool last)
{
    const int space = (int)(table->width[column] - width_of(text));
    const bool right = (table->right & 1u << column) != 0;
    const char *colour = colour_of(text);
    printf("%s%*s%s%s%s%*s", column == 0 ? "" : "  ", right ? space : 0, "", colour, text,
           colour[0] == '\0' ? "" : colour_end(), right || last ? 0 : space, "");
}

/* Returns the text of the next row. Nothing stands behind the last cell that holds something. */
static const char *print_row(const struct table *table, const char *row)
{
    const char *text = row;
    size_t used = 0;
    for (size_t column = 0; column < table->columns; column++, text += strlen(text) + 1)
        if (*text != '\0') used = column + 1;
    for (size_t column = 0; column < used; column++, row += strlen(row) + 1)
        print_cell(table, column, row, column + 1 == used);
    printf("\n");
    return text;
}

void table_end(struct table *table)
{
    const char *row = table->text.data;
    const size_t rows = table->cells / table->columns;
    for (size_t i = 0; rows > 1 && i < rows; i++)
        row = print_row(table, row);
    buf_done(&table->text);
}
