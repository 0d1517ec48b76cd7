/* Every kind of mistake at every place of random networks: is it the one that is found? A few
 * networks in `make check`; FINDINGS=long, as `make bench-findings` sets it, draws as many as
 * docs/findings.md tells of, and prints its table. */
#include "tests/core/claims.h"
#include "tests/core/compare.h"
#include "tests/core/mistaken.h"
#include "tests/core/random_networks.h"
#include "tests/core/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORKS = 8, NETWORKS_LONG = 50 };

static const random_limits small = {.layers = 4, .units = 8, .samples = 14};
static const random_limits large = {.layers = 5, .units = 30, .samples = 60};
static const random_limits nasty = {.layers = 4, .units = 8, .samples = 14, .nasty = true};

typedef struct tally {
    size_t made, failed; /* claims; those that fail the check */
    size_t layer;        /* the culprit is right */
    size_t named, also;  /* the kind is named, or listed beside the one that is */
    size_t wrong;        /* another is named, and it is not listed */
    size_t unexplained, none;
    char other[160]; /* what was named in its place, most recent */
} tally;

static bool is_long(void)
{
    return getenv("FINDINGS") != NULL;
}

static bool is_kind(const gck_mistake *mistake, const mistaken_kind *kind)
{
    return mistake->code == kind->code && strcmp(mistake->name, kind->name) == 0;
}

static bool is_listed(const gck_finding *finding, const mistaken_kind *kind)
{
    for (size_t i = 0; i < finding->also_count; i++)
        if (is_kind(&finding->also[i], kind)) return true;
    return false;
}

static void complain(const claims *c, uint64_t seed, const mistaken *made,
                     const gck_findings *found)
{
    if (getenv("FINDINGS_VERBOSE") == NULL) return;
    printf("seed %llu, %s in layer %zu of %zu:\n", (unsigned long long)seed,
           mistaken_kinds[made->id].id, made->layer, c->net->model->layer_count);
    for (size_t i = 0; i < found->count; i++) {
        const gck_finding *f = &found->finding[i];
        printf("    %s %s, layer %zd %s: %s\n", gck_finding_code_name(f->mistake.code),
               f->mistake.name, (ssize_t)f->mistake.layer,
               f->mistake.tensor == NULL ? "" : f->mistake.tensor, f->message);
        for (size_t e = 0; e < f->evidence_count; e++)
            printf("        %s %.9g\n", f->evidence[e].name, f->evidence[e].number);
        for (size_t e = 0; e < f->also_count; e++)
            printf("        also %s %s\n", gck_finding_code_name(f->also[e].code), f->also[e].name);
    }
}

static void count_found(claims *c, uint64_t seed, const mistaken *made, tally *t)
{
    const mistaken_kind *kind = &mistaken_kinds[made->id];
    gck_findings found = claims_find(c);
    const gck_finding *first = found.count > 0 ? &found.finding[0] : NULL;
    const size_t culprit = mistaken_culprit(c->net, made);
    t->failed++;
    t->layer += first != NULL && first->mistake.layer == culprit;
    if (first == NULL)
        t->none++;
    else if (is_kind(&first->mistake, kind))
        t->named++;
    else if (is_listed(first, kind))
        t->also++;
    else if (first->mistake.code == GCK_FINDING_UNEXPLAINED)
        t->unexplained++;
    else
        t->wrong++;
    const bool well = first != NULL && first->mistake.layer == culprit &&
                      (is_kind(&first->mistake, kind) || is_listed(first, kind)) &&
                      found.count == 1;
    if (!well) complain(c, seed, made, &found);
    gck_findings_done(&found);
}

static void try_mistake(claims *c, uint64_t seed, const mistaken *made, tally *t)
{
    if (!mistaken_applies(c->net, made)) return;
    if (made->id == X_TIMES_M && c->claim.inputs == NULL) return;
    mistaken_gradient(c->net, made, 1, c->gradient, c->x);
    claims_judge(c);
    t->made++;
    if (c->report->verdict == GCK_FAIL) count_found(c, seed, made, t);
}

/* ---- networks ---- */

/* All layers of one width, so that every matrix is square and every delta fits every layer. */
static network twins_new(dice *d)
{
    static const char *const names[] = {"tanh", "sigmoid", "relu", "softplus", "leaky_relu", "elu"};
    const size_t width = 2 + dice_below(d, 6), count = 2 + dice_below(d, 3);
    gck_layer_spec layers[9];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        layers[n] = dense(width, names[dice_below(d, COUNT(names))]);
        if (dice_chance(d, 0.3)) layers[n].type = with_option(layers[n].type, "l1", 0.02);
        if (dice_chance(d, 0.3)) layers[n].type = with_option(layers[n].type, "l2", 0.03);
        n++;
        if (i + 1 < count && dice_chance(d, 0.3)) layers[n++] = dropout(0.4);
    }
    const char *cost = dice_chance(d, 0.5) ? "mse" : "categorical_crossentropy";
    if (cost[0] == 'c') layers[n - 1].activation = activation_named("softmax");
    network net = dice_chance(d, 0.5)
                      ? network_weighted(width, layers, n, cost_named(cost), 3 + dice_below(d, 9))
                      : network_new(width, layers, n, cost_named(cost), 3 + dice_below(d, 9));
    network_draw_biases(&net);
    return net;
}

