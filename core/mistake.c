#include "core/mistake.h"
#include "core/cost.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const gck_mistake_group *const groups[] = {
    &gck_mistakes_zero, &gck_mistakes_scaled,  &gck_mistakes_activation,
    &gck_mistakes_cost, &gck_mistakes_down,    &gck_mistakes_delta,
    &gck_mistakes_bias, &gck_mistakes_weights, &gck_mistakes_finished};

const gck_mistake_kind *gck_mistake_at(size_t index)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (index < groups[i]->count) return &groups[i]->kind[index];
        index -= groups[i]->count;
    }
    return NULL;
}

/* Whether a layer has what the stage is about. */
static bool stage_exists(const gck_mistake_kind *kind, const gck_place *place)
{
    const gck_layer *layer = gck_place_layer(place);
    if (kind->stage == GCK_STAGE_ACTIVATION)
        return layer->spec.activation.item != NULL || place->layer + 1 == place->model->layer_count;
    if (kind->stage == GCK_STAGE_DOWN) return true;
    if (!gck_replay_is_dense(layer)) return false;
    if (kind->stage == GCK_STAGE_DELTA) return true;
    if (kind->tensor != NULL && strcmp(kind->tensor, place->tensor) != 0) return false;
    return place->tensor[0] != 'b' || layer->tensor_count > 1;
}

bool gck_mistake_applies(const gck_mistake_kind *kind, const gck_place *place)
{
    return stage_exists(kind, place) && (kind->applies == NULL || kind->applies(place));
}

size_t gck_mistake_variants(const gck_mistake_kind *kind, const gck_place *place)
{
    if (kind->variants == NULL) return 1;
    const size_t count = kind->variants(place);
    return count == GCK_SEARCHED ? 0 : count;
}

/* ---- finished tensors ---- */

double gck_finished_whole(const gck_finished *f, size_t e)
{
    return f->data[e] + f->share * f->penalty[e];
}

double gck_mistake_finish(const gck_mistake_kind *kind, const gck_finished *f, size_t e,
                          double *ret_rest)
{
    const double added = (1 - f->share) * f->penalty[e];
    if (kind->whole) {
        *ret_rest = added;
        return kind->value == NULL ? gck_finished_whole(f, e) : kind->value(f, e);
    }
    *ret_rest = kind->penalty == NULL ? f->penalty[e] : f->factor * kind->penalty(f, e) + added;
    return kind->value == NULL ? f->data[e] : kind->value(f, e);
}

/* ---- names ---- */

static bool is_bias(const gck_place *about)
{
    return about->tensor != NULL && about->tensor[0] == 'b';
}

static const char *scale_name(const gck_scale *scale, const gck_place *about)
{
    return is_bias(about) && scale->bias_name != NULL ? scale->bias_name : scale->name;
}

static const char *row_name(const gck_mutant *mutant)
{
    return mutant->kind->table->rows[mutant->which]->name;
}

gck_mistake gck_mutant_mistake(const gck_mutant *mutant, const gck_place *about)
{
    const gck_mistake_kind *kind = mutant->kind;
    gck_mistake mistake = {.code = kind->code, .layer = about->layer, .tensor = about->tensor};
    const char *part[4] = {kind->plain ? NULL : kind->name,
                           kind->table == NULL ? NULL : row_name(mutant)};
    size_t length = 0;
    for (size_t i = 0; i < GCK_SCALES_MAX; i++)
        if (mutant->scale[i] != NULL) part[2 + i] = scale_name(mutant->scale[i], about);
    for (size_t i = 0; i < 4; i++) {
        if (part[i] == NULL || length >= sizeof mistake.name) continue;
        const char *joint = length == 0 ? "" : i == 1 ? ":" : "+";
        length += (size_t)snprintf(mistake.name + length, sizeof mistake.name - length, "%s%s",
                                   joint, part[i]);
    }
    if (kind->plain)
        mistake.code = is_bias(about) ? mutant->scale[0]->bias_code : mutant->scale[0]->code;
    return mistake;
}

/* ---- sentences ---- */

typedef struct sentence {
    char *text;
    size_t length;
} sentence;

static void add(sentence *s, const char *text)
{
    while (*text != '\0' && s->length + 1 < GCK_FINDING_TEXT)
        s->text[s->length++] = *text++;
    s->text[s->length] = '\0';
}

