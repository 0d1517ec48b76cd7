#include <gradcheck/item.h>

#include <assert.h>
#include <math.h>
#include <string.h>

static bool item_is_named(const gck_item *item, const char *name)
{
    if (strcmp(item->name, name) == 0) return true;
    for (size_t i = 0; i < sizeof item->alias / sizeof item->alias[0]; i++)
        if (item->alias[i] != NULL && strcmp(item->alias[i], name) == 0) return true;
    return false;
}

const gck_item *gck_table_find(const gck_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (item_is_named(table->rows[i], name)) return table->rows[i];
    return NULL;
}

size_t gck_item_option_count(const gck_item *item)
{
    size_t count = 0;
    while (count < GCK_OPTIONS_MAX && item->option[count].name != NULL)
        count++;
    return count;
}

int gck_item_option_find(const gck_item *item, const char *name)
{
    const size_t count = gck_item_option_count(item);
    for (size_t i = 0; i < count; i++)
        if (strcmp(item->option[i].name, name) == 0) return (int)i;
    return -1;
}

gck_choice gck_choice_default(const gck_item *item)
{
    gck_choice choice = {.item = item};
    const size_t count = gck_item_option_count(item);
    for (size_t i = 0; i < count; i++)
        choice.option[i] = item->option[i].fallback;
    return choice;
}

gck_choice gck_choice_named(const gck_table *table, const char *name)
{
    const gck_item *item = gck_table_find(table, name);
    assert(item != NULL);
    return gck_choice_default(item);
}

gck_status gck_choice_set(gck_choice *choice, size_t index, double value, gck_error *error)
{
    assert(index < gck_item_option_count(choice->item));
    const gck_option *option = &choice->item->option[index];
    const bool integer = option->kind == GCK_OPTION_INTEGER;
    if (integer && value != floor(value))
        return gck_error_set(error, GCK_INVALID, option->name, "must be an integer, got %.16g",
                             value);
    if ((integer || option->kind == GCK_OPTION_NUMBER) &&
        !(value >= option->minimum && value <= option->maximum))
        return gck_error_set(error, GCK_INVALID, option->name,
                             "must be between %.16g and %.16g, got %.16g", option->minimum,
                             option->maximum, value);
    choice->option[index] = value;
    return GCK_OK;
}
