/* A claim on a small network, made wrong in a known way, and what is found in it. */
#ifndef TESTS_CORE_FINDING_SCENE_H
#define TESTS_CORE_FINDING_SCENE_H

#include "tests/core/claims.h"
#include "tests/core/mistaken.h"

enum { SCENE_ROWS = 9 };

typedef struct scene {
    network net;
    claims c;
    gck_findings found;
} scene;

/* 4-4-4-3 with an activation, softmax and cross-entropy; layer 1 is penalised. */
network scene_network(const char *activation, double l2);

/* With tanh; a check in float64. */
void scene_open(scene *s, bool inputs);
void scene_close(scene *s);

/* The claim, judged. */
void scene_claim(scene *s, const mistaken *made, size_t count);
void scene_find(scene *s);
/* Both, with one mistake, which fails. */
void scene_make(scene *s, mistaken_id id, size_t layer);

bool finding_names(const gck_mistake *mistake, const char *code, const char *name);
/* Named, or beside the one that is. */
bool finding_lists(const gck_finding *finding, const char *code, const char *name);
/* Of its evidence; there must be one. */
double finding_number(const gck_finding *finding, const char *name);

/* tensor "": not one alone. */
void assert_one_finding(const scene *s, const char *code, const char *name, size_t layer,
                        const char *tensor);

#endif
