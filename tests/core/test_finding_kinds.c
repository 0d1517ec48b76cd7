/* Every kind of mistake at every place of random networks: is it the one that is found? A few
 * networks in `make check`; FINDINGS=long, as `make bench-findings` sets it, draws as many as
 * docs/findings.md tells of, and prints its tables. FINDINGS_VERBOSE prints whatever else is found.
 */
#include "tests/core/claims.h"
#include "tests/core/compare.h"
#include "tests/core/mistaken.h"
#include "tests/core/dice.h"
#include "tests/core/random_networks.h"
#include "tests/core/suite.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORKS = 6, NETWORKS_LONG = 50, NETWORKS_NASTY = 40 };

static bool is_long(void)
{
    return getenv("FINDINGS") != NULL;
}

/* ---- counts ---- */

/* Other findings that a mistake is taken for; as many as are listed. */
enum { OTHERS = 8, OTHER_NAME = 80 };

typedef struct tally {
    size_t made, failed; /* claims; those that fail the check */
    size_t layer;        /* the culprit is right */
    size_t named, also;  /* the kind is named, or listed beside the one that is */
    size_t wrong;        /* another is named, and it is not listed */
    size_t unexplained, none;
    char other[OTHERS][OTHER_NAME]; /* what was named in its place */
    size_t other_count[OTHERS];
} tally;

static void other_add(tally *t, const char *name, size_t count)
{
    for (size_t i = 0; i < OTHERS && count > 0; i++) {
        if (t->other_count[i] > 0 && strcmp(t->other[i], name) != 0) continue;
        snprintf(t->other[i], OTHER_NAME, "%s", name);
        t->other_count[i] += count;
        return;
    }
}

static void tally_add(tally *sum, const tally *t)
{
    sum->made += t->made;
    sum->failed += t->failed;
    sum->layer += t->layer;
    sum->named += t->named;
    sum->also += t->also;
    sum->wrong += t->wrong;
    sum->unexplained += t->unexplained;
    sum->none += t->none;
    for (size_t i = 0; i < OTHERS; i++)
        other_add(sum, t->other[i], t->other_count[i]);
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

static void count_first(const gck_finding *first, const mistaken_kind *kind, tally *t)
{
    char name[OTHER_NAME];
    if (is_kind(&first->mistake, kind)) {
        t->named++;
        return;
    }
    snprintf(name, sizeof name, "%s %s", gck_finding_code_name(first->mistake.code),
             first->mistake.name);
    other_add(t, name, 1);
    if (is_listed(first, kind))
        t->also++;
    else if (first->mistake.code == GCK_FINDING_UNEXPLAINED)
        t->unexplained++;
    else
        t->wrong++;
}

static void complain(const claims *c, uint64_t seed, const mistaken *made,
                     const gck_findings *found)
{
    if (getenv("FINDINGS_VERBOSE") == NULL) return;
    printf("seed %llu, %s in layer %zu of %zu:\n", (unsigned long long)seed,
           mistaken_kinds[made->id].id, made->layer, c->net->model->layer_count);
    for (size_t i = 0; i < found->count; i++) {
        const gck_finding *f = &found->finding[i];
        printf("    %s %s: %s\n", gck_finding_code_name(f->mistake.code), f->mistake.name,
               f->message);
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
    const bool right = first != NULL && first->mistake.layer == mistaken_culprit(c->net, made);
    t->failed++;
    t->layer += right;
    if (first == NULL)
        t->none++;
    else
        count_first(first, kind, t);
    if (!right || found.count > 1 || (!is_kind(&first->mistake, kind) && !is_listed(first, kind)))
        complain(c, seed, made, &found);
    gck_findings_done(&found);
}

/* ---- who claims ---- */

/* A claimant with the same network, but for the cost's scale and, perhaps, without penalties; what
 * they have is brought into the model's form, as a request's convention says. */
typedef struct claimant {
    network net;
    double factor;
    bool excluded;
    double *given;
} claimant;

static gck_model *model_copy(const gck_model *model)
{
    const size_t size = sizeof *model + model->layer_count * sizeof model->layer[0];
    gck_model *copy = malloc(size);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, model, size);
    return copy;
}

static void penalties_drop(gck_model *model)
{
    static const char *const names[] = {"l1", "l2"};
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t n = 0; n < COUNT(names); n++) {
            gck_choice *type = &model->layer[i].spec.type;
            const int option = gck_item_option_find(type->item, names[n]);
            if (option >= 0) type->option[option] = 0;
        }
}

static claimant claimant_open(const network *net, uint64_t seed, bool other)
{
    static const double factors[] = {3, 1.0 / 7, -2, 10};
    claimant who = {.net = *net, .factor = 1};
    who.net.model = model_copy(net->model);
    who.given = gck_vector_new(net->model->parameter_count + 1);
    if (!other) return who;
    gck_choice *cost = &who.net.model->cost;
    who.factor = factors[seed % 4];
    who.excluded = seed / 4 % 2 == 1;
    cost->option[gck_item_option_find(cost->item, "scale")] /= who.factor;
    if (who.excluded) penalties_drop(who.net.model);
    return who;
}