static void add_number(sentence *s, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", number);
    add(s, text);
}

static void add_count(sentence *s, size_t count)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", count);
    add(s, text);
}

static bool is_lowest(const gck_place *about)
{
    for (size_t i = 0; i < about->layer; i++)
        if (about->model->layer[i].tensor_count > 0) return false;
    return true;
}

static void add_what(sentence *s, const gck_place *about)
{
    const char *tensor = about->tensor == NULL ? "" : about->tensor;
    if (tensor[0] == 'x') {
        add(s, "the gradient of x");
        return;
    }
    const bool down = tensor[0] == '\0' && !is_lowest(about);
    add(s, tensor[0] == 'W'   ? "dW of layer "
           : tensor[0] == 'b' ? "db of layer "
           : down             ? "everything from layer "
                              : "the gradient of layer ");
    add_count(s, about->layer);
    if (down) add(s, " down");
}

static void add_below(sentence *s, const gck_place *about)
{
    if (about->layer == GCK_FINDING_NO_LAYER) {
        add(s, "the gradient of x");
        return;
    }
    add(s, "layer ");
    add_count(s, about->layer);
}

void gck_place_say(const gck_place *about, char *text, size_t size)
{
    char whole[GCK_FINDING_TEXT] = "";
    sentence s = {whole, 0};
    add_what(&s, about);
    snprintf(text, size, "%s", whole);
}

static bool is_word(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0 && text[strlen(word)] == '}';
}

static void add_word(sentence *s, const char *word, const gck_mutant *mutant,
                     const gck_place *about)
{
    const gck_layer *at = &about->model->layer[mutant->layer];
    if (is_word(word, "what"))
        add_what(s, about);
    else if (is_word(word, "below"))
        add_below(s, about);
    else if (is_word(word, "at"))
        add_count(s, mutant->layer);
    else if (is_word(word, "above"))
        add_count(s, mutant->layer + 1);
    else if (is_word(word, "f"))
        add(s, at->spec.activation.item == NULL ? "no activation" : at->spec.activation.item->name);
    else if (is_word(word, "other"))
        add(s, row_name(mutant));
    else if (is_word(word, "which"))
        add_count(s, mutant->which);
    else if (is_word(word, "end"))
        add(s, mutant->which == 0 ? "first" : "last");
    else if (is_word(word, "m"))
        add_count(s, about->data->samples);
    else if (is_word(word, "cost"))
        add(s, about->model->cost.item->name);
    else if (is_word(word, "rate"))
        add_number(s, at->spec.type.option[0]);
}

static void add_template(sentence *s, const char *text, const gck_mutant *mutant,
                         const gck_place *about)
{
    for (; *text != '\0'; text++) {
        if (*text != '{') {
            add(s, (const char[]){*text, '\0'});
            continue;
        }
        add_word(s, text + 1, mutant, about);
        text = strchr(text, '}');
    }
}

/* "has the wrong sign and is 100 times too large: …" */
static void add_scale(sentence *s, const gck_mutant *mutant, const gck_place *about)
{
    const double size = fabs(mutant->factor);
    if (mutant->factor < 0) add(s, size == 1 ? "has the wrong sign" : "has the wrong sign and ");
    if (size != 1) {
        add(s, "is ");
        add_number(s, size > 1 ? size : 1 / size);
        add(s, size > 1 ? " times too large" : " times too small");
    }
    for (size_t i = 0; i < GCK_SCALES_MAX && mutant->scale[i] != NULL; i++) {
        const gck_scale *scale = mutant->scale[i];
        const bool holds = scale->holds == NULL || scale->holds(about);
        add(s, i == 0 ? ": " : "; and ");
        add(s, holds ? scale->reason : scale->reason_not);
    }
}

void gck_mutant_say(const gck_mutant *mutant, const gck_place *about, char text[GCK_FINDING_TEXT])
{
    sentence s = {text, 0};
    text[0] = '\0';
    if (!mutant->kind->plain) add_template(&s, mutant->kind->text, mutant, about);
    if (mutant->scale[0] == NULL) return;
    if (!mutant->kind->plain) add(&s, "; beside that, ");
    add_what(&s, about);
    add(&s, " ");
    add_scale(&s, mutant, about);
}
