/* Odd and even polynomials through a few points on either side of 0.
 *
 * A disturbed unit's loss is φ(s); its odd part (φ(s) - φ(-s)) / 2 is fitted by c_0 t + c_1 t^3 + …
 * and its even part (φ(s) + φ(-s)) / 2 by e_0 t^2 + e_1 t^4 + …, with t = s / range. Nodes are the
 * positive zeros of the Chebyshev polynomial T_(2n+1), which keeps the first term left out evenly
 * small on [-1, 1]. Pure. */
#ifndef GRADCHECK_CORE_FIT_H
#define GRADCHECK_CORE_FIT_H

#include <stddef.h>

enum { GCK_NODES_MAX = 5 };

typedef struct gck_fit {
    size_t nodes;
    double node[GCK_NODES_MAX]; /* the largest first */
    /* coefficient p = sum over nodes of odd[p][node] * odd part there, and likewise */
    double odd[GCK_NODES_MAX][GCK_NODES_MAX];
    double even[GCK_NODES_MAX][GCK_NODES_MAX];
} gck_fit;

/* 1 <= nodes <= GCK_NODES_MAX */
void gck_fit_init(gck_fit *fit, size_t nodes);

#endif
