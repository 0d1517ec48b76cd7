/* "Anything with options is either its name or an object with type and its options": one reader for
 * all tables. */
#include "server/codec_choice.h"

#include <gradcheck/activation.h>
#include <gradcheck/initializer.h>

#include <stdio.h>
#include <string.h>

/* "relu, tanh, …" for messages */
static const char *names_of(const gck_table *table, char text[PROBLEM_TEXT_SIZE / 2])
{
    size_t used = 0;
    for (size_t i = 0; i < table->count; i++) {
        const int more = snprintf(text + used, PROBLEM_TEXT_SIZE / 2 - used, "%s%s",
                                  i > 0 ? ", " : "", table->rows[i]->name);
        if (more < 0 || (size_t)more >= PROBLEM_TEXT_SIZE / 2 - used) break;
        used += (size_t)more;
    }
    return text;
}

static bool item_find(const struct value *value, const struct place *place, const gck_table *table,
                      const gck_item **ret_item)
{
    const char *name;
    if (!read_text(value, place, &name)) return false;
    *ret_item = gck_table_find(table, name);
    if (*ret_item != NULL) return true;
    char text[PROBLEM_TEXT_SIZE / 2];
    return place_fail(place, "\"%.60s\" is no %s; there are %s", name, table->noun,
                      names_of(table, text));
}

static bool read_word(const struct value *value, const struct place *place,
                      const gck_option *option, double *ret_index)
{
    const char *word;
    if (!read_text(value, place, &word)) return false;
    for (size_t i = 0; option->words[i] != NULL; i++)
        if (strcmp(option->words[i], word) == 0) {
            *ret_index = (double)i;
            return true;
        }
    return place_fail(place, "\"%.60s\" is no %s", word, option->name);
}

static bool read_value(const struct value *value, const struct place *place, gck_choice *choice,
                       size_t index)
{
    const gck_option *option = &choice->item->option[index];
    if (option->kind == GCK_OPTION_WORD)
        return read_word(value, place, option, &choice->option[index]);
    double number;
    bool truth;
    if (option->kind == GCK_OPTION_BOOLEAN) {
        if (!read_boolean(value, place, &truth)) return false;
        number = truth;
    } else {
        if (!value_is_number(value))
            return place_fail(place, "must be a number, got %s", value_kind(value));
        number = value_number(value);
    }
    gck_error error;
    if (gck_choice_set(choice, index, number, &error) == GCK_OK) return true;
    return place_fail(place, "%s", error.text);
}

/* What an option that is an item itself reads into. */
static gck_choice *nested_of(const gck_option *option, struct nested_choices *nested,
                             const gck_table **ret_table)
{
    if (option->kind == GCK_OPTION_ACTIVATION) {
        *ret_table = &gck_activations;
        return nested->activation;
    }
    if (option->kind == GCK_OPTION_INITIALIZER) {
        *ret_table = &gck_initializers;
        return nested->initializer;
    }
    return NULL;
}

static bool read_option(const struct value *member, const struct place *place, gck_choice *choice,
                        size_t index, struct nested_choices *nested)
{
    const gck_option *option = &choice->item->option[index];
    const gck_table *table;
    gck_choice *inner = nested_of(option, nested, &table);
    if (member == NULL) {
        if (option->required)
            return place_fail(place->up, "%s needs \"%s\"", choice->item->name, option->name);
        if (inner != NULL) *inner = gck_choice_named(table, option->item);
        return true;
    }
    return inner != NULL ? read_choice(member, place, table, inner)
                         : read_value(member, place, choice, index);
}

static bool members_are_known(const struct value *value, const struct place *place,
                              const gck_item *item)
{
    const char *names[GCK_OPTIONS_MAX + 1] = {"type"};
    const size_t count = gck_item_option_count(item);
    for (size_t i = 0; i < count; i++)
        names[1 + i] = item->option[i].name;
    return read_object(value, place, names, 1 + count);
}

bool read_nested_choice(const struct value *value, const struct place *place,
                        const gck_table *table, gck_choice *ret_choice,
                        struct nested_choices *nested)
{
    const gck_item *item;
    const bool named = value_is_text(value);
    if (named) {
        if (!item_find(value, place, table, &item)) return false;
    } else {
        const struct value *type;
        const struct place at = place_key(place, "type");
        if (!value_is_object(value))
            return place_fail(place, "must be a string or an object, got %s", value_kind(value));
        if (!read_required(value, place, "type", &type) || !item_find(type, &at, table, &item) ||
            !members_are_known(value, place, item))
            return false;
    }
    *ret_choice = gck_choice_default(item);
    const size_t count = gck_item_option_count(item);
    for (size_t i = 0; i < count; i++) {
        const struct value *member = named ? NULL : value_member(value, item->option[i].name);
        const struct place at = place_key(place, item->option[i].name);
        if (!read_option(member, &at, ret_choice, i, nested)) return false;
    }
    return true;
}

bool read_choice(const struct value *value, const struct place *place, const gck_table *table,
                 gck_choice *ret_choice)
{
    return read_nested_choice(value, place, table, ret_choice, &(struct nested_choices){0});
}
