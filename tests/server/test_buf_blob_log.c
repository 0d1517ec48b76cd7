/* Buffers and their limits, blobs and their references, and values in log lines. */
#include "server/blob.h"
#include "server/log.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- buf ---- */

START_TEST(a_buffer_takes_as_much_as_its_limit)
{
    struct buf buf = {.limit = 5};
    ck_assert(buf_append(&buf, "abc", 3));
    ck_assert(buf_append_text(&buf, "de"));
    ck_assert_uint_eq(buf.size, 5);
    ck_assert(!buf_append(&buf, "f", 1));
    ck_assert(buf_append(&buf, "", 0));
    ck_assert_mem_eq(buf.data, "abcde", 5);
    ck_assert_uint_eq(buf.size, 5);
    buf_done(&buf);
}
END_TEST

/* Nothing of what does not fit is kept. */
START_TEST(a_piece_too_long_leaves_the_buffer_alone)
{
    struct buf buf = {.limit = 4};
    ck_assert(buf_append_text(&buf, "abc"));
    ck_assert(!buf_append_text(&buf, "de"));
    ck_assert(!buf_append(&buf, "de", SIZE_MAX));
    ck_assert_uint_eq(buf.size, 3);
    ck_assert(buf_append_text(&buf, "d"));
    ck_assert_mem_eq(buf.data, "abcd", 4);
    buf_done(&buf);
}
END_TEST

START_TEST(a_buffer_without_room_takes_nothing)
{
    struct buf buf = {.limit = 0};
    ck_assert(buf_append(&buf, "", 0));
    ck_assert(!buf_append(&buf, "a", 1));
    ck_assert_ptr_null(buf.data);
    buf_done(&buf);
}
END_TEST

/* Limits around the first capacity and its doublings. */
static const size_t limits[] = {1, 1023, 1024, 1025, 2047, 2048, 2049, 3000, 65536};

START_TEST(a_buffer_grows_byte_by_byte)
{
    struct buf buf = {.limit = limits[_i]};
    for (size_t i = 0; i < limits[_i]; i++) {
        const char byte = (char)(i % 251);
        ck_assert(buf_append(&buf, &byte, 1));
    }
    ck_assert(!buf_append(&buf, "x", 1));
    ck_assert_uint_eq(buf.size, limits[_i]);
    for (size_t i = 0; i < limits[_i]; i++)
        ck_assert_int_eq(buf.data[i], (char)(i % 251));
    buf_done(&buf);
    ck_assert_uint_eq(buf.size, 0);
}
END_TEST

/* ---- blob ---- */

START_TEST(a_blob_lives_as_long_as_its_last_reference)
{
    struct blob *blob = blob_copy("text", 4);
    ck_assert_ptr_eq(blob_ref(blob), blob);
    ck_assert_ptr_eq(blob_ref(blob), blob);
    blob_unref(blob);
    blob_unref(blob);
    ck_assert_uint_eq(blob_size(blob), 4);
    ck_assert_mem_eq(blob->data, "text", 4);
    blob_unref(blob);
}
END_TEST

START_TEST(no_blob_is_fine)
{
    ck_assert_ptr_null(blob_ref(NULL));
    ck_assert_uint_eq(blob_size(NULL), 0);
    blob_unref(NULL);
}
END_TEST

START_TEST(a_blob_takes_what_a_buffer_holds)
{
    struct buf buf = {.limit = 100};
    ck_assert(buf_append_text(&buf, "moved"));
    struct blob *blob = blob_from_buf(&buf);
    ck_assert_ptr_null(buf.data);
    ck_assert_uint_eq(buf.size, 0);
    ck_assert(buf_append_text(&buf, "again"));
    ck_assert_str_eq(text_of(blob), "moved");
    buf_done(&buf);
}
END_TEST

START_TEST(empty_blobs)
{
    struct buf buf = {.limit = 100};
    struct blob *copied = blob_copy("", 0), *taken = blob_from_buf(&buf);
    ck_assert_uint_eq(blob_size(copied), 0);
    ck_assert_uint_eq(blob_size(taken), 0);
    blob_unref(copied);
    blob_unref(taken);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000 };

static void *use(void *argument)
{
    struct blob *blob = argument;
    for (int i = 0; i < ROUNDS; i++) {
        blob_ref(blob);
        blob_unref(blob);
    }
    blob_unref(blob);
    return NULL;
}

START_TEST(references_are_counted_across_threads)
{
    struct blob *blob = blob_copy("shared", 6);
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, use, blob_ref(blob)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(blob->references, 1);
    blob_unref(blob);
}
END_TEST

/* ---- log ---- */

