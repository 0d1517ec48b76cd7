/* The catalogue of known mistakes, as a table. */
#include "tests/core/fixtures.h"
#include "tests/core/suite.h"

#include "core/mistake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* $TEST_DOCS, or docs. */
static char *document_read(const char *name)
{
    char path[256];
    const char *folder = getenv("TEST_DOCS");
    snprintf(path, sizeof path, "%s/%s", folder == NULL ? "docs" : folder, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    char *text = calloc(1, 1 << 20);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_lt(fread(text, 1, (1 << 20) - 1, file), (1 << 20) - 1);
    fclose(file);
    return text;
}

static void assert_row(const char *text, gck_finding_code code, const char *name)
{
    char row[128];
    snprintf(row, sizeof row, "| `%s` | `%s`", gck_finding_code_name(code), name);
    ck_assert_msg(strstr(text, row) != NULL, "docs/findings.md has no row %s", row);
}

START_TEST(every_kind_is_documented)
{
    char *text = document_read("findings.md");
    const gck_mistake_kind *kind;
    for (size_t i = 0; (kind = gck_mistake_at(i)) != NULL; i++)
        if (!kind->plain) assert_row(text, kind->code, kind->name);
    for (size_t i = 0; i < gck_scale_count; i++)
        assert_row(text, gck_scales[i].code, gck_scales[i].name);
    for (int code = 0; code <= GCK_FINDING_UNEXPLAINED; code++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "`%s`", gck_finding_code_name((gck_finding_code)code));
        ck_assert_msg(strstr(text, quoted) != NULL, "docs/findings.md has no %s", quoted);
    }
    free(text);
}
END_TEST

START_TEST(there_are_more_than_thirty_kinds)
{
    size_t count = 0;
    while (gck_mistake_at(count) != NULL)
        count++;
    ck_assert_uint_ge(count + gck_scale_count, 60);
}
END_TEST

/* A template names nothing that it does not know: it leaves no brace, and no gap. */
START_TEST(every_sentence_is_complete)
{
    const gck_layer_spec layers[] = {dense(3, "tanh"), dropout(0.5), dense(3, "softmax")};
    network net = network_new(3, layers, 3, cost_named("categorical_crossentropy"), 4);
    const gck_mistake_kind *kind;
    for (size_t i = 0; (kind = gck_mistake_at(i)) != NULL; i++) {
        char text[GCK_FINDING_TEXT];
        const gck_place about = {.model = net.model,
                                 .parameters = net.parameters,
                                 .data = net.data,
                                 .tensor = kind->tensor};
        const gck_mutant mutant = {
            .kind = kind, .layer = 1, .factor = -4, .scale = {&gck_scales[0], &gck_scales[2]}};
        gck_mutant_say(&mutant, &about, text);
        ck_assert_uint_gt(strlen(text), 20);
        ck_assert_ptr_null(strpbrk(text, "{}"));
        ck_assert_ptr_null(strstr(text, "  "));
        ck_assert_uint_lt(strlen(text), GCK_FINDING_TEXT - 1);
    }
    network_done(&net);
}
END_TEST

/* However large the numbers are. */
START_TEST(counts_are_said_to_the_last_digit)
{
    const gck_layer_spec layers[] = {dense(3, "tanh")};
    network net = network_new(3, layers, 1, cost_named("mse"), 4);
    const gck_mistake_kind *kind = gck_mistake_at(0);
    char text[GCK_FINDING_TEXT];
    for (size_t i = 1; kind != NULL && strcmp(kind->name, "counted_twice") != 0; i++)
        kind = gck_mistake_at(i);
    const gck_place about = {
        .model = net.model, .parameters = net.parameters, .data = net.data, .tensor = "W"};
    gck_mutant_say(&(gck_mutant){.kind = kind, .which = 1234567, .factor = 1}, &about, text);
    ck_assert_str_eq(text, "sample 1234567 of 4 counts twice in dW of layer 0");
    network_done(&net);
}
END_TEST

SUITE_MAIN("mistake", {every_kind_is_documented, 0}, {there_are_more_than_thirty_kinds, 0},
           {every_sentence_is_complete, 0}, {counts_are_said_to_the_last_digit, 0})
