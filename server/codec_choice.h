/* Items out of tables, from JSON. */
#ifndef GRADCHECKD_CODEC_CHOICE_H
#define GRADCHECKD_CODEC_CHOICE_H

#include "server/codec_read.h"

/* Where options that are items themselves go. */
struct nested_choices {
    gck_choice *activation, *initializer;
};

/* A name, or an object with type and options, out of a table. */
bool read_choice(const struct value *value, const struct place *place, const gck_table *table,
                 gck_choice *ret_choice);
/* The same for a row with options that are items: layers. */
bool read_nested_choice(const struct value *value, const struct place *place,
                        const gck_table *table, gck_choice *ret_choice,
                        struct nested_choices *nested);

#endif
