#include "client/show.h"
#include "client/terminal.h"

static void add_tensor(struct table *table, const struct value *tensor)
{
    char shape[SHAPE_TEXT_SIZE];
    table_cell(table, "%s", field_text(tensor, "name"));
    table_cell(table, "%s", shape_text(field_node(tensor, "shape"), shape));
    table_cell(table, "%s", field_text(tensor, "verdict"));
    table_number(table, field_number(tensor, "distance"));
    table_number(table, field_number(tensor, "claimed_norm"));
    table_number(table, field_number(tensor, "reference_norm"));
    table_count(table, field_count(tensor, "wrong_elements"));
}

void show_comparison(const struct value *result)
{
    struct table table;
    const struct value *tensors = field_node(result, "tensors");
    print_line("%s  distance %.3g (%s; tolerance %g)\n", field_text(result, "verdict"),
               field_number(result, "distance"), field_text(result, "dtype"),
               field_number(result, "tolerance"));
    table_start(&table, "TENSOR|SHAPE|VERDICT|>DISTANCE|>NORM OF A|>NORM OF B|>WRONG");
    for (size_t i = 0; i < field_length(tensors); i++)
        add_tensor(&table, value_item(tensors, i));
    table_end(&table);
    show_elements(tensors, "WORST|VERDICT|>A|>B|>ERROR|>RELATIVE", "reference");
    show_remarks(result);
}
