#include "client/show.h"
#include "client/terminal.h"

#include <stdio.h>
#include <string.h>

static void add_elements(struct table *table, const struct value *tensor, const char *other)
{
    const struct value *worst = field_node(tensor, "worst");
    char index[SHAPE_TEXT_SIZE];
    for (size_t i = 0; i < field_length(worst); i++) {
        const struct value *element = value_item(worst, i);
        table_cell(table, "%.200s%s", field_text(tensor, "name"),
                   shape_text(field_node(element, "index"), index));
        table_cell(table, "%s", field_text(element, "verdict"));
        table_cell(table, "%.9g", field_number(element, "claimed"));
        table_cell(table, "%.9g", field_number(element, other));
        table_number(table, field_number(element, "absolute_error"));
        table_number(table, field_number(element, "relative_error"));
    }
}

void show_elements(const struct value *tensors, const char *head, const char *other)
{
    struct table table;
    printf("\n");
    table_start(&table, head);
    for (size_t i = 0; i < field_length(tensors); i++)
        if (strcmp(field_text(value_item(tensors, i), "verdict"), "pass") != 0)
            add_elements(&table, value_item(tensors, i), other);
    table_end(&table);
}
