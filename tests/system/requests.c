#include "requests.h"
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *layer_new(const char *text)
{
    char name[64];
    double rate;
    int units;
    if (sscanf(text, " dropout %lf", &rate) == 1)
        return json_pack("{s:s, s:f}", "type", "dropout", "rate", rate);
    if (sscanf(text, " activation %63s", name) == 1)
        return json_pack("{s:s, s:s}", "type", "activation", "activation", name);
    int found = sscanf(text, " %d %63s", &units, name);
    ck_assert_msg(found == 2, "no layer: %s", text);
    return json_pack("{s:s, s:i, s:s}", "type", "dense", "units", units, "activation", name);
}

json_t *model_new(int inputs, const char *layers, const char *cost)
{
    json_t *list = json_array();
    char *copy = keep(strdup(layers));
    char *rest = NULL;
    for (char *text = strtok_r(copy, ";", &rest); text != NULL; text = strtok_r(NULL, ";", &rest))
        json_array_append_new(list, layer_new(text));
    return json_pack("{s:[i], s:o, s:s}", "input_shape", inputs, "layers", list, "cost", cost);
}

/* Well spread numbers without a generator's state: a mix of the place (splitmix's finalizer). */
static unsigned mix(unsigned seed, unsigned row, unsigned column)
{
    unsigned long long z =
        ((unsigned long long)seed << 48) + ((unsigned long long)row << 16) + column;
    z = (z + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)(z >> 40);
}

static double matrix_value(unsigned seed, int row, int column)
{
    return ((int)(mix(seed, (unsigned)row, (unsigned)column) % 257) - 128) / 64.0;
}

json_t *matrix_new(int rows, int columns, unsigned seed)
{
    json_t *matrix = json_array();
    for (int i = 0; i < rows; i++) {
        json_t *row = json_array();
        for (int j = 0; j < columns; j++)
            json_array_append_new(row, json_real(matrix_value(seed, i, j)));
        json_array_append_new(matrix, row);
    }
    return matrix;
}

json_t *data_new(int rows, int inputs, int outputs)
{
    json_t *y = json_array();
    for (int i = 0; i < rows; i++) {
        json_t *row = json_array();
        for (int j = 0; j < outputs; j++)
            json_array_append_new(row, json_real((matrix_value(2, i, j) + 2.5) / 5));
        json_array_append_new(y, row);
    }
    return json_pack("{s:o, s:o}", "x", matrix_new(rows, inputs, 1), "y", y);
}

/* The label is the place of the largest of the first `classes` inputs. */
static int label_of(int row, int inputs, int classes)
{
    int label = 0;
    for (int j = 1; j < classes && j < inputs; j++)
        if (matrix_value(1, row, j) > matrix_value(1, row, label)) label = j;
    return label;
}

json_t *labelled_new(int rows, int inputs, int classes)
{
    json_t *y = json_array();
    for (int i = 0; i < rows; i++)
        json_array_append_new(y, json_integer(label_of(i, inputs, classes)));
    return json_pack("{s:o, s:o}", "x", matrix_new(rows, inputs, 1), "y", y);
}

json_t *check_new(json_t *model, json_t *data)
{
    return json_pack("{s:o, s:o}", "model", model, "data", data);
}

json_t *training_new(json_t *model, json_t *data, json_t *training)
{
    return json_pack("{s:o, s:o, s:o}", "model", model, "data", data, "training", training);
}

json_t *check_small(void)
{
    return check_new(model_new(3, "16 tanh; 8 tanh; 2 softmax", "categorical_crossentropy"),
                     labelled_new(20, 3, 2));
}

json_t *training_small(int epochs)
{
    return training_new(model_new(4, "6 tanh; 3 softmax", "categorical_crossentropy"),
                        labelled_new(24, 4, 3), json_pack("{s:i}", "epochs", epochs));
}

static json_t *model_large(void)
{
    return model_new(200, "200 tanh; 200 tanh; 10 softmax", "categorical_crossentropy");
}

json_t *check_long(void)
{
    json_t *check = check_new(model_large(), labelled_new(200, 200, 10));
    json_object_set_new(check, "check", json_pack("{s:s}", "method", "ridders"));
    return check;
}

json_t *training_long(void)
{
    return training_new(model_large(), labelled_new(500, 200, 10),
                        json_pack("{s:i}", "epochs", 100000));
}
