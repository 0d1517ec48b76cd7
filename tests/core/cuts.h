/* Checks cut into smaller pieces than their size asks for, so that few numbers make many grains. */
#ifndef TESTS_CORE_CUTS_H
#define TESTS_CORE_CUTS_H

#include "tests/core/fixtures.h"

#include "core/check.h"

/* dropout, then two linear units with l2: 5 inputs, 12 parameters, 11 weighted samples, mse. */
network cut_network(void);
/* 4 inputs, relu, dropout, piecewise_linear, mae with l1: 31 parameters, 11 weighted samples, at
 * epsilon 0.05 many of whose stencils cross a kink. */
network kinked_network(void);
/* Its check by any gck_method, at that epsilon where it has one, with inputs. */
gck_check_spec kinked_spec(const network *net, int method);
enum { METHODS = GCK_DIRECTIONAL + 1 };

/* Cut into blocks of 3 rows and grains of one unit or input each. */
void check_cut_small(gck_check *check);
/* The same, new, and all grains folded. */
gck_check *check_finished(const gck_check_spec *spec);

/* Loss, all derivatives and everything else that is summed, bit by bit. */
void assert_same_check(const gck_check *got, const gck_check *want);

size_t divide_up(size_t a, size_t b);

#endif