static void claimant_close(claimant *who)
{
    free(who->net.model);
    gck_vector_free(who->given);
}

static double penalty_of(const network *net, size_t i)
{
    return gck_model_penalty_exact(net->model, i, net->parameters[i]);
}

static void convert(claimant *who, claims *c)
{
    const network *net = c->net;
    if (who->factor == 1) return;
    memcpy(who->given, c->gradient, net->model->parameter_count * sizeof(double));
    for (size_t i = 0; i < net->model->parameter_count; i++)
        c->gradient[i] =
            (who->given[i] - penalty_of(&who->net, i)) * who->factor + penalty_of(net, i);
    for (size_t i = 0; i < net->data->samples * net->model->inputs; i++)
        c->x[i] *= who->factor;
    c->claim.data_factor = who->factor;
    c->claim.penalties_added = who->excluded;
    c->claim.given = who->given;
}

/* ---- claims ---- */

static void round_to_dtype(claims *c)
{
    if (c->claim.dtype != GCK_FLOAT32) return;
    for (size_t i = 0; i < c->net->model->parameter_count; i++)
        c->gradient[i] = (double)(float)c->gradient[i];
    for (size_t i = 0; i < c->net->data->samples * c->net->model->inputs; i++)
        c->x[i] = (double)(float)c->x[i];
}

static void make_claim(claims *c, claimant *who, const mistaken *made, size_t count)
{
    mistaken_gradient(&who->net, made, count, c->gradient, c->x);
    round_to_dtype(c);
    convert(who, c);
    claims_judge(c);
}

static void try_mistake(claims *c, claimant *who, uint64_t seed, const mistaken *made, tally *t)
{
    if (!mistaken_applies(&who->net, made)) return;
    if (made->id == X_TIMES_M && c->claim.inputs == NULL) return;
    if ((made->id >= ROUNDED_32 || made->id == W_ROUNDED) && c->claim.dtype != GCK_FLOAT64) return;
    make_claim(c, who, made, 1);
    t->made++;
    if (c->report->verdict == GCK_FAIL) count_found(c, seed, made, t);
}

/* A right claim passes, and nothing is found in it. */
static void try_right(claims *c, claimant *who, tally *right)
{
    make_claim(c, who, NULL, 0);
    gck_findings found = claims_find(c);
    right->made++;
    right->failed += c->report->verdict == GCK_FAIL;
    right->wrong += found.count > 0;
    gck_findings_done(&found);
}

/* ---- networks ---- */

typedef enum family { SMALL, TWINS, LARGE, NARROW, ELSEWHERE, FAMILIES, NASTY = FAMILIES } family;

static const char *const family_names[] = {
    "up to 4 layers of up to 8 units, float64", "square layers, float64",
    "up to 5 layers of up to 30 units, float64", "up to 4 layers of up to 8 units, float32",
    "up to 4 layers of up to 8 units, in other conventions"};

static const random_limits limits[] = {
    [SMALL] = {.layers = 4, .units = 8, .samples = 14},
    [LARGE] = {.layers = 5, .units = 30, .samples = 60},
    [NARROW] = {.layers = 4, .units = 8, .samples = 14},
    [ELSEWHERE] = {.layers = 4, .units = 8, .samples = 14},
    [NASTY] = {.layers = 4, .units = 8, .samples = 14, .nasty = true}};

static size_t twins_layers(dice *d, size_t width, gck_layer_spec *layers)
{
    static const char *const names[] = {"tanh", "sigmoid", "relu", "softplus", "leaky_relu", "elu"};
    const size_t count = 2 + dice_below(d, 3);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        layers[n] = dense(width, names[dice_below(d, COUNT(names))]);
        if (dice_chance(d, 0.3)) layers[n].type = with_option(layers[n].type, "l1", 0.02);
        if (dice_chance(d, 0.3)) layers[n].type = with_option(layers[n].type, "l2", 0.03);
        n++;
        if (i + 1 < count && dice_chance(d, 0.3)) layers[n++] = dropout(0.4);
    }
    return n;
}

/* All layers of one width, so that every matrix is square and every delta fits every layer. */
static network twins_new(uint64_t seed)
{
    dice d = dice_new(seed);
    gck_layer_spec layers[8];
    const size_t width = 2 + dice_below(&d, 6), n = twins_layers(&d, width, layers);
    const bool entropy = dice_chance(&d, 0.5), weighted = dice_chance(&d, 0.5);
    const gck_choice cost = cost_named(entropy ? "categorical_crossentropy" : "mse");
    const size_t samples = 3 + dice_below(&d, 9);
    if (entropy) layers[n - 1].activation = activation_named("softmax");
    network net = weighted ? network_weighted(width, layers, n, cost, samples)
                           : network_new(width, layers, n, cost, samples);
    network_draw_biases(&net);
    return net;
}

/* tallies: one a kind. Returns how many networks were tried: 1, or 0 where the cost is not finite.
 */
