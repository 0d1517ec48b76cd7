#include "client/show.h"
#include "client/terminal.h"

#include <stdio.h>
#include <string.h>

static const char *labels_text(const struct value *labels, char *text, size_t size)
{
    void *iterator = NULL;
    const struct value *value;
    const char *name;
    size_t used = 0;
    text[0] = '\0';
    while (labels != NULL && used < size &&
           (name = value_next(labels, &iterator, &value)) != NULL) {
        const int more = snprintf(text + used, size - used, "%s%s=%s", used == 0 ? "" : " ", name,
                                  value_is_text(value) ? value_text(value) : "");
        used += more < 0 ? 0 : (size_t)more;
    }
    return text;
}

/* Of a check its verdict, of a training how far it came, of a failed job why. */
static void add_outcome(struct table *table, const struct value *job)
{
    const struct value *summary = field_node(job, "summary"), *error = field_node(job, "error");
    const struct value *progress = field_node(job, "progress");
    const char *verdict = field_text(summary, "verdict");
    if (error != NULL)
        table_cell(table, "%s", field_text(error, "title"));
    else if (verdict[0] != '\0')
        table_cell(table, "%s", verdict);
    else if (summary != NULL)
        table_cell(table, "cost %.6g", field_number(summary, "cost"));
    else
        table_cell(table, "%zu of %zu", field_count(progress, "done"),
                   field_count(progress, "total"));
}

void show_jobs(const struct value *list)
{
    struct table table;
    const struct value *jobs = field_node(list, "jobs");
    char text[300];
    table_start(&table, "ID|CREATED|KIND|STATE|OUTCOME|LABELS");
    for (size_t i = 0; i < field_length(jobs); i++) {
        const struct value *job = value_item(jobs, i);
        table_cell(&table, "%s", field_text(job, "id"));
        table_cell(&table, "%.19s", field_text(job, "created_at"));
        table_cell(&table, "%s", field_text(job, "kind"));
        table_cell(&table, "%s", field_text(job, "state"));
        add_outcome(&table, job);
        table_cell(&table, "%s", labels_text(field_node(job, "labels"), text, sizeof text));
    }
    table_end(&table);
    if (field_length(jobs) == 0) print_line("there are no such jobs");
    if (field_text(list, "next")[0] != '\0') print_line("and older ones; --limit shows more");
}

static const struct {
    const char *kind;
    void (*show)(const struct value *result);
} shows[] = {{"gradient-check", show_check}, {"training", show_training}, {"probe", show_probe}};

void show_job(const struct value *job)
{
    const struct value *result = field_node(job, "result"), *error = field_node(job, "error");
    const struct value *progress = field_node(job, "progress");
    char text[300];
    print_line("%s  %s %s of %s, created %s", field_text(job, "state"), field_text(job, "kind"),
               field_text(job, "id"), field_text(job, "owner"), field_text(job, "created_at"));
    if (labels_text(field_node(job, "labels"), text, sizeof text)[0] != '\0')
        print_line("labels: %s", text);
    print_line("%zu of %zu done in %.3g seconds", field_count(progress, "done"),
               field_count(progress, "total"), field_number(field_node(job, "usage"), "seconds"));
    if (error != NULL) print_line("error: %s", field_text(error, "detail"));
    if (result == NULL) return;
    printf("\n");
    for (size_t i = 0; i < sizeof shows / sizeof shows[0]; i++)
        if (strcmp(shows[i].kind, field_text(job, "kind")) == 0) shows[i].show(result);
}
