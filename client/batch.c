#define _GNU_SOURCE /* pipe2 */
#include "client/batch.h"
#include "client/interrupt.h"
#include "client/say.h"
#include "server/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE_MAX = 64, CHUNK = 65536, LOOK_MS = 50 /* for those that have ended */ };

/* What one run may write. */
#define OUTPUT_BYTES ((size_t)256 << 20)

static void child(const struct run *run, const int out[2], const int err[2])
{
    char *argv[BATCH_ARGUMENTS + 1] = {(char *)"gradcheck"};
    for (size_t i = 0; i + 1 < BATCH_ARGUMENTS && run->argument[i] != NULL; i++)
        argv[i + 1] = (char *)run->argument[i];
    const int in = open("/dev/null", O_RDONLY);
    dup2(in, STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execv("/proc/self/exe", argv);
    _exit(127);
}

static bool start(struct run *run)
{
    int out[2], err[2];
    run->out.limit = run->err.limit = OUTPUT_BYTES;
    if (pipe2(out, O_CLOEXEC) != 0) return false;
    if (pipe2(err, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return false;
    }
    run->started_ns = clock_monotonic_ns();
    run->pid = fork();
    if (run->pid == 0) child(run, out, err);
    close(out[1]);
    close(err[1]);
    run->out_fd = out[0];
    run->err_fd = err[0];
    return run->pid > 0;
}

/* Reads once; at the end closes it. */
static void drain(int *fd, struct buf *into)
{
    char chunk[CHUNK];
    const ssize_t size = read(*fd, chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) return;
    if (size > 0) {
        buf_append(into, chunk, (size_t)size); /* beyond the limit it is dropped */
        return;
    }
    close(*fd);
    *fd = -1;
}

/* What it left to be read; others that it started may hold the other end open. */
static void drain_rest(int *fd, struct buf *into)
{
    if (*fd >= 0) fcntl(*fd, F_SETFL, O_NONBLOCK);
    while (*fd >= 0) {
        struct pollfd polled = {*fd, POLLIN, 0};
        if (poll(&polled, 1, 0) > 0)
            drain(fd, into);
        else
            close(*fd), *fd = -1;
    }
}

static void conclude(struct run *run, int status)
{
    drain_rest(&run->out_fd, &run->out);
    drain_rest(&run->err_fd, &run->err);
    run->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    run->seconds = (double)(clock_monotonic_ns() - run->started_ns) * 1e-9;
    run->pid = 0;
}

/* Waits until one of those at work has something to read, and reads it. */
static void serve(struct run *run[AT_ONCE_MAX], size_t count)
{
    struct pollfd polled[2 * AT_ONCE_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        polled[2 * i] = (struct pollfd){run[i]->out_fd, POLLIN, 0};
        polled[2 * i + 1] = (struct pollfd){run[i]->err_fd, POLLIN, 0};
    }
    polled[2 * count] = (struct pollfd){interrupt_fd(), POLLIN, 0};
    poll(polled, 2 * count + 1, LOOK_MS);
    for (size_t i = 0; i < count; i++) {
        if (polled[2 * i].revents != 0) drain(&run[i]->out_fd, &run[i]->out);
        if (polled[2 * i + 1].revents != 0) drain(&run[i]->err_fd, &run[i]->err);
    }
}

/* Those that have ended leave; how many are left. */
static size_t sweep(struct run *run[AT_ONCE_MAX], size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        int status;
        if (waitpid(run[i]->pid, &status, WNOHANG) == run[i]->pid)
            conclude(run[i], status);
        else
            run[left++] = run[i];
    }
    return left;
}

static void end_all(struct run *const run[AT_ONCE_MAX], size_t count)
{
    for (size_t i = 0; i < count; i++)
        kill(run[i]->pid, SIGTERM);
    for (size_t i = 0; i < count; i++) {
        int status = 0;
        waitpid(run[i]->pid, &status, 0);
        conclude(run[i], status);
    }
}

int batch_run(struct run *run, size_t count, size_t at_once)
{
    struct run *working[AT_ONCE_MAX];
    size_t next = 0, busy = 0;
    if (at_once > AT_ONCE_MAX) at_once = AT_ONCE_MAX;
    while (next < count || busy > 0) {
        while (next < count && busy < at_once) {
            if (!start(&run[next])) {
                end_all(working, busy);
                return say(STATUS_SERVER, "cannot start: %s", strerror(errno));
            }
            working[busy++] = &run[next++];
        }
        serve(working, busy);
        if (interrupt_asked()) {
            end_all(working, busy);
            return interrupt_status("");
        }
        busy = sweep(working, busy);
    }
    return STATUS_PASS;
}

void run_done(struct run *run)
{
    buf_done(&run->out);
    buf_done(&run->err);
}
