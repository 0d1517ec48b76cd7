#include "tests/core/floats.h"

#include <gradcheck/cost.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is(const gck_choice *choice, const char *name)
{
    return strcmp(choice->item->name, name) == 0;
}

/* ---- activations ---- */

static float sigmoid(float t)
{
    return 1 / (1 + expf(-t));
}

static void softmax(size_t units, const float *z, float *a)
{
    float top = z[0], sum = 0;
    for (size_t j = 1; j < units; j++)
        top = fmaxf(top, z[j]);
    for (size_t j = 0; j < units; j++)
        sum += a[j] = expf(z[j] - top);
    for (size_t j = 0; j < units; j++)
        a[j] /= sum;
}

/* f(z), and f'(z) in the form that is taught. */
static float activate(const gck_choice *f, float z, float *slope)
{
    const float o = (float)f->option[0], size = fabsf(z);
    if (is(f, "relu")) return *slope = z > 0, fmaxf(z, 0);
    if (is(f, "leaky_relu")) return *slope = z > 0 ? 1 : o, z > 0 ? z : o * z;
    if (is(f, "elu") || is(f, "selu")) {
        const float scale = is(f, "selu") ? (float)f->option[1] : 1;
        const float a = z >= 0 ? z : o * (expf(z) - 1);
        return *slope = scale * (z >= 0 ? 1 : a + o), scale * a;
    }
    if (is(f, "sigmoid")) {
        const float s = sigmoid(o * z);
        return *slope = o * s * (1 - s), s;
    }
    if (is(f, "tanh")) {
        const float t = tanhf(z);
        return *slope = 1 - t * t, t;
    }
    if (is(f, "slu")) {
        const float s = sigmoid(z);
        return *slope = s * (1 + z * (1 - s)), z * s;
    }
    if (is(f, "softplus")) return *slope = sigmoid(z), fmaxf(z, 0) + log1pf(expf(-size));
    if (is(f, "softsign")) return *slope = 1 / ((1 + size) * (1 + size)), z / (1 + size);
    if (is(f, "bent_identity")) {
        const float root = hypotf(z, 1);
        return *slope = z / (2 * root) + 1, (root - 1) / 2 + z;
    }
    if (is(f, "gaussian")) {
        const float a = expf(-z * z);
        return *slope = -2 * z * a, a;
    }
    if (is(f, "arctan")) return *slope = 1 / (1 + z * z), atanf(z);
    if (is(f, "piecewise_linear")) return *slope = size < o ? 1 / o : 0, fmaxf(-1, fminf(1, z / o));
    return *slope = o, o * z;
}

/* ---- costs ---- */

/* dL/da, or dL/dz of a cross-entropy. */
static float slope_of_cost(const gck_choice *cost, const gck_choice *f, float z, float a, float y)
{
    const float c = (float)f->option[0];
    if (is(cost, "mse")) return 2 * (a - y);
    if (is(cost, "mae")) return (float)((a > y) - (a < y));
    if (is(cost, "dot")) return y;
    if (is(f, "sigmoid")) return is(cost, "binary_crossentropy") ? c * (a - y) : -c * y * (1 - a);
    if (is(cost, "categorical_crossentropy")) return 2 * y * z;
    return 2 * y * z - (y == 1 ? 0 : (1 - y) * 2 * z / expm1f(z * z));
}

static void softmax_cost(const gck_choice *cost, size_t units, const float *a, const double *y,
                         float *delta)
{
    const bool binary = is(cost, "binary_crossentropy");
    float sum = 0;
    for (size_t j = 0; j < units; j++) {
        const float target = (float)y[j];
        delta[j] = -target;
        if (binary && target != 1) delta[j] += (1 - target) * a[j] / (1 - a[j]);
        sum += delta[j];
    }
    for (size_t j = 0; j < units; j++)
        delta[j] -= a[j] * sum;
}

/* ---- one sample ---- */

typedef struct place {
    float x[FLOATS_UNITS], z[FLOATS_UNITS], a[FLOATS_UNITS], slope[FLOATS_UNITS];
} place;

typedef struct sample {
    const network *net;
    size_t k;
    place *at; /* (layers) */
    float *gradient;
    float delta[FLOATS_UNITS];
} sample;

