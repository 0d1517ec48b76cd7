/* A cheap client under load: load PORTS PATH BODY CONNECTIONS SECONDS REQUESTS
 *
 * PORTS of 127.0.0.1, separated by commas, are dealt in turn to the keep-alive connections. Each
 * posts the file BODY with `Prefer: wait=60`, waits for the answer, and posts again, until SECONDS
 * have passed or REQUESTS were sent; what is under way then is waited for. An answer of 202 is
 * followed to its Location until the job has ended. An answer is good when its status is 200 and
 * its first "verdict" is "pass".
 *
 * One thread and poll, requests prepared once: the client shares its processors with the server
 * that it measures. Prints lines `NAME VALUE`; latencies are of whole round trips, in seconds. Exit
 * status 1 when a connection fails. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, ANSWER_MAX = 1 << 20, FOLLOW_MAX = 512 };

typedef struct text {
    char *bytes;
    size_t size;
} text;

typedef struct connection {
    int socket;
    int port;
    bool busy;
    double since; /* when the post began */
    text sending; /* borrowed: the prepared post, or `follow` */
    size_t sent;
    char follow[FOLLOW_MAX]; /* GET of an unfinished job */
    size_t received;
    char answer[ANSWER_MAX + 1]; /* ends with 0 */
} connection;

typedef struct tally {
    size_t sent, done, good;
    double *latency; /* one an answer */
    size_t capacity;
    double usage; /* the least usage.seconds told; < 0: none */
    int last_bad; /* status of the last answer that was not good */
    double end;   /* when the last answer was there */
} tally;

/* ---- odds and ends ---- */

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static text read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail("the body cannot be read");
    const long size = ftell(file);
    rewind(file);
    text read = {malloc((size_t)size + 1), (size_t)size};
    if (read.bytes == NULL || fread(read.bytes, 1, read.size, file) != read.size)
        fail("the body cannot be read");
    fclose(file);
    return read;
}

static text prepare_post(const char *path, const char *body_path)
{
    char head[512];
    const text body = read_file(body_path);
    const int length = snprintf(head, sizeof head,
                                "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait=60\r\n"
                                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                                path, body.size);
    if (length < 0 || (size_t)length >= sizeof head) fail("the path is too long");
    text post = {malloc((size_t)length + body.size), (size_t)length + body.size};
    if (post.bytes == NULL) fail("out of memory");
    memcpy(post.bytes, head, (size_t)length);
    memcpy(post.bytes + length, body.bytes, body.size);
    free(body.bytes);
    return post;
}

static int connect_to(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int one = 1, made = socket(AF_INET, SOCK_STREAM, 0);
    if (made < 0 || connect(made, (const struct sockaddr *)&address, sizeof address) != 0)
        fail("no connection to port %d: %s", port, strerror(errno));
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(made, F_SETFL, fcntl(made, F_GETFL) | O_NONBLOCK);
    return made;
}

/* ---- answers ---- */

/* The value of a header, up to the end of its line; NULL without one. */
static const char *header_find(const char *answer, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = strstr(answer, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (line[0] == '\r') return NULL;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    }
    return NULL;
}

/* The body, once all of it is there; NULL before. */
static const char *body_find(const connection *c)
{
    const char *blank = strstr(c->answer, "\r\n\r\n");
    if (blank == NULL) return NULL;
    const char *length = header_find(c->answer, "Content-Length");
    if (length == NULL) fail("an answer without Content-Length");
    const size_t whole = (size_t)(blank + 4 - c->answer) + strtoul(length, NULL, 10);
    if (whole > ANSWER_MAX) fail("an answer of more than %d bytes", ANSWER_MAX);
    return c->received >= whole ? blank + 4 : NULL;
}

/* What follows the first `"name":` and spaces; "" without one. */
static const char *member(const char *body, const char *name)
{
    const char *place = strstr(body, name);
    if (place == NULL) return "";
    place += strlen(name);
    return place + strspn(place, " ");
}

static bool begins(const char *place, const char *with)
{
    return strncmp(place, with, strlen(with)) == 0;
}

static bool unfinished(int status, const char *body)
{
    const char *state = member(body, "\"state\":");
    return status == 202 ||
           (status == 200 && (begins(state, "\"queued\"") || begins(state, "\"running\"")));
}

/* ---- connections ---- */

static void send_begin(connection *c, text request)
{
    c->sending = request;
    c->sent = c->received = 0;
    c->answer[0] = '\0';
}

static void post_begin(connection *c, text post, tally *t)
{
    c->busy = true;
    c->follow[0] = '\0';
    c->since = now();
    t->sent++;
    send_begin(c, post);
}

/* Waits for the job that the answer names, or for the same one again. */
static void follow_begin(connection *c)
{
    const char *location = header_find(c->answer, "Location");
    if (location != NULL) {
        const int length =
            snprintf(c->follow, sizeof c->follow,
                     "GET %.*s HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait=60\r\n\r\n",
                     (int)strcspn(location, "\r"), location);
        if (length < 0 || (size_t)length >= sizeof c->follow) fail("a Location that is too long");
    }
    if (c->follow[0] == '\0') fail("an unfinished job without Location");
    send_begin(c, (text){c->follow, strlen(c->follow)});
}

