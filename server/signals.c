#include "server/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static int signal_pipe[2];
static atomic_bool hangup_told; /* in the pipe, so that SIGHUP alone cannot fill it */
static atomic_bool end_told;

static void tell(int number)
{
    const int saved = errno;
    const unsigned char byte = (unsigned char)number;
    const ssize_t written = write(signal_pipe[1], &byte, 1);
    (void)written;
    errno = saved;
}

static void hangup_taken(int number)
{
    if (!atomic_exchange(&hangup_told, true)) tell(number);
}

/* The default ends the process even where a sanitizer holds handlers back; but the first process of
 * a container is spared by the default, and needs the handler. */
static void end_taken(int number)
{
    if (atomic_exchange(&end_told, true)) _exit(128 + number);
    if (getpid() != 1) {
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
    }
    tell(number);
}

void signals_limit_files(void)
{
    signal(SIGXFSZ, SIG_IGN);
}

/* Calls are interrupted (no SA_RESTART): the thread sanitizer runs a handler only once a call has
 * returned. */
bool signals_start(void)
{
    const struct sigaction hangup = {.sa_handler = hangup_taken};
    const struct sigaction end = {.sa_handler = end_taken};
    if (pipe(signal_pipe) != 0) return false;
    for (int i = 0; i < 2; i++)
        fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    return sigaction(SIGHUP, &hangup, NULL) == 0 && sigaction(SIGTERM, &end, NULL) == 0 &&
           sigaction(SIGINT, &end, NULL) == 0;
}

int signals_await(void)
{
    unsigned char byte = 0;
    while (read(signal_pipe[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    if (byte == SIGHUP) atomic_store(&hangup_told, false);
    return byte;
}
