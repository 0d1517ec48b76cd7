#include "client/show.h"
#include "client/terminal.h"

#include <math.h>
#include <stdio.h>

void show_summary(const struct value *summary)
{
    struct table table;
    const struct value *layers = field_node(summary, "layers");
    const struct value *check = field_node(summary, "check");
    char shape[SHAPE_TEXT_SIZE];
    table_start(&table, "LAYER|OUTPUT|>PARAMETERS");
    for (size_t i = 0; i < field_length(layers); i++) {
        const struct value *layer = value_item(layers, i);
        table_cell(&table, "%zu %s", field_count(layer, "index"), field_text(layer, "type"));
        table_cell(&table, "%s", shape_text(field_node(layer, "output_shape"), shape));
        table_count(&table, field_count(layer, "parameters"));
    }
    table_end(&table);
    print_line(
        "\n%zu parameters; a check takes %.3g operations and %.3g MB, and would take %.0f "
        "evaluations by the plain formula",
        field_count(summary, "parameters"), field_number(check, "operations"),
        field_number(check, "memory_bytes") * 1e-6, field_number(check, "evaluations"));
}

/* "alpha=0.01 c=1" */
static const char *options_text(const struct value *options, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < field_length(options) && used < size; i++) {
        const struct value *option = value_item(options, i);
        const double number = field_number(option, "default");
        const char *word = field_text(option, "default"), *space = i == 0 ? "" : " ";
        const int more =
            isnan(number) ? snprintf(text + used, size - used, "%s%s%s%s", space,
                                     field_text(option, "name"), word[0] == '\0' ? "" : "=", word)
                          : snprintf(text + used, size - used, "%s%s=%.17g", space,
                                     field_text(option, "name"), number);
        used += more < 0 ? 0 : (size_t)more;
    }
    return text;
}

void show_catalog(const struct value *catalog)
{
    void *iterator = NULL;
    const struct value *list;
    const char *name;
    char text[400];
    for (bool first = true;
         value_is_object(catalog) && (name = value_next(catalog, &iterator, &list)) != NULL;
         first = false) {
        struct table table;
        print_line("%s%s", first ? "" : "\n", name);
        table_start(&table, "  TYPE|FORMULA|OPTIONS");
        for (size_t i = 0; i < field_length(list); i++) {
            const struct value *item = value_item(list, i);
            table_cell(&table, "  %s", field_text(item, "type"));
            table_cell(&table, "%s", field_text(item, "formula"));
            table_cell(&table, "%s", options_text(field_node(item, "options"), text, sizeof text));
        }
        table_end(&table);
    }
}