static float parameter(const sample *s, size_t offset)
{
    return (float)s->net->parameters[offset];
}

static void dense_forward(const sample *s, const gck_layer *layer, place *at)
{
    for (size_t j = 0; j < layer->outputs; j++) {
        at->z[j] = 0;
        for (size_t i = 0; i < layer->inputs; i++)
            at->z[j] += at->x[i] * parameter(s, layer->tensor[0].offset + i * layer->outputs + j);
        if (layer->tensor_count > 1) at->z[j] += parameter(s, layer->tensor[1].offset + j);
    }
}

static void mask_forward(const sample *s, const gck_layer *layer, place *at)
{
    double mask[FLOATS_UNITS];
    gck_layer_mask(layer, (gck_mask_key){s->net->model->seed, 0}, s->k, mask, 1);
    for (size_t j = 0; j < layer->outputs; j++) {
        at->slope[j] = (float)mask[j];
        at->a[j] = at->x[j] * at->slope[j];
    }
}

static void layer_forward(const sample *s, const gck_layer *layer, place *at)
{
    const gck_choice *f = &layer->spec.activation;
    if (gck_layer_has_mask(layer)) {
        mask_forward(s, layer, at);
        return;
    }
    memcpy(at->z, at->x, sizeof at->z);
    if (layer->tensor_count > 0) dense_forward(s, layer, at);
    if (is(f, "softmax")) softmax(layer->outputs, at->z, at->a);
    for (size_t j = 0; j < layer->outputs && !is(f, "softmax"); j++)
        at->a[j] = activate(f, at->z[j], &at->slope[j]);
}

static void sample_forward(const sample *s)
{
    const gck_model *model = s->net->model;
    for (size_t i = 0; i < model->inputs; i++)
        s->at[0].x[i] = (float)s->net->data->x[s->k * model->inputs + i];
    for (size_t l = 0; l < model->layer_count; l++) {
        if (l > 0) memcpy(s->at[l].x, s->at[l - 1].a, sizeof s->at[l].x);
        layer_forward(s, &model->layer[l], &s->at[l]);
    }
}

static void cost_back(sample *s)
{
    const gck_model *model = s->net->model;
    const gck_data *data = s->net->data;
    const gck_layer *last = &model->layer[model->layer_count - 1];
    const place *at = &s->at[model->layer_count - 1];
    const double *y = data->y + s->k * model->outputs;
    const gck_choice linear = activation_named("linear");
    const gck_choice *f = gck_layer_has_mask(last) ? &linear : &last->spec.activation;
    const double weight = data->weights == NULL ? 1 : data->weights[s->k];
    const float share =
        (float)(gck_cost_factor(&model->cost, data->samples, model->outputs) * weight);
    for (size_t j = 0; j < model->outputs; j++)
        s->delta[j] = slope_of_cost(&model->cost, f, at->z[j], at->a[j], (float)y[j]);
    if (gck_cost_is_entropy(&model->cost) && is(f, "softmax"))
        softmax_cost(&model->cost, model->outputs, at->a, y, s->delta);
    for (size_t j = 0; j < model->outputs; j++)
        s->delta[j] *= share;
}

static void activation_back(sample *s, const gck_layer *layer, const place *at)
{
    float sum = 0;
    if (gck_layer_has_mask(layer) || !is(&layer->spec.activation, "softmax")) {
        for (size_t j = 0; j < layer->outputs; j++)
            s->delta[j] *= at->slope[j];
        return;
    }
    for (size_t j = 0; j < layer->outputs; j++)
        sum += at->a[j] * s->delta[j];
    for (size_t j = 0; j < layer->outputs; j++)
        s->delta[j] = at->a[j] * (s->delta[j] - sum);
}

static void dense_back(sample *s, const gck_layer *layer, const place *at)
{
    float dx[FLOATS_UNITS] = {0};
    for (size_t j = 0; j < layer->outputs; j++) {
        for (size_t i = 0; i < layer->inputs; i++) {
            const size_t w = layer->tensor[0].offset + i * layer->outputs + j;
            s->gradient[w] += at->x[i] * s->delta[j];
            dx[i] += parameter(s, w) * s->delta[j];
        }
        if (layer->tensor_count > 1) s->gradient[layer->tensor[1].offset + j] += s->delta[j];
    }
    memcpy(s->delta, dx, sizeof dx);
}

