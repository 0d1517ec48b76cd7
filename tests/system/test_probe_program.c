/* Programs that evaluate their own function, asked by `gradcheck probe`, here and by way of a
 * daemon; and programs that do not do what they should. Runs from the top of the repository. */
#include "client.h"
#include "shell.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_SIZE = 32768 };

static const char *build_folder(void)
{
    return getenv("BUILD") != NULL ? getenv("BUILD") : "build";
}

/* gradcheck probe OPTIONS -- PROGRAM, as its output and its exit status; standard error is among
 * it. */
static int probe(const char *options, const char *program, char output[OUTPUT_SIZE])
{
    setenv("PYTHONDONTWRITEBYTECODE", "1", true);
    return shell_run(format("%s/gradcheck probe %s -- %s 2>&1", build_folder(), options, program),
                     output, OUTPUT_SIZE);
}

static json_t *probe_json(const char *options, const char *program, int status)
{
    char output[OUTPUT_SIZE];
    const int ended = probe(format("--json %s", options), program, output);
    ck_assert_msg(ended == status, "exit status %d: %s", ended, output);
    return value_parse(output);
}

/* ---- examples ---- */

static void example_expect(const char *options, const char *program, const char *tensor)
{
    json_t *right = probe_json(options, program, 0);
    ck_assert_str_eq(text_at(right, "/verdict"), "pass");
    json_t *broken = probe_json(options, format("%s --break", program), 1);
    ck_assert_str_eq(text_at(broken, "/verdict"), "fail");
    ck_assert_str_eq(text_at(broken, "/findings/0/tensor"), tensor);
}

static const struct {
    const char *module, *file, *tensor;
} examples[] = {
    {"numpy", "numpy_layer.py", "w"},
    {"torch", "torch_function.py", "w"},
};

static void examples_expect(const char *options)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const char *python = python_with(examples[i].module);
        if (python == NULL) continue;
        example_expect(options, format("%s examples/probe/%s", python, examples[i].file),
                       examples[i].tensor);
    }
}

START_TEST(programs_are_probed_here)
{
    examples_expect("");
}

/* Built as its reader would, where there is the compiler. */
static void built_expect(const char *compiler, const char *file, const char *libraries,
                         const char *tensor)
{
    char output[OUTPUT_SIZE], folder[] = "/tmp/gradcheck-probe-XXXXXX";
    if (shell_run(format("%s --version 2>&1", compiler), output, sizeof output) != 0) {
        fprintf(stderr, "no %s: not tried\n", compiler);
        return;
    }
    ck_assert_ptr_nonnull(mkdtemp(folder));
    const char *program = format("%s/program", folder);
    const int status =
        shell_run(format("%s examples/probe/%s %s -o %s 2>&1", compiler, file, libraries, program),
                  output, sizeof output);
    ck_assert_msg(status == 0, "%s", output);
    example_expect("", program, tensor);
    shell_run(format("rm -r %s", folder), output, sizeof output);
}

START_TEST(a_program_in_c_is_probed)
{
    built_expect("cc", "program.c", "-ljansson -lm", "w");
}

START_TEST(a_program_in_rust_is_probed)
{
    built_expect("rustc", "kernel.rs", "-O", "x");
}

START_TEST(programs_are_probed_by_a_server)
{
    struct service service;
    service_start(&service, "");
    examples_expect(format("--server http://127.0.0.1:%d", service.port));
    service_end(&service);
}

/* Here, and there, it comes to the same. */
START_TEST(a_server_finds_what_is_found_here)
{
    struct service service;
    const char *python = python_with("numpy");
    if (python == NULL) return;
    service_start(&service, "");
    const char *program = format("%s examples/probe/numpy_layer.py --break", python);
    json_t *here = probe_json("--local", program, 1);
    json_t *there = probe_json(format("--server http://127.0.0.1:%d", service.port), program, 1);
    ck_assert(json_equal(here, there));
    char output[OUTPUT_SIZE];
    json_t *page = answer_json(get(&service, "/v1/jobs?kind=probe"));
    const int status = shell_run(format("%s/gradcheck show --server http://127.0.0.1:%d %s 2>&1",
                                        build_folder(), service.port, text_at(page, "/jobs/0/id")),
                                 output, sizeof output);
    ck_assert_int_eq(status, 1);
    ck_assert_msg(strstr(output, "fail  distance") != NULL, "%s", output);
    service_end(&service);
}

START_TEST(a_client_of_the_standard_library)
{
    struct service service;
    char output[OUTPUT_SIZE];
    service_start(&service, "");
    setenv("GRADCHECKD_URL", format("http://127.0.0.1:%d", service.port), true);
    const char *command = "python3 examples/probe/client.py";
    ck_assert_int_eq(shell_run(command, output, sizeof output), 0);
    ck_assert_str_eq(output, "pass\n");
    ck_assert_int_eq(shell_run(format("%s --break", command), output, sizeof output), 1);
    ck_assert_msg(strncmp(output, "fail\nelements: ", 15) == 0, "%s", output);
    service_end(&service);
}

/* Dozens of functions, right and spoilt (tests/probe). */
START_TEST(many_functions_over_http)
{
    struct service service;
    char output[OUTPUT_SIZE];
    service_start(&service, "");
    setenv("GRADCHECKD_URL", format("http://127.0.0.1:%d", service.port), true);
    const int status = shell_run(
        format("python3 tests/probe/functions.py %s/tests/probe/functions", build_folder()), output,
        sizeof output);
    ck_assert_msg(status == 0, "%s", output);
    service_end(&service);
}