START_TEST(values_are_quoted)
{
    static const struct {
        const char *value, *quoted;
    } cases[] = {
        {"", "\"\""},
        {"GET /v1/jobs", "\"GET /v1/jobs\""},
        {"say \"x\"", "\"say \\\"x\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"\" level=error event=\"", "\"\\\" level=error event=\\\"\""},
        {"a\nlevel=error event=forged", "\"a\\x0alevel=error event=forged\""},
        {"a\r\tb", "\"a\\x0d\\x09b\""},
        {"\x1b[31m", "\"\\x1b[31m\""},
        {"\x7f", "\"\\x7f\""},
        {"\xc3\xa9", "\"\\xc3\\xa9\""},
        {"%s%n", "\"%s%n\""},
    };
    char text[LOG_QUOTED_SIZE];
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_str_eq(log_quote(cases[i].value, text), cases[i].quoted);
}
END_TEST

/* Whatever the length, the text is closed by a quote that no backslash hides. */
static bool is_closed(const char *text)
{
    size_t i = 1;
    while (text[i] != '\0' && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return text[0] == '"' && text[i] == '"' && text[i + 1] == '\0';
}

START_TEST(long_values_are_cut_and_closed)
{
    static const char units[] = {'a', '"', '\\', '\n', '\xff'};
    char value[600], text[LOG_QUOTED_SIZE];
    for (size_t length = 0; length < sizeof value; length++) {
        memset(value, units[_i], length);
        value[length] = '\0';
        log_quote(value, text);
        ck_assert_uint_lt(strlen(text), LOG_QUOTED_SIZE);
        ck_assert_msg(is_closed(text), "%s", text);
    }
}
END_TEST

/* What goes to standard error while `run` runs; the caller frees it. */
static char *logged(void (*run)(void))
{
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    fflush(stderr);
    const int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    run();
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    char *text = calloc(1, 4096);
    const size_t size = fread(text, 1, 4095, file);
    ck_assert_uint_lt(size, 4095);
    fclose(file);
    return text;
}

static void log_one(void)
{
    char quoted[LOG_QUOTED_SIZE];
    log_info("request", "path=%s status=%d", log_quote("/a\nlevel=error", quoted), 404);
}

static void log_much(void)
{
    log_error("trouble", "text=%.2000d", 0);
}

START_TEST(a_log_line_is_one_line)
{
    char *text = logged(log_one);
    ck_assert_str_eq(text, "level=info event=request path=\"/a\\x0alevel=error\" status=404\n");
    free(text);
    text = logged(log_much);
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
    ck_assert_ptr_nonnull(strstr(text, "level=error event=trouble text=000"));
    free(text);
}
END_TEST

enum { LINES = 3000, LINE_SIZE = 700 };

/* Reads a pipe until it is closed. The numbers grow; where some lack, their count is told. */
static void *read_lines(void *pipe)
{
    FILE *file = pipe;
    char line[2048];
    int expected = 0, number, gaps = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "level=warning event=log dropped=%d", &number) == 1) {
            expected += number;
            gaps++;
        } else {
            ck_assert_msg(sscanf(line, "level=info event=line number=%d ", &number) == 1, "%s",
                          line);
            ck_assert_int_eq(number, expected++);
        }
    }
    ck_assert_int_ge(gaps, 1);
    ck_assert_int_eq(expected, LINES + 1);
    return NULL;
}

START_TEST(who_logs_never_waits)
{
    int pipes[2];
    pthread_t reader;
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_ge(dup2(pipes[1], STDERR_FILENO), 0);
    close(pipes[1]);
    ck_assert(log_open());
    for (int i = 0; i < LINES; i++)
        log_info("line", "number=%d %0*d", i, LINE_SIZE, 0);
    FILE *file = fdopen(pipes[0], "r");
    ck_assert_int_eq(pthread_create(&reader, NULL, read_lines, file), 0);
    log_close();
    log_info("line", "number=%d ", LINES);
    close(STDERR_FILENO);
    pthread_join(reader, NULL);
    fclose(file);
}
END_TEST

SUITE_MAIN("buf, blob, log", {a_buffer_takes_as_much_as_its_limit, 0},
           {a_piece_too_long_leaves_the_buffer_alone, 0}, {a_buffer_without_room_takes_nothing, 0},
           {a_buffer_grows_byte_by_byte, COUNT(limits)},
           {a_blob_lives_as_long_as_its_last_reference, 0}, {no_blob_is_fine, 0},
           {a_blob_takes_what_a_buffer_holds, 0}, {empty_blobs, 0},
           {references_are_counted_across_threads, 0}, {values_are_quoted, 0},
           {long_values_are_cut_and_closed, 5}, {a_log_line_is_one_line, 0},
           {who_logs_never_waits, 0})
