/*
 * The command line without a server: what it prints, the same results as the daemon's to the byte,
 * and how it ends.
 */
#include "commands.h"
#include "jobs.h"
#include "problems.h"
#include "requests.h"
#include "shell.h"
#include "values.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof *(array))

/* Claims of the small network's gradients: zeros, which are wrong. */
static json_t *check_wrong(void)
{
    json_t *check = check_small();
    value_set(check, "/check",
              json_pack("{s:{s:[n, n, {s:[f, f]}]}}", "claimed", "gradients", "b", 0.0, 0.0));
    return check;
}

START_TEST(wrong_arguments)
{
    static const struct {
        const char *arguments, *told; /* in the message */
    } cases[] = {
        {"", "--help"},
        {"frob", "'frob'"},
        {"--frob", "'--frob'"},
        {"check", "needs SPEC"},
        {"check a b", "'b'"},
        {"diff", "needs A B"},
        {"catalog x", "'x'"},
        {"check --frob x", "'--frob'"},
        {"check x --limit 3", "'--limit'"},
        {"check x --timeout", "--timeout needs a value"},
        {"check x --timeout 0", "--timeout"},
        {"check x --timeout 1.5", "--timeout"},
        {"check x --token secret", "'--token'"},
        {"diff a b --dtype float8", "--dtype"},
        {"diff a b --tolerance 2", "--tolerance"},
        {"jobs", "needs a server"},
        {"show 1", "needs a server"},
        {"watch 1", "needs a server"},
        {"cancel 1", "needs a server"},
        {"jobs --local", "'--local'"},
        {"check x --server ftp://localhost", "ftp://localhost"},
        {"jobs --server http://localhost --label x", "--label"},
        {"jobs --server http://localhost --limit 501", "--limit"},
        {"check /nowhere/spec.json", "/nowhere/spec.json"},
        {"check - --local", "standard input"}, /* which is empty */
    };
    struct service service;
    int failed = 0;
    service_prepare(&service, "");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct output output;
        const char *fault = NULL;
        const char *arguments = strstr(cases[i].arguments, "check x") != cases[i].arguments
                                    ? cases[i].arguments
                                    : format("check %s %s", json_file(&service, "x", check_small()),
                                             cases[i].arguments + strlen("check x"));
        command_run(arguments, &output);
        if (output.status != 2) fault = format("exit status %d", output.status);
        if (strstr(output.err, cases[i].told) == NULL) fault = output.err;
        if (output.out[0] != '\0') fault = format("prints %s", output.out);
        if (fault != NULL) failed += case_failed(cases[i].arguments, fault);
    }
    ck_assert_int_eq(failed, 0);
}

START_TEST(help)
{
    static const char *const names[] = {"check", "train", "diff",  "summary", "catalog",
                                        "jobs",  "show",  "watch", "cancel"};
    struct output all, one;
    command_expect("--help", 0, &all);
    command_expect("--version", 0, &one);
    text_expect(one.out, "gradcheck ");
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        text_expect(all.out, format("\n  %s ", names[i]));
        command_expect(format("%s --help", names[i]), 0, &one);
        text_expect(one.out, format("usage: gradcheck %s ", names[i]));
        text_expect(one.out, "--server URL");
        ck_assert_str_eq(one.err, "");
    }
}

START_TEST(a_right_gradient)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    command_expect(format("check %s", json_file(&service, "spec", check_small())), 0, &output);
    ck_assert_int_eq(strncmp(output.out, "pass  distance ", 15), 0);
    text_expect(output.out, "\n0 dense");
    text_expect(output.out, "218 parameters checked");
    text_expect(output.out, "\n2.b[0]");
    text_refuse(output.out, "\033");
    ck_assert_str_eq(output.err, "");
}

/* What the command writes to a terminal that `script` makes; its exit status. */
static int on_terminal(const char *arguments, char *text, size_t size)
{
    const char *build = getenv("BUILD") != NULL ? getenv("BUILD") : "build";
    const char *program =
        getenv("GRADCHECK") != NULL ? getenv("GRADCHECK") : format("%s/gradcheck", build);
    return shell_run(format("script -qec '%s %s' /dev/null </dev/null", program, arguments), text,
                     size);
}

/* Not where /dev has none. */
static bool there_are_terminals(void)
{
    char text[1024];
    if (shell_run("script -qec true /dev/null </dev/null 2>&1", text, sizeof text) == 0)
        return true;
    fprintf(stderr, "no terminals: not tried\n");
    return false;
}

