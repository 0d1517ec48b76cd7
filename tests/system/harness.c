#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OPTIONS_MAX = 32, TAIL_BYTES = 4000 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZER = 1 };
#else
enum { SANITIZER = 0 };
#endif

/* The folder of this program's run, made before tests fork; in it one for each test. */
static char root[96];
static char test_folder[192];

struct kept {
    struct kept *next;
    void *allocation;
};
static _Thread_local struct kept *all_kept;

void *keep(void *allocation)
{
    struct kept *kept = malloc(sizeof *kept);
    ck_assert_msg(kept != NULL && allocation != NULL, "out of memory");
    *kept = (struct kept){.next = all_kept, .allocation = allocation};
    all_kept = kept;
    return allocation;
}

void keep_no_longer(void)
{
    for (struct kept *kept; (kept = all_kept) != NULL;) {
        all_kept = kept->next;
        free(kept->allocation);
        free(kept);
    }
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool sanitizer_build(void)
{
    return SANITIZER != 0;
}

double patience(double seconds)
{
    const char *scale = getenv("TEST_TIMEOUT_SCALE");
    double factor = scale != NULL ? strtod(scale, NULL) : 0;
    if (!(factor > 0)) factor = SANITIZER ? 5 : 1;
    return seconds * factor;
}

int poll_timeout(double deadline)
{
    double left = deadline - seconds_now();
    return left > 0 ? (int)(left * 1000) + 1 : 0;
}

/* The path in the variable, or the program of that name in the build folder; absolute, since it
 * runs in another folder. */
static const char *program_path(const char *variable, const char *name)
{
    char path[512];
    const char *build = getenv("BUILD"), *given = getenv(variable);
    snprintf(path, sizeof path, "%s/%s", build != NULL ? build : "build", name);
    char *absolute = realpath(given != NULL ? given : path, NULL);
    ck_assert_msg(absolute != NULL, "no %s", given != NULL ? given : path);
    return keep(absolute);
}

static const char *daemon_path(void)
{
    return program_path("GRADCHECKD", "gradcheckd");
}

/* Splits options at their spaces and appends them to the list. */
static void options_add(const char *list[], size_t *count, const char *options)
{
    char *copy = keep(strdup(options));
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(*count + 1 < OPTIONS_MAX, "too many options: %s", options);
        list[(*count)++] = word;
    }
    list[*count] = NULL;
}

/* In the child: its folder, its streams, then the program. Does not return. */
static _Noreturn void child_exec(const char *options[], const char *folder, int out, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || chdir(folder) != 0) _exit(127);
    int nothing = open("/dev/null", O_RDONLY);
    int err = open("stderr", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (dup2(nothing, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(127);
    execv(options[0], (char *const *)options);
    dprintf(2, "cannot run %s: %s\n", options[0], strerror(errno));
    _exit(127);
}

/* Starts the program in this folder; its standard output comes out of *ret_out. */
static pid_t program_start(const char *options[], const char *folder, int *ret_out)
{
    int out[2];
    ck_assert_int_eq(pipe(out), 0);
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    fcntl(out[1], F_SETFD, FD_CLOEXEC);
    pid_t parent = getpid();
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) child_exec(options, folder, out[1], parent);
    close(out[1]);
    *ret_out = out[0];
    return pid;
}

/* One read before the deadline: the number of bytes, 0 at the end, -1 when time is up. */
static ssize_t read_until(int fd, char *bytes, size_t size, double deadline)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int found = poll(&ready, 1, poll_timeout(deadline));
    if (found < 0 && errno == EINTR) return read_until(fd, bytes, size, deadline);
    return found > 0 ? read(fd, bytes, size) : -1;
}

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Standard output ends when the process does, so that its end can be awaited with a deadline. */
static int program_end(pid_t pid, int out, char *text, size_t size, double deadline)
{
    size_t used = 0;
    ssize_t got;
    int status = 0;
    char rest[512];
    while ((got = used + 1 < size ? read_until(out, text + used, size - 1 - used, deadline)
                                  : read_until(out, rest, sizeof rest, deadline)) > 0)
        used += used + 1 < size ? (size_t)got : 0;
    text[used] = '\0';
    if (got != 0) kill(pid, SIGKILL);
    close(out);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(got == 0, "the program did not end in time");
    return status_of(status);
}

