#include "client/ci.h"
#include "client/file.h"
#include "client/say.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *ci_outcome_name(enum ci_outcome outcome)
{
    static const char *const names[] = {[CI_PASS] = "pass",
                                        [CI_FAIL] = "fail",
                                        [CI_INCONCLUSIVE] = "inconclusive",
                                        [CI_ERROR] = "error"};
    return names[outcome];
}

static enum ci_outcome outcome_of(const char *verdict)
{
    if (strcmp(verdict, "pass") == 0) return CI_PASS;
    return strcmp(verdict, "inconclusive") == 0 ? CI_INCONCLUSIVE : CI_FAIL;
}

enum ci_outcome suite_outcome(const struct ci_suite *suite)
{
    enum ci_outcome worst = CI_PASS;
    static const int badness[] = {
        [CI_PASS] = 0, [CI_INCONCLUSIVE] = 1, [CI_FAIL] = 2, [CI_ERROR] = 3};
    for (size_t i = 0; i < suite->count; i++)
        if (badness[suite->item[i].outcome] > badness[worst]) worst = suite->item[i].outcome;
    return worst;
}

/* ---- cases ---- */

static struct ci_case *case_add(struct ci_suite *suite, enum ci_outcome outcome)
{
    if (suite->count == suite->capacity) {
        const size_t capacity = 2 * suite->capacity + 8;
        void *grown = realloc(suite->item, capacity * sizeof *suite->item);
        if (grown == NULL) return NULL;
        suite->item = grown;
        suite->capacity = capacity;
    }
    struct ci_case *item = &suite->item[suite->count++];
    *item = (struct ci_case){.outcome = outcome, .distance = NAN, .before = NAN};
    return item;
}

/* A file that came to no result. */
static bool error_add(struct ci_suite *suite, const char *text, size_t length)
{
    static const char own[] = "gradcheck: ";
    struct ci_case *item = case_add(suite, CI_ERROR);
    if (item == NULL) return false;
    snprintf(item->name, sizeof item->name, "all");
    while (length > 0 && text[length - 1] == '\n')
        length--;
    if (length >= strlen(own) && strncmp(text, own, strlen(own)) == 0) {
        text += strlen(own);
        length -= strlen(own);
    }
    snprintf(item->text, sizeof item->text, "%.*s", (int)(length < 400 ? length : 400), text);
    make_harmless(item->text);
    return true;
}

/* The first finding about a layer and tensor. */
static void add_finding(struct ci_case *item, const struct value *result, double layer,
                        const char *tensor)
{
    const struct value *findings = field_node(result, "findings");
    for (size_t i = 0; i < field_length(findings) && item->text[0] == '\0'; i++) {
        const struct value *finding = value_item(findings, i);
        const char *of = field_text(finding, "tensor");
        const double where = field_number(finding, "layer");
        if ((isnan(where) || where == layer) && (of[0] == '\0' || strcmp(of, tensor) == 0))
            snprintf(item->text, sizeof item->text, "%.440s", field_text(finding, "message"));
    }
    if (item->outcome == CI_INCONCLUSIVE && item->text[0] == '\0')
        snprintf(item->text, sizeof item->text, "nothing can be said of this gradient");
    if (item->outcome == CI_FAIL && item->text[0] == '\0')
        snprintf(item->text, sizeof item->text, "the gradient is wrong: distance %.3g",
                 item->distance);
}

static bool tensor_add(struct ci_suite *suite, const struct value *result,
                       const struct value *tensor, double layer, const char *prefix)
{
    struct ci_case *item = case_add(suite, outcome_of(field_text(tensor, "verdict")));
    const char *name = field_text(tensor, "name");
    if (item == NULL) return false;
    if (isnan(layer))
        snprintf(item->name, sizeof item->name, "%s%.80s", prefix, name);
    else
        snprintf(item->name, sizeof item->name, "%slayer %.0f %.80s", prefix, layer, name);
    item->distance = field_number(tensor, "refined_distance");
    if (isnan(item->distance)) item->distance = field_number(tensor, "distance");
    add_finding(item, result, layer, name);
    return true;
}

static bool tensors_add(struct ci_suite *suite, const struct value *result,
                        const struct value *list, double layer, const char *prefix)
{
    for (size_t i = 0; i < field_length(list); i++)
        if (!tensor_add(suite, result, value_item(list, i), layer, prefix)) return false;
    return true;
}

static bool result_add(struct ci_suite *suite, const struct value *result, const char *prefix)
{
    const struct value *layers = field_node(result, "layers"),
                       *inputs = field_node(result, "inputs");
    const size_t before = suite->count;
    bool added = tensors_add(suite, result, field_node(result, "tensors"), NAN, prefix);
    for (size_t i = 0; added && i < field_length(layers); i++) {
        const struct value *layer = value_item(layers, i);
        added = tensors_add(suite, result, field_node(layer, "tensors"),
                            field_number(layer, "index"), prefix);
    }
    if (added && inputs != NULL) added = tensor_add(suite, result, inputs, NAN, prefix);
    if (!added || suite->count > before) return added;
    struct ci_case *item = case_add(suite, outcome_of(field_text(result, "verdict")));
    if (item != NULL) snprintf(item->name, sizeof item->name, "%sall", prefix);
    return item != NULL;
}

/* Names and texts are lines of UTF-8, whatever they were cut from: nothing in them may begin
 * another line, or another encoding. */
static void clean(char *text)
{
    for (char *at = text; *at != '\0';) {
        const unsigned char c = (unsigned char)*at;
        const size_t more = c < 0x80       ? 0
                            : c >> 5 == 6  ? 1
                            : c >> 4 == 14 ? 2
                            : c >> 3 == 30 ? 3
                                           : 9;
        size_t have = 0;
        while (have < more && ((unsigned char)at[have + 1] & 0xC0) == 0x80)
            have++;
        if (c < ' ' || c == 0x7F)
            *at = ' ';
        else if (have < more)
            *at = '?';
        at += have < more ? 1 : more + 1;
    }
}