START_TEST(colours_and_a_bar_on_a_terminal)
{
    struct service service;
    static char text[65536];
    if (!there_are_terminals()) return;
    service_prepare(&service, "");
    const char *check = format("check %s", json_file(&service, "spec", check_small()));
    const char *longer = format("check --timeout 1 %s", json_file(&service, "long", check_long()));
    setenv("TERM", "xterm", 1);
    ck_assert_int_eq(on_terminal(check, text, sizeof text), 0);
    text_expect(text, "\033[32mpass\033[0m  distance");
    ck_assert_int_eq(on_terminal(format("%s --json", check), text, sizeof text), 0);
    text_refuse(text, "\033");
    ck_assert_int_eq(on_terminal(longer, text, sizeof text), 4);
    text_expect(text, "\rrunning   [");
    text_expect(text, " of 82410 ");
    setenv("NO_COLOR", "1", 1);
    ck_assert_int_eq(on_terminal(check, text, sizeof text), 0);
    text_refuse(text, "\033");
}

START_TEST(a_wrong_gradient)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    command_expect(format("check %s", json_file(&service, "spec", check_wrong())), 1, &output);
    ck_assert_int_eq(strncmp(output.out, "fail  distance ", 15), 0);
    text_expect(output.out, "\nfinding: zero in layer 2: ");
    text_expect(output.out, "\n2.b[1]");
}

/* Of both kinds of job, and of what is answered at once. */
START_TEST(the_same_bytes_as_the_daemon)
{
    struct service service;
    struct output output, other;
    service_start(&service, "");
    const struct {
        const char *command, *path;
        json_t *request;
        int status;
    } cases[] = {{"check", "/v1/gradient-checks", check_small(), 0},
                 {"check", "/v1/gradient-checks", check_wrong(), 1},
                 {"train", "/v1/trainings", training_small(3), 0}};
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *bytes =
            job_result_bytes(&service, cases[i].path, json_incref(cases[i].request));
        const char *arguments =
            format("%s --json %s", cases[i].command, json_file(&service, "spec", cases[i].request));
        command_expect(arguments, cases[i].status, &output);
        ck_assert_str_eq(output.out, format("%s\n", bytes));
        ck_assert_str_eq(output.err, "");
        command_expect(format("%s %s", arguments, server_of(&service)), cases[i].status, &other);
        ck_assert_str_eq(output.out, other.out);
        ck_assert_str_eq(other.err, "");
    }
    command_expect("catalog --json", 0, &output);
    ck_assert_str_eq(output.out, format("%s\n", get(&service, "/v1/catalog")->body));
    service_end(&service);
}

/* The server does not see what is wrong; here and there the message is the same. */
START_TEST(a_wrong_spec)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"{\"model\": {\"input_shape\": [2], \"layers\": [{\"type\": \"dense\", \"units\": -3}], "
         "\"cost\": \"mse\"}, \"data\": {\"x\": [[0, 1]], \"y\": [0]}}",
         ": /model/layers/0/units: must be between 1 and 1048576, got -3\n"},
        {"{\"model\": ", "spec: "},
        {"{}", "spec: needs the field \"model\"\n"},
    };
    struct service service;
    struct output here, there;
    service_start(&service, "");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *path = text_file(&service, "spec", cases[i].text);
        command_expect(format("check %s", path), 2, &here);
        command_expect(format("check %s %s", path, server_of(&service)), 2, &there);
        text_expect(here.err, cases[i].told);
        ck_assert_str_eq(here.err, there.err);
        ck_assert_str_eq(here.out, "");
        ck_assert_str_eq(there.out, "");
    }
    service_end(&service);
}

START_TEST(a_summary)
{
    struct service service;
    struct output output;
    service_start(&service, "");
    json_t *spec = check_small();
    value_remove(spec, "/data");
    const char *path = json_file(&service, "spec", spec);
    command_expect(format("summary %s", path), 0, &output);
    text_expect(output.out, "\n2 dense");
    text_expect(output.out, "\n218 parameters;");
    command_expect(format("summary %s %s", path, server_of(&service)), 0, &output);
    text_expect(output.out, "\n218 parameters;");
    command_expect("catalog", 0, &output);
    text_expect(output.out, "\n  leaky_relu ");
    service_end(&service);
}

START_TEST(a_training)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    json_t *training = training_small(40);
    value_set(training, "/training/check_every", json_integer(20));
    command_expect(format("train %s", json_file(&service, "spec", training)), 0, &output);
    text_expect(output.out, " after 40 epochs\n");
    text_expect(output.out, "\n   40 ");
    text_expect(output.out, "CHECK AFTER  VERDICT");
}

