/* Steps of optimizers, element by element: part of kernels_loops.h. Roots and quotients are the
 * exact ones, rounded. */

static void update_sgd(const gck_update *u)
{
    const double *g = u->gradient;
    double *w = u->parameters;
    _Pragma("omp simd") for (size_t i = 0; i < u->count; i++) w[i] -= u->rate * g[i];
}

static void update_momentum(const gck_update *u)
{
    const double *g = u->gradient;
    double *v = u->slot[0], *w = u->parameters;
    _Pragma("omp simd") for (size_t i = 0; i < u->count; i++)
    {
        v[i] = u->decay[0] * v[i] + (1 - u->decay[0]) * g[i];
        w[i] -= u->rate * v[i];
    }
}

static void update_rmsprop(const gck_update *u)
{
    const double *g = u->gradient;
    double *s = u->slot[0], *w = u->parameters;
    _Pragma("omp simd") for (size_t i = 0; i < u->count; i++)
    {
        s[i] = u->decay[0] * s[i] + (1 - u->decay[0]) * g[i] * g[i];
        w[i] -= u->rate * g[i] / (sqrt(s[i]) + u->epsilon);
    }
}

static void update_adam(const gck_update *u)
{
    const double *g = u->gradient;
    double *v = u->slot[0], *s = u->slot[1], *w = u->parameters;
    const double rate = u->rate / u->correction[0], root = sqrt(u->correction[1]);
    _Pragma("omp simd") for (size_t i = 0; i < u->count; i++)
    {
        v[i] = u->decay[0] * v[i] + (1 - u->decay[0]) * g[i];
        s[i] = u->decay[1] * s[i] + (1 - u->decay[1]) * g[i] * g[i];
        /* rate * v / (sqrt(s / correction) + epsilon), numerator and denominator times root */
        w[i] -= rate * root * v[i] / (sqrt(s[i]) + u->epsilon * root);
    }
}

static void update_adagrad(const gck_update *u)
{
    const double *g = u->gradient;
    double *s = u->slot[0], *w = u->parameters;
    _Pragma("omp simd") for (size_t i = 0; i < u->count; i++)
    {
        s[i] += g[i] * g[i];
        w[i] -= u->rate * g[i] / (sqrt(s[i]) + u->epsilon);
    }
}
