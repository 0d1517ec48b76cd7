/* JUnit's XML, as CI systems read it: a suite a file, a case a tensor. */
#include "client/ci.h"
#include "client/say.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What stands in an attribute or between tags. */
static void put_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *escaped = *text == '&'    ? "&amp;"
                              : *text == '<'  ? "&lt;"
                              : *text == '>'  ? "&gt;"
                              : *text == '"'  ? "&quot;"
                              : *text == '\'' ? "&apos;"
                                              : NULL;
        if (escaped != NULL)
            fputs(escaped, file);
        else
            fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
}

static void put_case(FILE *file, const struct ci_suite *suite, const struct ci_case *item)
{
    fputs("    <testcase classname=\"", file);
    put_text(file, suite->file);
    fputs("\" name=\"", file);
    put_text(file, item->name);
    if (item->outcome == CI_PASS && !item->regressed) {
        fputs("\"/>\n", file);
        return;
    }
    const char *tag = item->outcome == CI_ERROR ? "error" : "failure";
    fprintf(file, "\">\n      <%s type=\"%s\" message=\"", tag,
            item->regressed ? "regression" : ci_outcome_name(item->outcome));
    put_text(file, item->text);
    fprintf(file, "\"/>\n    </testcase>\n");
}

static size_t count_of(const struct ci_suite *suite, bool errors)
{
    size_t count = 0;
    for (size_t i = 0; i < suite->count; i++) {
        const struct ci_case *item = &suite->item[i];
        const bool error = item->outcome == CI_ERROR;
        count += errors ? error : !error && (item->outcome != CI_PASS || item->regressed);
    }
    return count;
}

static void put_suite(FILE *file, const struct ci_suite *suite)
{
    fputs("  <testsuite name=\"", file);
    put_text(file, suite->file);
    fprintf(file, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n", suite->count,
            count_of(suite, false), count_of(suite, true), suite->run.seconds);
    for (size_t i = 0; i < suite->count; i++)
        put_case(file, suite, &suite->item[i]);
    fputs("  </testsuite>\n", file);
}

bool junit_write(const char *path, const struct ci_suite *suite, size_t count)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) return say(false, "%s: %s", path, strerror(errno));
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", file);
    for (size_t i = 0; i < count; i++)
        put_suite(file, &suite[i]);
    fputs("</testsuites>\n", file);
    const bool written = ferror(file) == 0;
    return (fclose(file) == 0 && written) || say(false, "%s: %s", path, strerror(errno));
}