START_TEST(sets_of_gradients)
{
    static const struct {
        const char *arguments;
        int status;
        const char *told;
    } cases[] = {
        {"b b", 0, "pass  distance 0 "},
        {"a b", 2, "/claimed/w1: "}, /* no such name */
        {"a b --map w1=fc.weight:T", 1, "fail  distance "},
        {"a b --map w1=fc.weight", 2, "it would fit transposed"},
        {"a b --map w1=fc.weight:T --tolerance 0.5", 0, "pass  distance "},
        {"a b --map w2=fc.weight", 2, "A has no such tensor"},
        {"a b --map w1=s", 2, "two tensors"},
        {"a b --map s=t:T", 2, "only a matrix"},
        {"a b --map w1", 2, "NAME=NAME"},
        {"nan b", 1, "finding: "},
        {"b nan", 2, "/reference/s"},
        {"ragged b", 2, "ragged: /s"},
        {"list b", 2, "list: must be an object"},
    };
    struct service service;
    int failed = 0;
    service_start(&service, "");
    text_file(&service, "a", "{\"w1\": [[1, 2], [3, 4], [5, 6.5]], \"s\": 2}");
    text_file(&service, "b", "{\"fc.weight\": [[1, 3, 5], [2, 4, 6]], \"s\": 2}");
    text_file(&service, "nan", "{\"fc.weight\": [[1, 3, 5], [2, 4, 6]], \"s\": null}");
    text_file(&service, "ragged", "{\"s\": [[1], [2, 3]]}");
    text_file(&service, "list", "[1]");
    for (size_t i = 0; i < 2 * LENGTH_OF(cases); i++) {
        struct output output;
        char a[16], b[16], rest[64] = "";
        const char *arguments = cases[i / 2].arguments;
        ck_assert_int_ge(sscanf(arguments, "%15s %15s %63[^\n]", a, b, rest), 2);
        command_run(format("diff %s/%s %s/%s %s %s", service.folder, a, service.folder, b, rest,
                           i % 2 == 0 ? "" : server_of(&service)),
                    &output);
        if (output.status != cases[i / 2].status)
            failed +=
                case_failed(arguments, format("exit status %d: %s", output.status, output.err));
        else if (strstr(output.out, cases[i / 2].told) == NULL &&
                 strstr(output.err, cases[i / 2].told) == NULL)
            failed += case_failed(arguments, format("%s%s", output.out, output.err));
    }
    ck_assert_int_eq(failed, 0);
    service_end(&service);
}

/* As numpy wrote them. */
START_TEST(files_of_numpy)
{
    static const struct {
        const char *a, *b;
        int status;
        const char *told;
    } cases[] = {
        {"two.npz", "two.npz", 0, "pass  distance 0 "},
        {"two.npz", "packed.npz", 2, "/claimed/"}, /* has other arrays */
        {"f8.npy", "f8.npy", 0, "array   [2, 3]"},
        {"f2_big.npy", "f2_big.npy", 2, "/reference/array"}, /* has a NaN */
        {"text.npy", "f8.npy", 2, "text.npy: holds no floats"},
        {"f8.npy", "short.npy", 2, "short.npy: ends before"},
    };
    const char *folder = keep(realpath("tests/fuzz/corpus/npz", NULL));
    int failed = 0;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct output output;
        command_run(format("diff %s/%s %s/%s", folder, cases[i].a, folder, cases[i].b), &output);
        if (output.status != cases[i].status || (strstr(output.out, cases[i].told) == NULL &&
                                                 strstr(output.err, cases[i].told) == NULL))
            failed += case_failed(cases[i].told, format("exit status %d: %s%s", output.status,
                                                        output.out, output.err));
    }
    ck_assert_int_eq(failed, 0);
}

START_TEST(time_is_up)
{
    struct service service;
    struct output output;
    service_prepare(&service, "");
    const char *check = json_file(&service, "check", check_long());
    const char *training = json_file(&service, "training", training_long());
    command_expect(format("check --timeout 1 %s", check), 4, &output);
    text_expect(output.err, "after 1 seconds");
    ck_assert_str_eq(output.out, "");
    command_expect(format("train --timeout 1 %s", training), 4, &output);
    json_t *limited = check_long();
    value_set(limited, "/check/time_limit_seconds", json_real(0.25));
    command_expect(format("check %s", json_file(&service, "check", limited)), 4, &output);
    text_expect(output.err, "after 0.25 seconds");
}

/* A signal before the program is ready for it would end it by itself. */
START_TEST(interrupted)
{
    struct service service;
    struct program program;
    struct output output;
    service_prepare(&service, "");
    const char *fifo = format("%s/spec", service.folder);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    command_begin(format("check %s", fifo), &program);
    json_file(&service, "spec", check_long()); /* returns once the program has opened it */
    ck_assert_int_eq(kill(program.pid, SIGINT), 0);
    program_finish(&program, &output);
    ck_assert_msg(output.status == 130, "exit status %d: %s", output.status, output.err);
    text_expect(output.err, "interrupted");
    ck_assert_str_eq(output.out, "");
}

int main(void)
{
    const TTest *const tests[] = {wrong_arguments,  help,
                                  a_right_gradient, colours_and_a_bar_on_a_terminal,
                                  a_wrong_gradient, the_same_bytes_as_the_daemon,
                                  a_wrong_spec,     a_summary,
                                  a_training,       sets_of_gradients,
                                  files_of_numpy,   time_is_up,
                                  interrupted,      NULL};
    commands_clean();
    return suite_main("client", tests);
}
