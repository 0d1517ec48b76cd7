/* A function in C, asked line by line: gradcheck probe -- ./program [--break]
 *
 *   cc program.c -ljansson -lm -o program
 *
 * f(w, x) = sum over j of exp(-(w x)[j]^2), w (OUT, IN), x (IN). */
#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OUT = 3, IN = 4, LINE = 1 << 20 };

static double w[OUT][IN], x[IN], dw[OUT][IN], dx[IN];

static double output(int j)
{
    double z = 0;
    for (int i = 0; i < IN; i++)
        z += w[j][i] * x[i];
    return z;
}

static double function(void)
{
    double sum = 0;
    for (int j = 0; j < OUT; j++)
        sum += exp(-output(j) * output(j));
    return sum;
}

static void gradients(int broken)
{
    memset(dx, 0, sizeof dx);
    for (int j = 0; j < OUT; j++) {
        const double z = output(j), dz = broken ? exp(-z * z) : -2 * z * exp(-z * z);
        for (int i = 0; i < IN; i++) {
            dw[j][i] = dz * x[i];
            dx[i] += dz * w[j][i];
        }
    }
}

static json_t *list(const double *values, int count)
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

static json_t *matrix(double values[OUT][IN])
{
    json_t *rows = json_array();
    for (int j = 0; j < OUT; j++)
        json_array_append_new(rows, list(values[j], IN));
    return rows;
}

static double number(const json_t *array, size_t index)
{
    return json_number_value(json_array_get(array, index));
}

/* theta, and what the point moves: elements at places, or a whole tensor. */
static void move(const json_t *point)
{
    for (int i = 0; i < OUT * IN; i++)
        w[i / IN][i % IN] = sin(i + 1);
    for (int i = 0; i < IN; i++)
        x[i] = cos(i);
    for (int tensor = 0; tensor < 2; tensor++) {
        const json_t *moved = json_object_get(point, tensor == 0 ? "w" : "x");
        const json_t *at = json_object_get(moved, "at"), *to = json_object_get(moved, "to");
        for (size_t k = 0; k < json_array_size(at); k++) {
            const json_t *place = json_array_get(at, k);
            if (tensor == 0)
                w[(int)number(place, 0)][(int)number(place, 1)] = number(to, k);
            else
                x[(int)number(place, 0)] = number(to, k);
        }
        for (size_t k = 0; at == NULL && k < json_array_size(to); k++) {
            if (tensor == 1) x[k] = number(to, k);
            for (size_t i = 0; tensor == 0 && i < IN; i++)
                w[k][i] = number(json_array_get(to, k), i);
        }
    }
}

static json_t *answer(const json_t *question, int broken)
{
    if (strcmp(json_string_value(json_object_get(question, "op")), "start") == 0) {
        move(NULL);
        gradients(broken);
        return json_pack("{sf s{so so} s{so so}}", "f", function(), "theta", "w", matrix(w), "x",
                         list(x, IN), "gradients", "w", matrix(dw), "x", list(dx, IN));
    }
    json_t *values = json_array(), *point;
    size_t i;
    json_array_foreach(json_object_get(question, "points"), i, point)
    {
        move(point);
        json_array_append_new(values, json_real(function()));
    }
    return json_pack("{so}", "values", values);
}

int main(int argc, char **argv)
{
    static char line[LINE];
    const int broken = argc > 1 && strcmp(argv[1], "--break") == 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        json_t *question = json_loads(line, 0, NULL), *said = answer(question, broken);
        json_dumpf(said, stdout, JSON_COMPACT);
        printf("\n");
        fflush(stdout);
        json_decref(question);
        json_decref(said);
    }
    return 0;
}
