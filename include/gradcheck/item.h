/* Rows of tables that users choose from by name, with their options: activations, costs,
 * initializers, optimizers, layers.
 *
 * One description serves the decoder of requests, the catalog and the library itself; a new row is
 * all that a new item needs. Tables are constant: any thread. */
#ifndef GRADCHECK_ITEM_H
#define GRADCHECK_ITEM_H

#include <gradcheck/status.h>

#include <stdbool.h>
#include <stddef.h>

enum { GCK_OPTIONS_MAX = 6 };

typedef enum gck_option_kind {
    GCK_OPTION_NUMBER,
    GCK_OPTION_INTEGER,
    GCK_OPTION_BOOLEAN,    /* 0 or 1 */
    GCK_OPTION_WORD,       /* the value is an index of words */
    GCK_OPTION_ACTIVATION, /* an item of another table; the value lives beside the numbers */
    GCK_OPTION_INITIALIZER
} gck_option_kind;

typedef struct gck_option {
    const char *name;
    gck_option_kind kind;
    bool required;            /* no default */
    double fallback;          /* the default; of a word, its index */
    double minimum, maximum;  /* both allowed; numbers and integers only */
    const char *const *words; /* ends with NULL; words only */
    const char *item;         /* name of the default; activations and initializers only */
} gck_option;

typedef struct gck_item {
    const char *name;
    const char *alias[2]; /* other names, or NULL */
    const char *formula;
    gck_option option[GCK_OPTIONS_MAX]; /* ends where name is NULL */
} gck_item;

/* Rows are structs of their table's own kind, each beginning with its gck_item. */
typedef struct gck_table {
    const char *noun; /* "activation" */
    const gck_item *const *rows;
    size_t count;
} gck_table;

/* A row together with its options' values, in the row's order. */
typedef struct gck_choice {
    const gck_item *item;
    double option[GCK_OPTIONS_MAX];
} gck_choice;

/* By name or alias; NULL when there is none. */
const gck_item *gck_table_find(const gck_table *table, const char *name);

size_t gck_item_option_count(const gck_item *item);
/* The option's index, or -1. */
int gck_item_option_find(const gck_item *item, const char *name);

/* The row with its defaults (0 for options that have none). */
gck_choice gck_choice_default(const gck_item *item);
/* For callers that know the name, such as tests: asserts that it exists. */
gck_choice gck_choice_named(const gck_table *table, const char *name);
/* Sets an option after checking its bounds; error->where is the option's name. */
gck_status gck_choice_set(gck_choice *choice, size_t option, double value, gck_error *error);

#endif
