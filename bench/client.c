#include "bench/client.h"
#include "bench/basics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256 };

static volatile sig_atomic_t stopping;

static void stop(int number)
{
    stopping = number;
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

static connection *open_all(const char *ports, size_t count)
{
    if (count < 1 || count > CONNECTIONS_MAX) fail("connections: 1 to %d", CONNECTIONS_MAX);
    connection *c = calloc(count, sizeof *c);
    if (c == NULL) fail("out of memory");
    const char *place = ports;
    for (size_t i = 0; i < count; i++) {
        char *end;
        const int port = (int)strtol(place, &end, 10);
        if (end == place) fail("no port: %s", place);
        c[i].socket = connect_to(port);
        place = *end == ',' ? end + 1 : ports;
    }
    return c;
}

/* ---- answers ---- */

const char *client_header(const connection *c, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = strstr(c->answer, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
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
    const char *length = client_header(c, "Content-Length");
    if (length == NULL) fail("an answer without Content-Length");
    const size_t whole = (size_t)(blank + 4 - c->answer) + strtoul(length, NULL, 10);
    if (whole > ANSWER_MAX) fail("an answer of more than %d bytes", ANSWER_MAX);
    return c->received >= whole ? blank + 4 : NULL;
}

/* ---- bytes ---- */

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

void client_send(connection *c, text request)
{
    c->sending = request;
    c->sent = c->received = 0;
    c->answer[0] = '\0';
    give_bytes(c);
}

/* After a poll said that something can be done. */
static void advance(connection *c, short events, const driver *by)
{
    if ((events & POLLOUT) && c->sent < c->sending.size) give_bytes(c);
    if (!(events & (POLLIN | POLLHUP | POLLERR))) return;
    take_bytes(c);
    const char *body = body_find(c);
    if (body == NULL) return;
    const char *space = strchr(c->answer, ' ');
    const int status = space == NULL ? 0 : (int)strtol(space, NULL, 10);
    if (by->answered(by->context, c, status, body)) c->busy = false;
}

void client_run(const char *ports, size_t connections, const driver *by)
{
    struct pollfd wait[CONNECTIONS_MAX];
    connection *c = open_all(ports, connections);
    signal(SIGTERM, stop);
    for (;;) {
        size_t busy = 0;
        for (size_t i = 0; i < connections; i++) {
            if (!c[i].busy && !stopping) c[i].busy = by->begin(by->context, &c[i]);
            busy += c[i].busy;
            const short more = c[i].sent < c[i].sending.size ? POLLOUT : 0;
            wait[i] = (struct pollfd){c[i].busy ? c[i].socket : -1, (short)(POLLIN | more), 0};
        }
        if (busy == 0) break;
        if (poll(wait, connections, -1) < 0 && errno != EINTR) fail("poll: %s", strerror(errno));
        for (size_t i = 0; i < connections; i++)
            if (wait[i].revents != 0) advance(&c[i], wait[i].revents, by);
    }
    for (size_t i = 0; i < connections; i++)
        close(c[i].socket);
    free(c);
}