static void clean_all(struct ci_suite *suite)
{
    for (size_t i = 0; i < suite->count; i++) {
        clean(suite->item[i].name);
        clean(suite->item[i].text);
    }
}

/* ---- what is run ---- */

static enum ci_kind kind_of(const struct value *root)
{
    if (!value_is_object(root)) return CI_UNKNOWN;
    if (value_member(root, "model") != NULL) return CI_CHECK;
    if (value_member(root, "reference") != NULL) return CI_COMPARISON;
    return value_member(root, "program") != NULL ? CI_PROBE : CI_UNKNOWN;
}

/* Words of a probe's command line, one after the other. */
static bool probe_words(const struct value *root, struct buf *words)
{
    static const char *const numbers[] = {"repeat", "seed", "budget"};
    const struct value *program = field_node(root, "program");
    const char *sweep = field_text(root, "sweep");
    char text[160];
    bool put = buf_append(words, "probe", 6) && buf_append(words, "--local", 8) &&
               buf_append(words, "--json", 7);
    if (sweep[0] != '\0') {
        const int length = snprintf(text, sizeof text, "--sweep=%.100s", sweep);
        put = put && buf_append(words, text, (size_t)length + 1);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const double number = field_number(root, numbers[i]);
        if (isnan(number)) continue;
        const int length = snprintf(text, sizeof text, "--%s=%.0f", numbers[i], number);
        put = put && buf_append(words, text, (size_t)length + 1);
    }
    put = put && buf_append(words, "--", 3);
    for (size_t i = 0; put && i < field_length(program); i++) {
        const struct value *word = value_item(program, i);
        put = value_is_text(word) &&
              buf_append(words, value_text(word), strlen(value_text(word)) + 1);
    }
    return put && field_length(program) > 0;
}

static bool plan(struct ci_suite *suite, const struct value *root)
{
    static const char check[] = "check\0--local\0--json\0--", diff[] = "diff\0--local\0--json\0--";
    struct buf words = {.limit = 1 << 20};
    bool put = true;
    if (suite->kind == CI_PROBE)
        put = probe_words(root, &words);
    else if (suite->kind == CI_CHECK)
        put = buf_append(&words, check, sizeof check);
    else
        put = buf_append(&words, diff, sizeof diff);
    if (suite->kind != CI_PROBE)
        put = put && buf_append(&words, suite->file, strlen(suite->file) + 1);
    suite->words = put ? blob_from_buf(&words) : NULL;
    buf_done(&words);
    size_t count = 0;
    for (size_t at = 0;
         suite->words != NULL && at < suite->words->size && count + 1 < BATCH_ARGUMENTS;
         at += strlen(suite->words->data + at) + 1)
        suite->run.argument[count++] = suite->words->data + at;
    return suite->words != NULL;
}

static bool open_file(const struct settings *settings, const char *file, struct ci_suite *ret)
{
    static const char unreadable[] = "cannot be read",
                      unknown[] =
                          "is neither a check (\"model\"), nor a comparison "
                          "(\"claimed\" and \"reference\"), nor a probe (\"program\")";
    struct problem problem = {0};
    *ret = (struct ci_suite){.file = file, .kind = CI_UNKNOWN};
    ret->body = file_read(file);
    if (ret->body == NULL) return error_add(ret, unreadable, strlen(unreadable));
    struct document *document =
        document_decode(ret->body->data, ret->body->size, &settings->limits, &problem);
    if (document == NULL) return error_add(ret, problem.detail, strlen(problem.detail));
    ret->kind = kind_of(document_root(document));
    const bool planned = ret->kind != CI_UNKNOWN && plan(ret, document_root(document));
    document_free(document);
    return planned || error_add(ret, unknown, strlen(unknown));
}

bool suite_open(const struct settings *settings, const char *file, struct ci_suite *ret)
{
    const bool opened = open_file(settings, file, ret);
    clean_all(ret);
    return opened;
}

/* ---- what came of it ---- */

static bool line_read(const struct settings *settings, struct ci_suite *suite, const char *line,
                      size_t length, size_t number)
{
    struct problem problem = {0};
    char prefix[32] = "";
    struct document *document = document_decode(line, length, &settings->limits, &problem);
    if (document == NULL) return error_add(suite, problem.detail, strlen(problem.detail));
    if (number > 0) snprintf(prefix, sizeof prefix, "case %zu: ", number);
    const bool read = result_add(suite, document_root(document), prefix);
    document_free(document);
    return read;
}

static bool read_output(const struct settings *settings, struct ci_suite *suite)
{
    const struct run *run = &suite->run;
    const char *at = run->out.data, *end = at == NULL ? NULL : at + run->out.size;
    const bool several = at != NULL && memchr(at, '\n', run->out.size) != end - 1;
    bool read = true;
    for (size_t number = 1; read && at < end; number++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL) line_end = end;
        read = line_read(settings, suite, at, (size_t)(line_end - at), several ? number : 0);
        at = line_end + 1;
    }
    if (!read || run->status <= STATUS_FAIL) return read;
    return error_add(suite, run->err.data == NULL ? "" : run->err.data, run->err.size);
}

bool suite_read(const struct settings *settings, struct ci_suite *suite)
{
    const bool read = read_output(settings, suite);
    clean_all(suite);
    return read;
}

void suite_done(struct ci_suite *suite)
{
    blob_unref(suite->body);
    blob_unref(suite->words);
    run_done(&suite->run);
    free(suite->item);
}
