/*
 * Problem documents (RFC 9457). These return what is wrong, or NULL: tables of cases report all
 * that differ, not just the first.
 */
#ifndef TESTS_SYSTEM_PROBLEMS_H
#define TESTS_SYSTEM_PROBLEMS_H

#include "client.h"

/* The status, the media type, and every member a problem has. */
const char *problem_fault(struct answer *answer, int status);

/*
 * The same, and the first of `errors` names the value. `pointers` are alternatives separated by
 * '|'; one that ends in '*' is the beginning of a pointer. NULL: any, or no list at all.
 */
const char *pointer_fault(struct answer *answer, int status, const char *pointers);

/* Asserts that there is no fault. */
void problem_expect(struct answer *answer, int status, const char *pointers);

/* Prints a case that differs; returns 1. */
int case_failed(const char *name, const char *fault);
/* 0 when the daemon still answers after this case. */
int case_survived(const struct service *service, const char *name);

#endif
