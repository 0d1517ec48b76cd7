#include "core/fit.h"

#include <assert.h>
#include <math.h>

/* Inverts matrix[i][p] = node[i]^(2p + power) by Gauss-Jordan elimination without pivoting: with
 * nodes from large to small the pivots of this Vandermonde matrix do not vanish, and for five nodes
 * rounding stays below 1e-12 of a coefficient. */
static void invert(const gck_fit *fit, int power, double ret[GCK_NODES_MAX][GCK_NODES_MAX])
{
    const size_t n = fit->nodes;
    double work[GCK_NODES_MAX][2 * GCK_NODES_MAX] = {{0}};
    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < n; p++)
            work[i][p] = pow(fit->node[i], (double)(2 * p) + power);
        work[i][n + i] = 1;
    }
    for (size_t pivot = 0; pivot < n; pivot++) {
        const double scale = work[pivot][pivot];
        for (size_t column = 0; column < 2 * n; column++)
            work[pivot][column] /= scale;
        for (size_t row = 0; row < n; row++) {
            if (row == pivot) continue;
            const double factor = work[row][pivot];
            for (size_t column = 0; column < 2 * n; column++)
                work[row][column] -= factor * work[pivot][column];
        }
    }
    for (size_t p = 0; p < n; p++)
        for (size_t i = 0; i < n; i++)
            ret[p][i] = work[p][n + i];
}

void gck_fit_init(gck_fit *fit, size_t nodes)
{
    assert(nodes >= 1 && nodes <= GCK_NODES_MAX);
    const double pi = 3.14159265358979323846;
    *fit = (gck_fit){.nodes = nodes};
    for (size_t i = 0; i < nodes; i++)
        fit->node[i] = cos((double)(2 * i + 1) * pi / (double)(4 * nodes + 2));
    invert(fit, 1, fit->odd);
    invert(fit, 2, fit->even);
}