static void sample_run(sample *s)
{
    const gck_model *model = s->net->model;
    if (s->net->data->weights != NULL && s->net->data->weights[s->k] == 0) {
        memset(s->delta, 0, sizeof s->delta);
        return;
    }
    sample_forward(s);
    cost_back(s);
    for (size_t l = model->layer_count; l-- > 0;) {
        const bool fused = l + 1 == model->layer_count && gck_cost_is_entropy(&model->cost);
        if (!fused) activation_back(s, &model->layer[l], &s->at[l]);
        if (model->layer[l].tensor_count > 0) dense_back(s, &model->layer[l], &s->at[l]);
    }
}

/* ---- all ---- */

static float penalty(const gck_layer *layer, float w)
{
    const gck_choice *type = &layer->spec.type;
    const float l1 = (float)type->option[gck_item_option_find(type->item, "l1")];
    const float l2 = (float)type->option[gck_item_option_find(type->item, "l2")];
    return l1 * (float)((w > 0) - (w < 0)) + 2 * l2 * w;
}

void floats_gradient(const network *net, double *gradient, double *x)
{
    const gck_model *model = net->model;
    sample s = {.net = net,
                .at = calloc(model->layer_count, sizeof *s.at),
                .gradient = calloc(model->parameter_count + 1, sizeof *s.gradient)};
    for (s.k = 0; s.k < net->data->samples; s.k++) {
        sample_run(&s);
        for (size_t i = 0; i < model->inputs; i++)
            x[s.k * model->inputs + i] = s.delta[i];
    }
    for (size_t l = 0; l < model->layer_count; l++) {
        const gck_layer *layer = &model->layer[l];
        for (size_t e = 0; layer->tensor_count > 0 && e < layer->tensor[0].count; e++)
            s.gradient[layer->tensor[0].offset + e] +=
                penalty(layer, (float)net->parameters[layer->tensor[0].offset + e]);
    }
    for (size_t e = 0; e < model->parameter_count; e++)
        gradient[e] = s.gradient[e];
    free(s.at);
    free(s.gradient);
}

/* ---- forward alone ---- */

static float loss_term(const gck_choice *cost, float a, float y)
{
    float sum = 0;
    if (is(cost, "mse")) return (y - a) * (y - a);
    if (is(cost, "mae")) return fabsf(y - a);
    if (is(cost, "dot")) return y * a;
    if (y != 0) sum -= y * logf(a);
    if (y != 1 && is(cost, "binary_crossentropy")) sum -= (1 - y) * logf(1 - a);
    return sum;
}

static float penalties(const network *net)
{
    const gck_model *model = net->model;
    float sum = 0;
    for (size_t l = 0; l < model->layer_count; l++) {
        const gck_choice *type = &model->layer[l].spec.type;
        for (size_t e = 0; model->layer[l].tensor_count > 0 && e < model->layer[l].tensor[0].count;
             e++) {
            const float w = (float)net->parameters[model->layer[l].tensor[0].offset + e];
            sum += (float)type->option[gck_item_option_find(type->item, "l1")] * fabsf(w);
            sum += (float)type->option[gck_item_option_find(type->item, "l2")] * w * w;
        }
    }
    return sum;
}

double floats_forward(const network *net, double *outputs)
{
    const gck_model *model = net->model;
    const double factor = gck_cost_factor(&model->cost, net->data->samples, model->outputs);
    sample s = {.net = net, .at = calloc(model->layer_count, sizeof *s.at)};
    float sum = 0;
    for (s.k = 0; s.k < net->data->samples; s.k++) {
        const float weight = net->data->weights == NULL ? 1 : (float)net->data->weights[s.k];
        if (weight != 0) sample_forward(&s);
        for (size_t j = 0; j < model->outputs; j++) {
            const size_t at = s.k * model->outputs + j;
            const float a = s.at[model->layer_count - 1].a[j];
            outputs[at] = weight == 0 ? NAN : a;
            if (weight != 0) sum += weight * loss_term(&model->cost, a, (float)net->data->y[at]);
        }
    }
    free(s.at);
    return (float)factor * sum + penalties(net);
}