START_TEST(one_call_of_the_library)
{
    char output[OUTPUT_SIZE];
    const char *command = format("%s/examples/probe/check", build_folder());
    ck_assert_int_eq(shell_run(command, output, sizeof output), 0);
    ck_assert_str_eq(output, "pass\n");
    ck_assert_int_eq(shell_run(format("%s --break", command), output, sizeof output), 1);
    ck_assert_msg(strncmp(output, "fail\n", 5) == 0, "%s", output);
}

START_TEST(cases_are_swept)
{
    char output[OUTPUT_SIZE];
    const char *python = python_with("numpy");
    if (python == NULL) return;
    const char *program = format("%s examples/probe/numpy_layer.py", python);
    ck_assert_int_eq(probe("--sweep n=1..3 --repeat 2", program, output), 0);
    for (int n = 1; n <= 3; n++)
        for (int seed = 1; seed <= 2; seed++)
            ck_assert_msg(strstr(output, format("n = %d, seed %d\npass", n, seed)) != NULL, "%s",
                          output);
}

/* ---- programs that do not do what they should ---- */

/* Both in one write. */
#define TWICE "{\\\"theta\\\": {\\\"w\\\": [1, 2]}, \\\"gradients\\\": {\\\"w\\\": [1, 1]}}\\n"
#define STARTED \
    "echo \"{\\\"theta\\\": {\\\"w\\\": [1, 2]}, \\\"gradients\\\": {\\\"w\\\": [1, 1]}}\"; "
#define START "read line; " STARTED "read line; " STARTED

START_TEST(a_program_that_is_broken_is_told_of)
{
    static const struct {
        const char *options, *program;
        int status;
        const char *said;
    } programs[] = {
        {"", "/nonexistent/program", 2, "No such file"},
        {"", "true", 2, "ended with status 0 where the start"},
        {"", "sh -c 'exit 7'", 2, "ended with status 7 where the start"},
        {"", "sh -c 'kill -9 $$'", 2, "killed by signal 9 where the start"},
        {"", "echo rubbish", 2, "line 1"},
        {"", "echo '{}'", 2, "theta"},
        {"", "echo '{\"theta\": {\"w\": [1]}, \"gradients\": {\"w\": [1, 2]}}'", 2, "/gradients/w"},
        {"",
         "echo '{\"theta\": {\"w\": [0.1]}, \"gradients\": {\"w\": [1]}, \"dtype\": "
         "\"float32\"}'",
         2, "/theta/w"},
        {"", "sh -c '" START "exit 3'", 2, "ended with status 3 where values"},
        {"", "sh -c '" START "read line; echo rubbish'", 2, "where values"},
        {"", "sh -c '" START "read line; echo \"{\\\"values\\\": [1, 2]}\"; cat'", 2,
         "must be 9 values, one a point, got 2"},
        {"",
         "sh -c '" START
         "read line; echo \"{\\\"values\\\": [null, 1, 1, 1, 1, 1, 1, 1, 1]}\"; cat'",
         2, "not finite at theta"},
        {"", "sh -c 'read l; printf \"" TWICE TWICE "\"; cat'", 2, "more than a line"},
        {"--timeout 1", "sleep 60", 4, "did not answer in time"},
        {"--timeout 1", "sh -c '" START "sleep 60'", 4, "did not answer in time"},
        {"--sweep n=3..1", "true", 2, "--sweep"},
        {"--sweep =1..3", "true", 2, "--sweep"},
        {"--sweep n=1..3x", "true", 2, "--sweep"},
    };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        char output[OUTPUT_SIZE];
        const int status = probe(programs[i].options, programs[i].program, output);
        ck_assert_msg(status == programs[i].status && strstr(output, programs[i].said) != NULL,
                      "%s: exit status %d: %s", programs[i].program, status, output);
    }
}

/* A gradient that is one number, and none: claimed all the same. */
START_TEST(a_number_that_is_none_is_claimed_here_and_there)
{
    struct service service;
    service_start(&service, "");
    const char *program =
        "python3 -c 'import sys, json\n"
        "for line in sys.stdin:\n"
        "  question = json.loads(line)\n"
        "  start = {\"theta\": {\"s\": 1, \"t\": 1}, \"gradients\": {\"s\": \"NaN\", \"t\": 0}}\n"
        "  values = {\"values\": [1] * len(question.get(\"points\", []))}\n"
        "  print(json.dumps(start if question[\"op\"] == \"start\" else values), flush=True)'";
    const char *there = format("--server http://127.0.0.1:%d", service.port);
    ck_assert_str_eq(text_at(probe_json("", program, 1), "/findings/0/code"), "non_finite");
    ck_assert_str_eq(text_at(probe_json(there, program, 1), "/findings/0/code"), "non_finite");
    service_end(&service);
}

START_TEST(a_backward_pass_that_does_not_repeat_is_told_of)
{
    char output[OUTPUT_SIZE];
    probe("",
          "sh -c 'read line; echo \"{\\\"theta\\\": {\\\"w\\\": [1]}, \\\"gradients\\\": "
          "{\\\"w\\\": [1]}}\"; read line; echo \"{\\\"theta\\\": {\\\"w\\\": [1]}, "
          "\\\"gradients\\\": {\\\"w\\\": [2]}}\"'",
          output);
    ck_assert_msg(strstr(output, "other gradients, or another theta") != NULL, "%s", output);
}

int main(void)
{
    const TTest *const tests[] = {
        programs_are_probed_here,
        a_program_in_c_is_probed,
        a_program_in_rust_is_probed,
        programs_are_probed_by_a_server,
        a_server_finds_what_is_found_here,
        a_client_of_the_standard_library,
        many_functions_over_http,
        one_call_of_the_library,
        cases_are_swept,
        a_program_that_is_broken_is_told_of,
        a_number_that_is_none_is_claimed_here_and_there,
        a_backward_pass_that_does_not_repeat_is_told_of,
        NULL,
    };
    return suite_main("probe_program", tests);
}
