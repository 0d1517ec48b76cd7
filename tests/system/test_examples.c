/*
 * The programs of examples/claims and examples/grading against a daemon: right they pass, broken
 * they fail with the finding that says so. Those in Python run where it has NumPy or PyTorch.
 * Runs from the top of the repository.
 */
#include "client.h"
#include "shell.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void service_name(const struct service *service)
{
    setenv("GRADCHECKD_URL", format("http://127.0.0.1:%d", service->port), true);
    setenv("PYTHONDONTWRITEBYTECODE", "1", true);
}

/* `command` passes, and with --break fails with this finding first. */
static void example_expect(const char *command, const char *finding)
{
    char output[8192];
    ck_assert_msg(shell_run(command, output, sizeof output) == 0, "%s", output);
    ck_assert_msg(strncmp(output, "pass", 4) == 0, "%s", output);
    ck_assert_msg(shell_run(format("%s --break", command), output, sizeof output) == 1, "%s",
                  output);
    ck_assert_msg(strncmp(output, "fail", 4) == 0, "%s", output);
    const char *second = strchr(output, '\n');
    ck_assert_msg(second != NULL && strncmp(second + 1, finding, strlen(finding)) == 0, "%s",
                  output);
}

START_TEST(claims_of_python)
{
    static const struct {
        const char *module, *program, *finding;
    } examples[] = {
        {"numpy", "numpy_network", "activation_derivative: "},
        {"numpy", "columns_course", "bias_reduction: "},
        {"torch", "pytorch_sequential", "scaled: "},
    };
    struct service service;
    service_start(&service, "");
    service_name(&service);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const char *python = python_with(examples[i].module);
        if (python != NULL)
            example_expect(format("%s examples/claims/%s.py", python, examples[i].program),
                           examples[i].finding);
    }
    service_end(&service);
}

START_TEST(a_claim_of_c)
{
    struct service service;
    const char *build = getenv("BUILD") != NULL ? getenv("BUILD") : "build";
    service_start(&service, "");
    example_expect(format("%s/examples/claims/logistic %d", build, service.port), "sign_flipped: ");
    service_end(&service);
}

/* What the table of each kind of submission says: the mistake, and what must be found. */
static void grade_expect(const char *graded, const char *student, const char *verdict,
                         const char *code)
{
    const char *line = strstr(graded, format("\n%s,%s,", student, verdict));
    ck_assert_msg(line != NULL, "%s is not graded as %s: %s", student, verdict, graded);
    const char *end = strchr(line + 1, '\n'), *found = strstr(line, format(",%s,", code));
    ck_assert_msg(found != NULL && found < end, "%s has no %s: %s", student, code, line);
}

START_TEST(a_class_is_graded)
{
    static const struct {
        const char *student, *verdict, *code;
    } students[] = {
        {"student000", "pass", ""},
        {"student001", "fail", "scaled"},
        {"student003", "fail", "sign_flipped"},
        {"student005", "fail", "activation_derivative"},
        {"student007", "fail", "bias_reduction"},
        {"student009", "fail", "scaled"},
        {"student011", "fail", "zero"},
        {"student013", "fail", "non_finite"},
    };
    struct service service;
    static char output[65536];
    const char *python = python_with("json");
    if (python == NULL) return;
    service_start(&service, "");
    service_name(&service);
    const char *folder = format("%s/class", service.folder);
    ck_assert_int_eq(
        shell_run(format("%s examples/grading/make_submissions.py %s 14", python, folder), output,
                  sizeof output),
        0);
    ck_assert_int_eq(
        shell_run(format("echo '[{\"W\": [[1]]}, null]' > %s/submissions/zoe.json", folder), output,
                  sizeof output),
        0);
    ck_assert_int_eq(shell_run(format("%s examples/grading/grade.py %s 2>&1", python, folder),
                               output, sizeof output),
                     0);
    for (size_t i = 0; i < sizeof students / sizeof *students; i++)
        grade_expect(output, students[i].student, students[i].verdict, students[i].code);
    grade_expect(output, "zoe", "refused", "");
    json_t *jobs = answer_json(get(&service, "/v1/jobs?label.student=student003"));
    ck_assert_uint_eq(length_at(jobs, "/jobs"), 1);
    service_end(&service);
}

int main(void)
{
    const TTest *const tests[] = {claims_of_python, a_claim_of_c, a_class_is_graded, NULL};
    return suite_main("examples", tests);
}
