/* Checks cut into smaller pieces than their size asks for, so that few numbers make many grains. */
#ifndef TESTS_CORE_CUTS_H
#define TESTS_CORE_CUTS_H

#include "tests/core/fixtures.h"

#include "core/check.h"

/* dropout, then one linear unit with l2: 5 inputs, 6 parameters, 11 weighted samples, mse. */
network cut_network(void);

gck_check *check_open(const gck_check_spec *spec);
/* Cuts a new check into blocks of so many rows, grains of so many parameters or inputs. */
void check_recut(gck_check *check, size_t block_rows, size_t elements, size_t inputs);
/* Cut into blocks of 3 rows, 4 parameters and 7 inputs, and all grains folded. */
gck_check *check_finished(const gck_check_spec *spec);

/* Loss and all derivatives, bit by bit. */
void assert_same_check(const gck_check *got, const gck_check *want);

size_t divide_up(size_t a, size_t b);

#endif
