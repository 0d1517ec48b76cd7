/* Standard output for people: colours where it is a terminal, and tables. One thread. */
#ifndef GRADCHECK_TERMINAL_H
#define GRADCHECK_TERMINAL_H

#include "server/buf.h"

#include <stdint.h>

/* A line, made harmless; words that are a verdict or a state have their colour. */
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The colour's beginning for such a word, "" where there are no colours; and the end of any. */
const char *colour_of(const char *word);
const char *colour_end(void);

enum { TABLE_COLUMNS_MAX = 12, TABLE_CELL_MAX = 512 };

/* Cells of a table, row by row; the first row is its head. Columns are as wide as they need be. */
struct table {
    size_t columns;
    uint32_t right;  /* bits of columns whose cells stand at the right */
    struct buf text; /* of all cells, each with its NUL */
    size_t cells, width[TABLE_COLUMNS_MAX];
};

/* Names of columns, divided by bars: "LAYER|SHAPE"; those that begin with > stand at the right. */
void table_start(struct table *table, const char *head);
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A distance or a gradient; nothing for NaN, which is what no number was given for. */
void table_number(struct table *table, double number);
void table_count(struct table *table, size_t count);
/* Prints it, unless it has no row but the head, and frees it. */
void table_end(struct table *table);

#endif
