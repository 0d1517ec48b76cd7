#include "client/show.h"
#include "client/terminal.h"

#include <math.h>
#include <stdio.h>

/* Epochs shown, the first and the last among them. */
enum { EPOCHS_SHOWN = 11 };

static const char *const columns[] = {"cost", "accuracy", "validation_cost", "validation_accuracy"};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static double item_number(const struct value *column, size_t index)
{
    const struct value *item = index < field_length(column) ? value_item(column, index) : NULL;
    return item != NULL && value_is_number(item) ? value_number(item) : NAN;
}

static void add_epoch(struct table *table, const struct value *history, size_t epoch)
{
    table_count(table, epoch + 1);
    for (int i = 0; i < COLUMNS; i++)
        table_number(table, item_number(field_node(history, columns[i]), epoch));
}

static void show_history(const struct value *history)
{
    struct table table;
    const size_t epochs = field_length(field_node(history, "cost"));
    const size_t shown = epochs < EPOCHS_SHOWN ? epochs : EPOCHS_SHOWN;
    table_start(&table, ">EPOCH|>COST|>ACCURACY|>VALIDATION COST|>VALIDATION ACCURACY");
    for (size_t i = 0; i < shown; i++)
        add_epoch(&table, history, shown == 1 ? 0 : i * (epochs - 1) / (shown - 1));
    table_end(&table);
}

static void show_checks(const struct value *checks)
{
    struct table table;
    if (field_length(checks) > 0) printf("\n");
    table_start(&table, ">CHECK AFTER|VERDICT|>DISTANCE|>REFINED");
    for (size_t i = 0; i < field_length(checks); i++) {
        const struct value *check = value_item(checks, i);
        table_count(&table, field_count(check, "epoch"));
        table_cell(&table, "%s", field_text(check, "verdict"));
        table_number(&table, field_number(check, "distance"));
        table_number(&table, field_number(check, "refined_distance"));
    }
    table_end(&table);
}

void show_training(const struct value *result)
{
    const struct value *final = field_node(result, "final");
    const struct value *history = field_node(result, "history");
    const size_t diverged = field_count(final, "diverged_at");
    const double accuracy = field_number(final, "accuracy");
    if (diverged > 0)
        print_line("fail  the cost is not finite any more in epoch %zu\n", diverged);
    else if (isnan(accuracy))
        print_line("cost %.9g after %zu epochs\n", field_number(final, "cost"),
                   field_length(field_node(history, "cost")));
    else
        print_line("cost %.9g, accuracy %.4g after %zu epochs\n", field_number(final, "cost"),
                   accuracy, field_length(field_node(history, "cost")));
    show_history(history);
    show_checks(field_node(result, "checks"));
}