static size_t try_network(family of, const network *net, bool inputs, uint64_t seed, tally *tallies,
                          tally *right)
{
    claims c;
    gck_check_spec spec = check_spec_of(net);
    spec.inputs = inputs;
    if (!claims_open(&c, net, &spec, of == NARROW ? GCK_FLOAT32 : GCK_FLOAT64)) return 0;
    claimant who = claimant_open(net, seed, of == ELSEWHERE);
    try_right(&c, &who, right);
    for (int id = 0; id < MISTAKES; id++)
        for (size_t layer = 0; layer < net->model->layer_count; layer++)
            try_mistake(&c, &who, seed, &(mistaken){.id = (mistaken_id)id, .layer = layer},
                        &tallies[id]);
    claimant_close(&who);
    claims_close(&c);
    return 1;
}

static size_t try_seed(family of, uint64_t seed, tally *tallies, tally *right)
{
    random_network drawn;
    size_t tried;
    if (of == TWINS) {
        network net = twins_new(seed);
        tried = try_network(of, &net, seed % 2 == 0, seed, tallies, right);
        network_done(&net);
        return tried;
    }
    random_network_open(seed, limits[of], &drawn);
    tried = try_network(of, &drawn.net, drawn.spec.inputs, seed, tallies, right);
    random_network_close(&drawn);
    return tried;
}

static void try_family(family of, tally *tallies, tally *right)
{
    const char *given = getenv("FINDINGS_SEED");
    uint64_t seed = given == NULL ? 1 : strtoull(given, NULL, 10);
    const size_t wanted = of == NASTY ? NETWORKS_NASTY : is_long() ? NETWORKS_LONG : NETWORKS;
    for (size_t tried = 0; tried < wanted; seed++)
        tried += try_seed(of, seed, tallies, right);
}

/* ---- tables ---- */

static void tally_print(const char *name, const tally *t)
{
    printf("| %s | %zu | %zu | %zu | %zu | %zu | %zu | %zu |", name, t->made, t->failed, t->layer,
           t->named, t->also, t->wrong, t->unexplained + t->none);
}

/* "W_TIMES_M" as "w times m". */
static const char *words_of(const char *id, char text[64])
{
    size_t i = 0;
    for (; i < 63 && id[i] != '\0'; i++)
        text[i] = id[i] == '_' ? ' ' : (char)tolower((unsigned char)id[i]);
    text[i] = '\0';
    return text;
}

static void kinds_print(const tally *tallies)
{
    printf(
        "| mistake | made | fail | layer right | named | in `also` | wrong | unexplained | named "
        "in its place |\n|---|---|---|---|---|---|---|---|---|\n");
    for (size_t id = 0; id < MISTAKES; id++) {
        char name[192], words[64];
        snprintf(name, sizeof name, "%s: `%s` `%s`", words_of(mistaken_kinds[id].id, words),
                 gck_finding_code_name(mistaken_kinds[id].code), mistaken_kinds[id].name);
        tally_print(name, &tallies[id]);
        for (size_t i = 0; i < OTHERS && tallies[id].other_count[i] > 0; i++)
            printf("%s %s %zu", i > 0 ? "," : "", tallies[id].other[i], tallies[id].other_count[i]);
        printf(" |\n");
    }
}

static tally sum_of(const tally *tallies)
{
    tally sum = {0};
    for (size_t id = 0; id < MISTAKES; id++)
        tally_add(&sum, &tallies[id]);
    return sum;
}

/* ---- tests ---- */

START_TEST(every_kind_is_found_at_every_place)
{
    static tally tallies[FAMILIES][MISTAKES];
    tally all[MISTAKES] = {0};
    for (int of = 0; of < FAMILIES; of++) {
        tally right = {0};
        try_family((family)of, tallies[of], &right);
        const tally sum = sum_of(tallies[of]);
        for (size_t id = 0; id < MISTAKES; id++)
            tally_add(&all[id], &tallies[of][id]);
        if (is_long()) {
            tally_print(family_names[of], &sum);
            printf("\n");
        }
        ck_assert_uint_eq(right.failed, 0);
        ck_assert_uint_eq(right.wrong, 0);
        ck_assert_uint_ge(1000 * sum.layer, 990 * sum.failed);
        ck_assert_uint_ge(1000 * (sum.named + sum.also), 950 * sum.failed);
        ck_assert_uint_le(1000 * sum.wrong, 10 * sum.failed);
        ck_assert_uint_eq(sum.none, 0);
    }
    if (is_long()) kinds_print(all);
}
END_TEST

/* Where units are dead or saturated, sums cancel and kinks are hit, the textbook formulas that the
 * claims are made by err as well, and mistakes leave nothing to tell them by: what counts is that
 * every failure gets a finding, and nothing that passes. */
START_TEST(nasty_networks_have_findings_too)
{
    tally tallies[MISTAKES] = {0}, right = {0};
    try_family(NASTY, tallies, &right);
    const tally sum = sum_of(tallies);
    ck_assert_uint_eq(sum.none, 0);
    ck_assert_uint_le(right.wrong, right.failed);
    ck_assert_uint_ge(10 * (sum.named + sum.also), 9 * sum.failed);
}
END_TEST

SUITE_MAIN("finding_kinds", {every_kind_is_found_at_every_place, 0},
           {nasty_networks_have_findings_too, 0})
