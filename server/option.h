/* Options of a program: rows of a table, each a flag, perhaps an environment variable too, and its
 * place in the struct that holds what was read. Flag over environment over default. Called before
 * any thread is started; what is wrong is told on standard error. */
#ifndef GRADCHECKD_OPTION_H
#define GRADCHECKD_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_TEXT,
    OPTION_WORD,   /* one of those that `unit` lists: "first|second" */
    OPTION_SWITCH, /* on when given; of a variable: true or false */
    OPTION_NUMBER, /* into a member of 8 bytes */
    OPTION_LIST    /* texts, one each time it is given */
};

struct option {
    const char *flag, *variable; /* the latter NULL: none */
    enum option_kind kind;
    size_t place;     /* in the struct */
    const char *text; /* the default; of a number whose default is 0, what that stands for */
    int64_t fallback, minimum, maximum;
    const char *unit, *help;
};

enum { OPTION_LIST_MAX = 64 };

struct option_list {
    size_t count;
    const char *item[OPTION_LIST_MAX]; /* borrowed */
};

struct options {
    const char *program; /* whose name stands before messages */
    const struct option *row;
    size_t count;
};

/* Defaults, and over them the environment, into the struct `target`. False after a message, as
 * below. Strings are borrowed from the arguments and the environment. */
bool option_start(const struct options *options, void *target);

/* The row of an argument, `--flag` or `--flag=VALUE`; NULL: none. */
const struct option *option_find(const struct options *options, const char *argument);

/* Reads the option at arguments[*index], which is `row`; advances *index past a value behind it. */
bool option_read(const struct options *options, const struct option *row, void *target, int count,
                 char **arguments, int *index);

/* Its two lines of --help, to standard output. */
void option_print(const struct option *row);

#endif