/* Depth first, so that a folder is empty when it is removed. */
static void folder_remove(const char *folder)
{
    char *const folders[] = {(char *)folder, NULL};
    FTS *walk = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;)
        if (entry->fts_info != FTS_D) remove(entry->fts_accpath);
    if (walk != NULL) fts_close(walk);
}

/* A new folder in that of the running test. */
static void folder_make(char *folder, size_t size)
{
    static int count;
    snprintf(test_folder, sizeof test_folder, "%s/%s", root, tcase_name());
    mkdir(test_folder, 0700);
    snprintf(folder, size, "%s/%d", test_folder, ++count);
    ck_assert_msg(mkdir(folder, 0700) == 0, "%s: %s", folder, strerror(errno));
}

/* Runs after a test that passed, in its process: only failed ones leave their folders. */
static void test_passed(void)
{
    if (test_folder[0] != '\0') folder_remove(test_folder);
    test_folder[0] = '\0';
}

/* The text behind "listening on ": a URL that ends in a port, or a socket file in its folder. */
static bool place_read(struct service *service, const char *place)
{
    int length = 0;
    const char *address = place + strcspn(place, ":");
    service->tls = strncmp(place, "https://", 8) == 0;
    service->socket[0] = '\0';
    if (strncmp(place, "unix:", 5) == 0) {
        length = snprintf(service->socket, sizeof service->socket, "%s", place + 5);
        return length > 0 && (size_t)length < sizeof service->socket;
    }
    if (!service->tls && strncmp(place, "http://", 7) != 0) return false;
    return (sscanf(address, "://[%*[^]]]:%d%n", &service->port, &length) == 1 ||
            sscanf(address, "://%*[0-9.]:%d%n", &service->port, &length) == 1) &&
           address[length] == '\0';
}

/* The one line on standard output. */
static void service_listening(struct service *service)
{
    static const char start[] = "listening on ";
    char line[256];
    size_t used = 0;
    double deadline = seconds_now() + patience(20);
    while (used + 1 < sizeof line && read_until(service->out, line + used, 1, deadline) == 1)
        if (line[used++] == '\n') break;
    line[used] = '\0';
    bool whole = used > 0 && line[used - 1] == '\n';
    if (whole) line[used - 1] = '\0';
    ck_assert_msg(whole && strncmp(line, start, strlen(start)) == 0 &&
                      place_read(service, line + strlen(start)),
                  "expected \"listening on http://127.0.0.1:PORT\", got \"%s\"", line);
}

void service_launch(struct service *service)
{
    char data[300];
    const char *list[OPTIONS_MAX] = {daemon_path(), "--listen", "127.0.0.1:0", "--data-dir", data};
    size_t count = 5;
    snprintf(data, sizeof data, "%s/data", service->folder);
    options_add(list, &count, service->options);
    service->pid = program_start(list, service->folder, &service->out);
}

void service_restart(struct service *service)
{
    service_launch(service);
    service_listening(service);
}

void service_prepare(struct service *service, const char *options)
{
    *service = (struct service){.pid = 0};
    snprintf(service->options, sizeof service->options, "%s", options);
    folder_make(service->folder, sizeof service->folder);
}

void service_start(struct service *service, const char *options)
{
    service_prepare(service, options);
    service_restart(service);
}

void service_kill(struct service *service)
{
    kill(service->pid, SIGKILL);
    waitpid(service->pid, NULL, 0);
    close(service->out);
    service->pid = 0;
}

