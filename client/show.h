/* Results as tables for people, on standard output. What is not there is not shown; one thread. */
#ifndef GRADCHECK_SHOW_H
#define GRADCHECK_SHOW_H

#include "client/answer.h"

void show_check(const struct value *result);      /* show_check.c */
void show_probe(const struct value *result);      /* show_probe.c */
void show_comparison(const struct value *result); /* show_comparison.c */
void show_training(const struct value *result);   /* show_training.c */
void show_summary(const struct value *summary);   /* show_model.c */
void show_catalog(const struct value *catalog);
void show_jobs(const struct value *list); /* show_job.c */
void show_job(const struct value *job);

/* The worst elements of tensors that do not pass, below a head of six columns: what is claimed
 * beside the member `other`. show_elements.c */
void show_elements(const struct value *tensors, const char *head, const char *other);
/* Findings and warnings, a line each. */
void show_remarks(const struct value *result);
/* "[784, 128]" of an array of numbers, into `text`, which is returned. */
enum { SHAPE_TEXT_SIZE = 96 };
const char *shape_text(const struct value *array, char text[SHAPE_TEXT_SIZE]);

#endif
