/* What GitHub's runner shows: annotations at files, by lines on standard output, and a summary of
 * the step, in the file that it names. */
#include "client/ci.h"
#include "client/say.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More are not shown for a step. */
enum { ANNOTATIONS = 10 };

/* Line ends and % would end a command; in a property also : and , */
static void put_escaped(const char *text, bool property)
{
    for (; *text != '\0'; text++) {
        const bool escaped =
            strchr("%\r\n", *text) != NULL || (property && strchr(":,", *text) != NULL);
        if (escaped)
            printf("%%%02X", (unsigned char)*text);
        else
            putchar(*text);
    }
}

static void annotate(const struct ci_suite *suite, const struct ci_case *item)
{
    printf("::%s file=", item->outcome == CI_INCONCLUSIVE ? "warning" : "error");
    put_escaped(suite->file, true);
    printf(",title=");
    put_escaped(item->name, true);
    printf("::");
    put_escaped(item->text, false);
    printf("\n");
}

static void annotate_all(const struct ci_suite *suite, size_t count)
{
    size_t shown = 0;
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < suite[s].count && shown < ANNOTATIONS; i++) {
            const struct ci_case *item = &suite[s].item[i];
            if (item->outcome == CI_PASS && !item->regressed) continue;
            annotate(&suite[s], item);
            shown++;
        }
}

/* In a cell of a table. */
static void put_cell(FILE *file, const char *text)
{
    fputs("| ", file);
    for (; *text != '\0'; text++) {
        if (strchr("|\\`*_<>[]", *text) != NULL) fputc('\\', file);
        fputc(*text == '\n' ? ' ' : *text, file);
    }
    fputc(' ', file);
}

static void summarise(FILE *file, const struct ci_suite *suite, size_t count)
{
    fputs(
        "### Gradient checks\n\n| file | gradient | verdict | distance | "
        "|\n|---|---|---|---:|---|\n",
        file);
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < suite[s].count; i++) {
            const struct ci_case *item = &suite[s].item[i];
            put_cell(file, suite[s].file);
            put_cell(file, item->name);
            put_cell(file, item->regressed ? "regressed" : ci_outcome_name(item->outcome));
            if (isnan(item->distance))
                put_cell(file, "");
            else
                fprintf(file, "| %.3g ", item->distance);
            put_cell(file, item->text);
            fputs("|\n", file);
        }
}

bool github_write(const struct ci_suite *suite, size_t count)
{
    const char *actions = getenv("GITHUB_ACTIONS"), *path = getenv("GITHUB_STEP_SUMMARY");
    if (actions == NULL || strcmp(actions, "true") != 0) return true;
    annotate_all(suite, count);
    if (path == NULL || path[0] == '\0') return true;
    FILE *file = fopen(path, "a");
    if (file == NULL) return say(false, "%s: %s", path, strerror(errno));
    summarise(file, suite, count);
    return fclose(file) == 0 || say(false, "%s: %s", path, strerror(errno));
}