struct ending service_wait(struct service *service)
{
    char rest[512];
    double start = seconds_now();
    struct ending ending = {.silent = false};
    ending.status =
        program_end(service->pid, service->out, rest, sizeof rest, start + patience(20));
    ending.seconds = seconds_now() - start;
    ending.silent = rest[0] == '\0';
    service->pid = 0;
    return ending;
}

struct ending service_stop(struct service *service)
{
    kill(service->pid, SIGTERM);
    return service_wait(service);
}

void service_end(struct service *service)
{
    struct ending ending = service_stop(service);
    ck_assert_msg(ending.status == 0, "exit status %d", ending.status);
    ck_assert_msg(ending.silent, "more than one line on standard output");
}

int service_log_count(const struct service *service, const char *text)
{
    char path[300];
    char *line = NULL;
    size_t size = 0;
    int count = 0;
    snprintf(path, sizeof path, "%s/stderr", service->folder);
    FILE *file = fopen(path, "r");
    while (file != NULL && getline(&line, &size, file) > 0)
        for (const char *at = line; (at = strstr(at, text)) != NULL; at += strlen(text))
            count++;
    if (file != NULL) fclose(file);
    free(line);
    return count;
}

void service_log_await(const struct service *service, const char *text, int count)
{
    char path[300], events[4096];
    double deadline = seconds_now() + patience(20);
    snprintf(path, sizeof path, "%s/stderr", service->folder);
    int watch = inotify_init1(IN_CLOEXEC);
    ck_assert_msg(watch >= 0 && inotify_add_watch(watch, path, IN_MODIFY) >= 0, "%s", path);
    while (service_log_count(service, text) < count)
        ck_assert_msg(read_until(watch, events, sizeof events, deadline) > 0,
                      "the log does not hold \"%s\" %d times", text, count);
    close(watch);
}

static void file_tail(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    text[0] = '\0';
    if (file == NULL) return;
    if (fseek(file, -(long)(size - 1), SEEK_END) != 0) rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void begin(const char *path, const char *options, struct program *ret)
{
    const char *list[OPTIONS_MAX] = {path};
    size_t count = 1;
    folder_make(ret->folder, sizeof ret->folder);
    options_add(list, &count, options);
    ret->pid = program_start(list, ret->folder, &ret->out);
}

void program_begin(const char *options, struct program *ret)
{
    begin(daemon_path(), options, ret);
}

void command_begin(const char *options, struct program *ret)
{
    begin(program_path("GRADCHECK", "gradcheck"), options, ret);
}

void program_finish(struct program *running, struct output *ret)
{
    char path[300];
    ret->status = program_end(running->pid, running->out, ret->out, sizeof ret->out,
                              seconds_now() + patience(20));
    snprintf(path, sizeof path, "%s/stderr", running->folder);
    file_tail(path, ret->err, sizeof ret->err);
}

void program_run(const char *options, struct output *ret)
{
    struct program running;
    program_begin(options, &running);
    program_finish(&running, ret);
}

void command_run(const char *options, struct output *ret)
{
    struct program running;
    command_begin(options, &running);
    program_finish(&running, ret);
}

static void failures_print(void)
{
    char *const folders[] = {root, NULL};
    FTS *walk = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;) {
        char text[TAIL_BYTES];
        if (strcmp(entry->fts_name, "stderr") != 0) continue;
        file_tail(entry->fts_accpath, text, sizeof text);
        printf("--- what the daemon of a failed test logged: %s\n%s\n",
               entry->fts_path + strlen(root), text);
    }
    if (walk != NULL) fts_close(walk);
}

int suite_main(const char *name, const TTest *const tests[])
{
    const char *base = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/gradcheckd-%s-XXXXXX", base != NULL ? base : "/tmp", name);
    if (mkdtemp(root) == NULL) {
        perror(root);
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, patience(120));
    tcase_add_checked_fixture(tcase, NULL, test_passed);
    for (size_t i = 0; tests[i] != NULL; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (failed > 0) failures_print();
    folder_remove(root);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
