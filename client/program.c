#define _GNU_SOURCE /* pipe2 */
#include "client/program.h"
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

/* For how long a program may take to end once it is asked no more. */
enum { END_MS = 1000, CHUNK = 65536, LOOK_MS = 20, AWAIT_MS = 100 /* between looks for its end */ };

struct program {
    pid_t pid;  /* 0 once it has ended */
    int status; /* then, as waitpid has it */
    bool gone;  /* it had ended before it was looked for an answer */
    int to, from;
    const char *name;
    struct buf received; /* behind the last line */
};

/* ---- life ---- */

/* In a group of its own, so that what it starts ends with it. */
static void child(char *const *argv, int in, int out, int fault)
{
    setpgid(0, 0);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], argv);
    const int error = errno;
    _exit(write(fault, &error, sizeof error) > 0 ? 127 : 126);
}

/* Why it could not be started, or 0. */
static int start(struct program *program, char *const *argv, int fault[2], int in[2], int out[2])
{
    int error = 0;
    program->pid = fork();
    if (program->pid == 0) child(argv, in[0], out[1], fault[1]);
    if (program->pid < 0) error = errno;
    close(fault[1]);
    close(in[0]);
    close(out[1]);
    if (error == 0 && read(fault[0], &error, sizeof error) <= 0) error = 0;
    close(fault[0]);
    return error;
}

struct program *program_open(char *const *argv)
{
    int in[2], out[2], fault[2];
    struct program *program = calloc(1, sizeof *program);
    if (program == NULL) return say_memory(), NULL;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(fault, O_CLOEXEC) != 0) {
        say(STATUS_SERVER, "no pipe: %s", strerror(errno));
        free(program);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* a program that ended is told by what is written to it */
    *program = (struct program){.to = in[1], .from = out[0], .name = argv[0]};
    const int error = start(program, argv, fault, in, out);
    if (error == 0 && fcntl(program->to, F_SETFL, O_NONBLOCK) == 0) return program;
    say(STATUS_USAGE, "%s: %s", argv[0], strerror(error));
    program_close(program);
    return NULL;
}

static bool has_ended(struct program *program)
{
    if (program->pid > 0 && waitpid(program->pid, &program->status, WNOHANG) == program->pid) {
        kill(-program->pid, SIGKILL); /* what it has left */
        program->pid = 0;
    }
    return program->pid == 0;
}

/* Its exit status as waitpid has it. */
static int end(struct program *program)
{
    if (program->to >= 0) close(program->to);
    program->to = -1;
    for (int waited = 0; waited < END_MS && !has_ended(program); waited += LOOK_MS)
        poll(NULL, 0, LOOK_MS);
    if (program->pid > 0) {
        kill(-program->pid, SIGKILL);
        waitpid(program->pid, &program->status, 0);
        program->pid = 0;
    }
    return program->status;
}

void program_close(struct program *program)
{
    if (program == NULL) return;
    end(program);
    close(program->from);
    buf_done(&program->received);
    free(program);
}

/* ---- a question ---- */

struct question {
    struct program *program;
    const struct blob *line;
    const char *what;
    int64_t deadline_ns;
    size_t sent;
};

static int ended(const struct question *q)
{
    const int status = end(q->program);
    if (WIFSIGNALED(status))
        return say(STATUS_USAGE, "%s was killed by signal %d where %s was asked for",
                   q->program->name, WTERMSIG(status), q->what);
    return say(STATUS_USAGE, "%s ended with status %d where %s was asked for", q->program->name,
               WEXITSTATUS(status), q->what);
}

/* Writes what the pipe takes of the line and its end. Who does not read may have answered. */
static void send_some(struct question *q)
{
    const size_t size = q->line->size;
    const char *from = q->sent < size ? q->line->data + q->sent : "\n";
    const ssize_t sent = write(q->program->to, from, q->sent < size ? size - q->sent : 1);
    if (sent > 0)
        q->sent += (size_t)sent;
    else if (errno != EAGAIN && errno != EINTR)
        q->sent = size + 1;
}

/* False at the end of what it writes. */
static bool receive_some(struct program *program)
{
    char chunk[CHUNK];
    const ssize_t size = read(program->from, chunk, sizeof chunk);
    if (size < 0) return errno == EINTR;
    return size > 0 && buf_append(&program->received, chunk, (size_t)size);
}

/* STATUS_PASS once one of both pipes is ready. */
static int await(const struct question *q, struct pollfd polled[3])
{
    const bool sends = q->sent <= q->line->size;
    polled[0] = (struct pollfd){q->program->from, POLLIN, 0};
    polled[1] = (struct pollfd){sends ? q->program->to : -1, POLLOUT, 0};
    polled[2] = (struct pollfd){interrupt_fd(), POLLIN, 0};
    const int64_t left_ns = q->deadline_ns - clock_monotonic_ns();
    if (left_ns <= 0)
        return say(STATUS_TIMEOUT, "%s did not answer in time where %s was asked for",
                   q->program->name, q->what);
    const int64_t left_ms = left_ns / 1000000 + 1;
    poll(polled, 3, left_ms > AWAIT_MS ? AWAIT_MS : (int)left_ms);
    return interrupt_asked() ? interrupt_status("") : STATUS_PASS;
}

/* Takes the first line out of what was received; NULL when memory is out. */
static struct blob *line_take(struct buf *received, size_t length)
{
    struct blob *line = blob_copy(received->data, length);
    memmove(received->data, received->data + length + 1, received->size - length - 1);
    received->size -= length + 1;
    return line;
}

/* Whether there is a whole line; its length. */
static bool line_find(const struct buf *received, size_t from, size_t *ret_length)
{
    const char *end =
        received->size > from ? memchr(received->data + from, '\n', received->size - from) : NULL;
    if (end != NULL) *ret_length = (size_t)(end - received->data);
    return end != NULL;
}

/* Once more of it can be sent, or was received. */
static int go_on(struct question *q, const struct pollfd polled[3])
{
    if (polled[1].revents != 0) send_some(q);
    if ((polled[0].revents & (POLLIN | POLLHUP)) == 0) {
        /* What it has started may hold its end of the pipe. */
        const bool gone = q->program->gone;
        q->program->gone = has_ended(q->program);
        return gone ? ended(q) : STATUS_PASS;
    }
    if (receive_some(q->program)) return STATUS_PASS;
    if (q->program->received.size + CHUNK > q->program->received.limit)
        return say(STATUS_USAGE, "%s: the answer where %s was asked for is longer than %zu bytes",
                   q->program->name, q->what, q->program->received.limit - CHUNK);
    return ended(q);
}

int program_ask(struct program *program, const struct blob *line, const char *what,
                int64_t deadline_ns, size_t most, struct blob **ret_answer)
{
    struct question q = {program, line, what, deadline_ns, 0};
    struct pollfd polled[3];
    size_t length, seen = 0;
    program->received.limit = most + CHUNK;
    if (program->received.size > 0)
        return say(STATUS_USAGE, "%s wrote more than a line where one was asked for",
                   program->name);
    while (!line_find(&program->received, seen, &length)) {
        seen = program->received.size;
        int status = await(&q, polled);
        if (status == STATUS_PASS) status = go_on(&q, polled);
        if (status != STATUS_PASS) return status;
    }
    *ret_answer = line_take(&program->received, length);
    return *ret_answer == NULL ? say_memory() : STATUS_PASS;
}