/* Returns how many networks had a finite cost: 1 or 0. */
static size_t try_network(const network *net, bool inputs, uint64_t seed, tally *tallies,
                          tally *right)
{
    claims c;
    gck_check_spec spec = check_spec_of(net);
    spec.inputs = inputs;
    if (!claims_open(&c, net, &spec, GCK_FLOAT64)) return 0;
    mistaken_gradient(c.net, NULL, 0, c.gradient, c.x);
    claims_judge(&c);
    right->made++;
    right->failed += c.report->verdict == GCK_FAIL;
    for (int id = 0; id < MISTAKES; id++)
        for (size_t layer = 0; layer < net->model->layer_count; layer++)
            try_mistake(&c, seed, &(mistaken){.id = (mistaken_id)id, .layer = layer}, &tallies[id]);
    claims_close(&c);
    return 1;
}

static size_t try_random(uint64_t seed, random_limits limits, tally *tallies, tally *right)
{
    random_network drawn;
    random_network_open(seed, limits, &drawn);
    const size_t tried = try_network(&drawn.net, drawn.spec.inputs, seed, tallies, right);
    random_network_close(&drawn);
    return tried;
}

static size_t try_twins(uint64_t seed, tally *tallies, tally *right)
{
    dice d = dice_new(seed);
    network net = twins_new(&d);
    const size_t tried = try_network(&net, seed % 2 == 0, seed, tallies, right);
    network_done(&net);
    return tried;
}

/* ---- counts ---- */

static void tally_print(const char *name, const tally *t)
{
    printf("| %s | %zu | %zu | %zu | %zu | %zu | %zu | %zu |\n", name, t->made, t->failed, t->layer,
           t->named, t->also, t->wrong, t->unexplained + t->none);
}

static tally tallies_print(const tally *tallies, bool print)
{
    tally all = {0};
    if (print)
        printf(
            "| mistake | made | failed | layer | named | also | wrong | unexplained |\n"
            "|---|---|---|---|---|---|---|---|\n");
    for (size_t id = 0; id < MISTAKES; id++) {
        const tally *t = &tallies[id];
        char name[128];
        snprintf(name, sizeof name, "%s: `%s` `%s`", mistaken_kinds[id].id,
                 gck_finding_code_name(mistaken_kinds[id].code), mistaken_kinds[id].name);
        if (print) tally_print(name, t);
        all.made += t->made;
        all.failed += t->failed;
        all.layer += t->layer;
        all.named += t->named;
        all.also += t->also;
        all.wrong += t->wrong;
        all.unexplained += t->unexplained;
        all.none += t->none;
    }
    if (print) tally_print("**all**", &all);
    return all;
}

typedef enum family { SMALL, TWINS, LARGE, NASTY, FAMILIES } family;

static size_t try_family(family of, uint64_t seed, tally *tallies, tally *right)
{
    if (of == TWINS) return try_twins(seed, tallies, right);
    return try_random(seed, of == SMALL ? small : of == LARGE ? large : nasty, tallies, right);
}

static uint64_t first_seed(void)
{
    const char *seed = getenv("FINDINGS_SEED");
    return seed == NULL ? 1 : strtoull(seed, NULL, 10);
}

/* _i: the family of networks. */
START_TEST(every_kind_is_found_at_every_place)
{
    tally tallies[MISTAKES] = {0};
    tally right = {0};
    size_t networks = 0;
    const size_t wanted = is_long() ? NETWORKS_LONG : NETWORKS;
    for (uint64_t seed = first_seed(); networks < wanted; seed++)
        networks += try_family((family)_i, seed, tallies, &right);
    const tally all = tallies_print(tallies, is_long());
    ck_assert_uint_eq(right.failed, 0);
    ck_assert_uint_ge(1000 * all.layer, 990 * all.failed);
    ck_assert_uint_ge(1000 * (all.named + all.also), 950 * all.failed);
    ck_assert_uint_le(1000 * all.wrong, 10 * all.failed);
    ck_assert_uint_eq(all.none, 0);
}
END_TEST

SUITE_MAIN("finding_kinds", {every_kind_is_found_at_every_place, FAMILIES})
