#include "server/codec_named.h"

bool read_known_names(const struct value *set, const struct place *place, const struct value *known,
                      const char *owner)
{
    void *iterator = NULL;
    const struct value *member;
    const char *name;
    while ((name = value_next(set, &iterator, &member)) != NULL) {
        const struct place at = place_key(place, name);
        if (value_member(known, name) == NULL)
            return place_fail(&at, "%s has no such tensor", owner);
    }
    return true;
}

/* "(2, 3)", or what it is in place of an array. */
static const char *shape_or_kind(const gck_shape *shape, const char *kind,
                                 char text[GCK_SHAPE_TEXT])
{
    return shape->rank == 0 ? kind : gck_shape_format(shape, text);
}

bool read_same_shape(const struct value *value, const struct place *place, const gck_shape *shape,
                     const char *owner)
{
    char wanted[GCK_SHAPE_TEXT], given[GCK_SHAPE_TEXT];
    const gck_shape own = value_shape(value);
    if (gck_shape_equal(&own, shape)) return true;
    if (own.rank > 0 && shape->rank > 0 && own.dim[0] == shape->dim[0] && !value_is_even(value))
        return true;
    const bool turned = own.rank == 2 && shape->rank == 2 && own.dim[0] == shape->dim[1] &&
                        own.dim[1] == shape->dim[0];
    return place_fail(
        place, "must be %s as in %s, got %s%s", shape_or_kind(shape, "a number", wanted), owner,
        shape_or_kind(&own, value_kind(value), given), turned ? ": it would fit transposed" : "");
}

bool read_scalar(const struct value *value, const struct place *place, bool any, double *ret_number)
{
    return ((any || value_is_number(value)) && value_any_number(value, ret_number)) ||
           place_fail(place, "must be a number or nested arrays, got %s", value_kind(value));
}
