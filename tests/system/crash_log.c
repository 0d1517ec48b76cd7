#include "crash_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct crash_end *)a)->id, ((const struct crash_end *)b)->id);
}

static struct crash_end *add(struct crash_log *log, size_t *capacity)
{
    if (log->count == *capacity) {
        *capacity = 2 * *capacity + 256;
        log->end = realloc(log->end, *capacity * sizeof *log->end);
        ck_assert_ptr_nonnull(log->end);
    }
    return &log->end[log->count];
}

static bool is_error(const char *line)
{
    return strncmp(line, "level=error ", 12) == 0 || strstr(line, "Sanitizer") != NULL ||
           strstr(line, "runtime error") != NULL;
}

struct crash_log crash_log_read(const struct service *service)
{
    struct crash_log log = {.count = 0};
    size_t capacity = 0;
    char path[300], line[2048];
    snprintf(path, sizeof path, "%s/stderr", service->folder);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL) {
        struct crash_end *end = add(&log, &capacity);
        if (is_error(line) && log.errors++ == 0)
            snprintf(log.error, sizeof log.error, "%.*s", (int)strcspn(line, "\n"), line);
        if (sscanf(line, "level=info event=job id=%31s kind=%*s state=%15s", end->id, end->state) ==
            2)
            log.count++;
    }
    fclose(file);
    keep(log.end);
    qsort(log.end, log.count, sizeof *log.end, by_id);
    for (size_t i = 1; i < log.count; i++)
        log.twice += strcmp(log.end[i - 1].id, log.end[i].id) == 0;
    return log;
}

const struct crash_end *crash_log_find(const struct crash_log *log, const char *id)
{
    struct crash_end key;
    snprintf(key.id, sizeof key.id, "%s", id);
    return bsearch(&key, log->end, log->count, sizeof key, by_id);
}
