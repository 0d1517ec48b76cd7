#include "server/log.h"
#include "server/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_SIZE = 1024,
    RING_SIZE = 1 << 20,
    CHUNK_SIZE = 4096 /* whole lines, written at once: into a pipe nobody else's come between */
};

/* For how long the end waits for who reads. */
#define FLUSH_NS INT64_C(1000000000)

/* Where lines go: straight to standard error; to the ring; nowhere, since nobody reads. */
enum way { DIRECT, RING, NOWHERE };

static struct {
    pthread_mutex_t lock; /* for what follows; never held while anything is written */
    pthread_cond_t filled, emptied;
    enum way way;
    bool closing, ended;        /* of the thread */
    unsigned long long dropped; /* lines, since the last that was taken; all until they are told */
    size_t begin, used;
    char bytes[RING_SIZE];
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- standard error ---- */

/* What cannot be written is lost: there is nobody to tell. */
static void write_whole(const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t put = write(STDERR_FILENO, bytes + done, size - done);
        if (put >= 0)
            done += (size_t)put;
        else if (errno == EAGAIN)
            poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR)
            return;
    }
}

/* ---- the ring; with its lock held ---- */

static bool append(const char *line, size_t size)
{
    if (RING_SIZE - ring.used < size) return false;
    const size_t end = (ring.begin + ring.used) % RING_SIZE;
    const size_t first = size < RING_SIZE - end ? size : RING_SIZE - end;
    memcpy(ring.bytes + end, line, first);
    memcpy(ring.bytes, line + first, size - first);
    ring.used += size;
    pthread_cond_signal(&ring.filled);
    return true;
}

/* After a line that was dropped all are, until their number stands in the ring: where the gap is,
 * it is told. */
static void put(const char *line, size_t size)
{
    if (ring.dropped > 0 || !append(line, size)) ring.dropped++;
}

static void tell_dropped(void)
{
    char line[64];
    const int size =
        snprintf(line, sizeof line, "level=warning event=log dropped=%llu\n", ring.dropped);
    if (ring.dropped > 0 && append(line, (size_t)size)) ring.dropped = 0;
}

/* As many whole lines as a chunk takes. */
static size_t take(char chunk[CHUNK_SIZE])
{
    size_t size = ring.used < CHUNK_SIZE ? ring.used : CHUNK_SIZE;
    for (size_t i = 0; i < size; i++)
        chunk[i] = ring.bytes[(ring.begin + i) % RING_SIZE];
    while (size > 0 && chunk[size - 1] != '\n')
        size--;
    ring.begin = (ring.begin + size) % RING_SIZE;
    ring.used -= size;
    tell_dropped();
    return size;
}

/* ---- the thread ---- */

static void *run(void *context)
{
    (void)context;
    char chunk[CHUNK_SIZE];
    pthread_mutex_lock(&ring.lock);
    while (ring.used > 0 || !ring.closing) {
        while (ring.used == 0 && !ring.closing)
            pthread_cond_wait(&ring.filled, &ring.lock);
        const size_t size = take(chunk);
        pthread_mutex_unlock(&ring.lock);
        write_whole(chunk, size);
        pthread_mutex_lock(&ring.lock);
    }
    ring.ended = true;
    pthread_cond_broadcast(&ring.emptied);
    pthread_mutex_unlock(&ring.lock);
    return NULL;
}

/* Detached: while nobody reads it cannot be made to return, and ends with the process. */
bool log_open(void)
{
    pthread_t thread;
    pthread_cond_init(&ring.filled, NULL);
    clock_condition_init(&ring.emptied);
    if (pthread_create(&thread, NULL, run, NULL) != 0) return false;
    pthread_detach(thread);
    pthread_mutex_lock(&ring.lock);
    ring.way = RING;
    pthread_mutex_unlock(&ring.lock);
    return true;
}

void log_close(void)
{
    const struct timespec until = clock_timespec(clock_monotonic_ns() + FLUSH_NS);
    int status = 0;
    pthread_mutex_lock(&ring.lock);
    if (ring.way == RING) {
        ring.closing = true;
        pthread_cond_signal(&ring.filled);
        while (!ring.ended && status == 0)
            status = pthread_cond_timedwait(&ring.emptied, &ring.lock, &until);
        ring.way = ring.ended ? DIRECT : NOWHERE;
    }
    pthread_mutex_unlock(&ring.lock);
}

/* ---- lines ---- */

static void hand_over(const char *line, size_t size)
{
    pthread_mutex_lock(&ring.lock);
    const enum way way = ring.way;
    if (way == RING) put(line, size);
    pthread_mutex_unlock(&ring.lock);
    if (way == DIRECT) write_whole(line, size);
}

static void write_line(const char *level, const char *event, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void write_line(const char *level, const char *event, const char *format, va_list arguments)
{
    char line[LINE_SIZE + 1]; /* the last byte for the newline */
    const int used = snprintf(line, LINE_SIZE, "level=%s event=%s ", level, event);
    vsnprintf(line + used, LINE_SIZE - (size_t)used, format, arguments);
    const size_t size = strlen(line);
    line[size] = '\n';
    hand_over(line, size + 1);
}

void log_info(const char *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("info", event, format, arguments);
    va_end(arguments);
}

void log_warning(const char *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("warning", event, format, arguments);
    va_end(arguments);
}

void log_error(const char *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("error", event, format, arguments);
    va_end(arguments);
}

const char *log_quote(const char *value, char text[LOG_QUOTED_SIZE])
{
    size_t used = 0;
    text[used++] = '"';
    for (; *value != '\0' && used < LOG_QUOTED_SIZE - 8; value++) {
        const unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            used += (size_t)snprintf(text + used, LOG_QUOTED_SIZE - used, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            used += (size_t)snprintf(text + used, LOG_QUOTED_SIZE - used, "\\x%02x", c);
        else
            text[used++] = (char)c;
    }
    text[used++] = '"';
    text[used] = '\0';
    return text;
}
