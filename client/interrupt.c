#include "client/interrupt.h"
#include "client/say.h"
#include "server/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static int told[2];
static atomic_int signal_taken;

static void taken(int number)
{
    const int saved = errno;
    if (atomic_exchange(&signal_taken, number) != 0) _exit(128 + number);
    const ssize_t written = write(told[1], "", 1);
    (void)written;
    errno = saved;
}

bool interrupt_start(void)
{
    const struct sigaction action = {.sa_handler = taken};
    if (pipe(told) != 0) return false;
    for (int i = 0; i < 2; i++)
        fcntl(told[i], F_SETFD, FD_CLOEXEC);
    return sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0;
}

bool interrupt_asked(void)
{
    return atomic_load(&signal_taken) != 0;
}

int interrupt_fd(void)
{
    return told[0];
}

bool interrupt_pause(int64_t ms)
{
    const int64_t until = clock_monotonic_ns() + ms * 1000000;
    struct pollfd ready = {.fd = told[0], .events = POLLIN};
    for (int64_t left = ms; left > 0 && !interrupt_asked();
         left = (until - clock_monotonic_ns()) / 1000000)
        poll(&ready, 1, left > 60000 ? 60000 : (int)left);
    return interrupt_asked();
}

int interrupt_status(const char *what)
{
    return say(128 + atomic_load(&signal_taken), "interrupted%s", what);
}
