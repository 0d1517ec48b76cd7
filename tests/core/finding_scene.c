#include "tests/core/finding_scene.h"
#include "tests/core/suite.h"

#include <math.h>
#include <string.h>

network scene_network(const char *activation, double l2)
{
    const gck_layer_spec layers[] = {dense(4, activation), dense_with(4, activation, "l2", l2),
                                     dense(3, "softmax")};
    network net = network_new(4, layers, 3, cost_named("categorical_crossentropy"), SCENE_ROWS);
    network_draw_biases(&net);
    for (size_t k = 0; k < SCENE_ROWS; k++)
        gck_one_hot(k % 3, 3, net.data->y + 3 * k);
    return net;
}

void scene_claim(scene *s, const mistaken *made, size_t count)
{
    gck_findings_done(&s->found);
    mistaken_gradient(&s->net, made, count, s->c.gradient, s->c.x);
    claims_judge(&s->c);
}

void scene_find(scene *s)
{
    s->found = claims_find(&s->c);
}

void scene_open(scene *s, bool inputs)
{
    *s = (scene){.net = scene_network("tanh", 0.1)};
    gck_check_spec spec = check_spec_of(&s->net);
    spec.inputs = inputs;
    ck_assert(claims_open(&s->c, &s->net, &spec, GCK_FLOAT64));
}

void scene_close(scene *s)
{
    gck_findings_done(&s->found);
    claims_close(&s->c);
    network_done(&s->net);
}

/* One mistake, and what is found then. */
void scene_make(scene *s, mistaken_id id, size_t layer)
{
    scene_claim(s, &(mistaken){.id = id, .layer = layer}, 1);
    ck_assert_int_eq(s->c.report->verdict, GCK_FAIL);
    scene_find(s);
}

bool finding_names(const gck_mistake *mistake, const char *code, const char *name)
{
    return strcmp(gck_finding_code_name(mistake->code), code) == 0 &&
           strcmp(mistake->name, name) == 0;
}

bool finding_lists(const gck_finding *finding, const char *code, const char *name)
{
    for (size_t i = 0; i < finding->also_count; i++)
        if (finding_names(&finding->also[i], code, name)) return true;
    return finding_names(&finding->mistake, code, name);
}

void assert_one_finding(const scene *s, const char *code, const char *name, size_t layer,
                        const char *tensor)
{
    ck_assert_uint_eq(s->found.count, 1);
    const gck_mistake *mistake = &s->found.finding[0].mistake;
    ck_assert_str_eq(gck_finding_code_name(mistake->code), code);
    ck_assert_str_eq(mistake->name, name);
    ck_assert_uint_eq(mistake->layer, layer);
    ck_assert_str_eq(mistake->tensor == NULL ? "" : mistake->tensor, tensor);
}

double finding_number(const gck_finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->evidence_count; i++)
        if (strcmp(finding->evidence[i].name, name) == 0) return finding->evidence[i].number;
    ck_abort_msg("no evidence %s", name);
    return NAN;
}
