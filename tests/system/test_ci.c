/* `gradcheck ci`: files of all kinds, what it writes for CI systems, and the lines of ci/ that call
 * it. Runs from the top of the repository. */
#include "client.h"
#include "shell.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_SIZE = 32768 };

/* ---- a folder with files ---- */

static char folder[64];

static const char *path_of(const char *name)
{
    return format("%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *read_file(const char *name)
{
    FILE *file = fopen(path_of(name), "r");
    ck_assert_msg(file != NULL, "%s is not there", name);
    char *text = keep(calloc(1, OUTPUT_SIZE));
    ck_assert_uint_lt(fread(text, 1, OUTPUT_SIZE - 1, file), OUTPUT_SIZE - 1);
    fclose(file);
    return text;
}

#define MODEL                                                                                \
    "{\"model\": {\"input_shape\": [1], \"layers\": [{\"type\": \"dense\", \"units\": 1}], " \
    "\"cost\": \"mse\", \"parameters\": [{\"W\": [[1]], \"b\": [0]}]}, "                     \
    "\"data\": {\"x\": [[1]], \"y\": [[0]]}"

static void files_write(void)
{
    snprintf(folder, sizeof folder, "/tmp/gradcheck-ci-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_file("right.json", MODEL "}");
    write_file("wrong.json", MODEL
               ", \"check\": {\"claimed\": {\"gradients\": [{\"W\": [[4]], "
               "\"b\": [2]}]}}}");
    write_file("compared.json",
               "{\"claimed\": {\"w<1>\": [1, 2, 3]}, "
               "\"reference\": {\"w<1>\": [1, 2, 3]}}");
    write_file("near.json",
               "{\"claimed\": {\"w\": [1, 2, 3.003]}, "
               "\"reference\": {\"w\": [1, 2, 3]}, \"tolerance\": 0.01}");
    write_file("unknown.json", "{\"x\": 1}");
    write_file("rubbish.json", "rubbish");
    write_file("bad.json", "{\"model\": {}}");
}

static void files_remove(void)
{
    char output[64];
    shell_run(format("rm -r %s", folder), output, sizeof output);
}

/* gradcheck ci, in that folder. */
static int ci(const char *arguments, char output[OUTPUT_SIZE])
{
    const char *build = getenv("BUILD") != NULL ? getenv("BUILD") : "build";
    char *program = keep(realpath(format("%s/gradcheck", build), NULL));
    return shell_run(format("cd %s && %s ci %s 2>&1", folder, program, arguments), output,
                     OUTPUT_SIZE);
}

static void expect(const char *arguments, int status, const char *said)
{
    char output[OUTPUT_SIZE];
    const int ended = ci(arguments, output);
    ck_assert_msg(ended == status && strstr(output, said) != NULL, "%s: exit status %d: %s",
                  arguments, ended, output);
}

/* ---- tests ---- */

START_TEST(the_worst_file_decides)
{
    files_write();
    expect("right.json compared.json near.json", 0, "pass  right.json (2 gradients");
    expect("right.json wrong.json", 1, "fail: layer 0 W: dW of layer 0 is 2 times too large");
    expect("right.json unknown.json", 2, "neither a check");
    expect("wrong.json rubbish.json", 2, "line 1");
    expect("bad.json", 2, "/model: needs the field");
    expect("nothing.json", 2, "cannot be read");
    expect("", 2, "usage");
    files_remove();
}

START_TEST(a_program_is_a_file_of_its_own)
{
    const char *python = python_with("numpy");
    if (python == NULL) return;
    files_write();
    char *top = keep(realpath("examples/probe/numpy_layer.py", NULL));
    write_file("probe.json",
               format("{\"program\": [\"%s\", \"%s\"], \"sweep\": \"n=1..2\"}", python, top));
    expect("probe.json", 0, "pass  probe.json (4 gradients");
    write_file("probe.json", format("{\"program\": [\"%s\", \"%s\", \"--break\"]}", python, top));
    expect("probe.json", 1, "fail: w: ");
    files_remove();
}

/* What a program leaves behind holds nothing up. */
START_TEST(nothing_waits_for_what_a_program_left)
{
    files_write();
    write_file("probe.json", "{\"program\": [\"sh\", \"-c\", \"sleep 300 & exit 3\"]}");
    expect("probe.json", 2, "ended with status 3");
    files_remove();
}

/* A name is no line of its own. */
START_TEST(a_name_with_lines_is_one_line)
{
    char output[OUTPUT_SIZE];
    files_write();
    write_file("names.json",
               "{\"claimed\": {\"w\\n::add-mask::x\": 1}, "
               "\"reference\": {\"w\\n::add-mask::x\": 2}}");
    setenv("GITHUB_ACTIONS", "true", true);
    ck_assert_int_eq(ci("--junit out.xml names.json", output), 1);
    ck_assert_msg(strstr(output, "\n::add-mask") == NULL, "%s", output);
    files_remove();
}

START_TEST(junit_has_a_case_a_tensor)
{
    files_write();
    expect("--junit out.xml right.json wrong.json compared.json rubbish.json", 2, "");
    const char *xml = read_file("out.xml");
    ck_assert_ptr_nonnull(strstr(xml,
                                 "<testsuite name=\"right.json\" tests=\"2\" failures=\"0\" "
                                 "errors=\"0\""));
    ck_assert_ptr_nonnull(strstr(xml,
                                 "<testsuite name=\"wrong.json\" tests=\"2\" failures=\"1\" "
                                 "errors=\"0\""));
    ck_assert_ptr_nonnull(
        strstr(xml, "<testcase classname=\"compared.json\" name=\"w&lt;1&gt;\"/>"));
    ck_assert_ptr_nonnull(strstr(xml, "<failure type=\"fail\" message=\"dW of layer 0 is 2 times"));
    ck_assert_ptr_nonnull(strstr(xml, "<error type=\"error\""));
    files_remove();
}

/* At most ten, and none that could be taken for another command. */
START_TEST(github_is_told_at_the_files)
{
    char output[OUTPUT_SIZE];
    files_write();
    write_file("many.json",
               "{\"claimed\": {\"a\": 1, \"b\": 1, \"c\": 1, \"d\": 1, \"e\": 1, "
               "\"f\": 1, \"g\": 1, \"h\": 1, \"i\": 1, \"j\": 1, \"k,%:l|\": 1}, "
               "\"reference\": {\"k,%:l|\": 2, \"a\": 2, \"b\": 2, \"c\": 2, \"d\": "
               "2, \"e\": 2, \"f\": 2, \"g\": 2, \"h\": 2, \"i\": 2, \"j\": 2}}");
    setenv("GITHUB_ACTIONS", "true", true);
    setenv("GITHUB_STEP_SUMMARY", "summary.md", true);
    ck_assert_int_eq(ci("many.json", output), 1);
    size_t count = 0;
    for (const char *at = output; (at = strstr(at, "\n::error file=")) != NULL; at++)
        count++;
    ck_assert_uint_eq(count, 10);
    ck_assert_ptr_nonnull(strstr(output, "::error file=many.json,title=k%2C%25%3Al|::"));
    ck_assert_ptr_nonnull(strstr(read_file("summary.md"), "| many.json | k,%:l\\| | fail |"));
    files_remove();
}

START_TEST(a_distance_that_grows_is_a_regression)
{
    files_write();
    expect("--baseline base.json --update-baseline near.json right.json", 0, "pass");
    expect("--baseline base.json near.json right.json", 0, "pass");
    write_file("base.json", "{\"near.json\": {\"w\": 1e-7}}");
    expect("--baseline base.json near.json", 1, "its distance has grown");
    expect("--baseline nothing.json near.json", 2, "nothing.json");
    expect("--update-baseline near.json", 2, "needs --baseline");
    files_remove();
}

/* A shared server gets what is checked; what it says changes nothing. */
START_TEST(a_server_is_reported_to)
{
    struct service service;
    files_write();
    service_start(&service, "");
    const char *url = format("http://127.0.0.1:%d", service.port);
    expect(format("--report-to %s right.json wrong.json compared.json", url), 1, "pass");
    json_t *page = answer_json(get(&service, "/v1/jobs"));
    ck_assert_uint_eq(length_at(page, "/jobs"), 2);
    service_end(&service);
    expect("--report-to http://127.0.0.1:1 right.json", 0, "pass  right.json");
    files_remove();
}

/* The last line of the file that calls gradcheck, as the runner's shell has it. */
static const char *line_of(const char *file)
{
    char output[OUTPUT_SIZE];
    ck_assert_int_eq(
        shell_run(format("grep -o '\"$GRADCHECK\" ci .*$FILES' %s", file), output, sizeof output),
        0);
    char *line = keep(strdup(output));
    line[strcspn(line, "\n")] = '\0';
    return line;
}

START_TEST(the_lines_of_the_templates_work)
{
    static const char *const files[] = {"ci/action.yml", "ci/gitlab.yml"};
    const char *build = getenv("BUILD") != NULL ? getenv("BUILD") : "build";
    char *program = keep(realpath(format("%s/gradcheck", build), NULL));
    char output[OUTPUT_SIZE];
    files_write();
    setenv("GRADCHECK", program, true);
    setenv("ARGUMENTS", "--allow-inconclusive", true);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *line = line_of(files[i]);
        setenv("FILES", "right.json comp*.json", true);
        ck_assert_int_eq(shell_run(format("cd %s && %s", folder, line), output, sizeof output), 0);
        ck_assert_ptr_nonnull(strstr(read_file("gradcheck.xml"), "compared.json"));
        setenv("FILES", "wrong.json", true);
        ck_assert_int_eq(shell_run(format("cd %s && %s", folder, line), output, sizeof output), 1);
    }
    files_remove();
}

int main(void)
{
    const TTest *const tests[] = {
        the_worst_file_decides,
        a_program_is_a_file_of_its_own,
        nothing_waits_for_what_a_program_left,
        a_name_with_lines_is_one_line,
        junit_has_a_case_a_tensor,
        github_is_told_at_the_files,
        a_distance_that_grows_is_a_regression,
        a_server_is_reported_to,
        the_lines_of_the_templates_work,
        NULL,
    };
    return suite_main("ci", tests);
}