static void count_answer(tally *t, double since, int status, const char *body)
{
    t->end = now();
    if (t->done == t->capacity) {
        t->capacity = 2 * t->capacity + 1024;
        t->latency = realloc(t->latency, t->capacity * sizeof *t->latency);
        if (t->latency == NULL) fail("out of memory");
    }
    t->latency[t->done++] = t->end - since;
    if (status == 200 && begins(member(body, "\"verdict\":"), "\"pass\""))
        t->good++;
    else
        t->last_bad = status;
    const char *usage = member(member(body, "\"usage\":"), "\"seconds\":");
    if (*usage == '\0') return;
    const double seconds = strtod(usage, NULL);
    if (t->usage < 0 || seconds < t->usage) t->usage = seconds;
}

static void take_bytes(connection *c)
{
    const ssize_t got = recv(c->socket, c->answer + c->received, ANSWER_MAX - c->received, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) fail("the server closed a connection");
    c->received += (size_t)got;
    c->answer[c->received] = '\0';
}

static void give_bytes(connection *c)
{
    const ssize_t put =
        send(c->socket, c->sending.bytes + c->sent, c->sending.size - c->sent, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN && errno != EINTR)
        fail("a connection broke: %s", strerror(errno));
    if (put > 0) c->sent += (size_t)put;
}

/* After a poll said that something can be done. */
static void advance(connection *c, short events, tally *t)
{
    if ((events & POLLOUT) && c->sent < c->sending.size) give_bytes(c);
    if (!(events & (POLLIN | POLLHUP | POLLERR))) return;
    take_bytes(c);
    const char *body = body_find(c);
    if (body == NULL) return;
    const char *space = strchr(c->answer, ' ');
    const int status = space == NULL ? 0 : (int)strtol(space, NULL, 10);
    if (unfinished(status, body)) {
        follow_begin(c);
        return;
    }
    count_answer(t, c->since, status, body);
    c->busy = false;
}

static void run(connection *c, size_t count, text post, double seconds, size_t requests, tally *t)
{
    struct pollfd wait[CONNECTIONS_MAX];
    const double deadline = now() + seconds;
    for (;;) {
        size_t busy = 0;
        for (size_t i = 0; i < count; i++) {
            if (!c[i].busy && t->sent < requests && now() < deadline) {
                post_begin(&c[i], post, t);
                give_bytes(&c[i]);
            }
            busy += c[i].busy;
            const short more = c[i].sent < c[i].sending.size ? POLLOUT : 0;
            wait[i] = (struct pollfd){c[i].busy ? c[i].socket : -1, (short)(POLLIN | more), 0};
        }
        if (busy == 0) return;
        if (poll(wait, count, -1) < 0 && errno != EINTR) fail("poll: %s", strerror(errno));
        for (size_t i = 0; i < count; i++)
            if (wait[i].revents != 0) advance(&c[i], wait[i].revents, t);
    }
}

/* ---- the program ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_tally(tally *t, double start)
{
    if (t->done == 0) fail("no answer came");
    qsort(t->latency, t->done, sizeof *t->latency, ascending);
    const double spent = t->end - start;
    printf("answers %zu\ngood %zu\nseconds %.6f\nrate %.6g\n", t->done, t->good, spent,
           (double)t->good / spent);
    if (t->good < t->done) printf("last-bad-status %d\n", t->last_bad);
    if (t->usage >= 0) printf("usage %.9g\n", t->usage);
    printf("best %.9f\n", t->latency[0]);
    static const int percents[] = {50, 90, 99};
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++)
        printf("p%d %.9f\n", percents[i], t->latency[(t->done - 1) * (size_t)percents[i] / 100]);
    printf("worst %.9f\n", t->latency[t->done - 1]);
}

static void open_all(connection *c, size_t count, const char *ports)
{
    const char *place = ports;
    for (size_t i = 0; i < count; i++) {
        char *end;
        c[i].port = (int)strtol(place, &end, 10);
        if (end == place) fail("no port: %s", place);
        c[i].socket = connect_to(c[i].port);
        place = *end == ',' ? end + 1 : ports;
    }
}

int main(int count, char **arguments)
{
    if (count != 7) fail("usage: load PORTS PATH BODY CONNECTIONS SECONDS REQUESTS");
    const size_t connections = strtoul(arguments[4], NULL, 10);
    if (connections < 1 || connections > CONNECTIONS_MAX)
        fail("connections: 1 to %d", CONNECTIONS_MAX);
    const text post = prepare_post(arguments[2], arguments[3]);
    connection *c = calloc(connections, sizeof *c);
    if (c == NULL) fail("out of memory");
    open_all(c, connections, arguments[1]);
    tally t = {.usage = -1};
    const double start = now();
    run(c, connections, post, strtod(arguments[5], NULL), strtoul(arguments[6], NULL, 10), &t);
    print_tally(&t, start);
    for (size_t i = 0; i < connections; i++)
        close(c[i].socket);
    free(c);
    free(post.bytes);
    free(t.latency);
    return 0;
}
