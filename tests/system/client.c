#include "client.h"
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* For each read and write; long enough for the answer to the longest wait that tests ask for. */
static const double READ_SECONDS = 20;

const char *format(const char *pattern, ...)
{
    char *text = NULL;
    va_list values;
    va_start(values, pattern);
    int length = vsnprintf(NULL, 0, pattern, values);
    va_end(values);
    ck_assert_int_ge(length, 0);
    text = keep(malloc((size_t)length + 1));
    va_start(values, pattern);
    vsnprintf(text, (size_t)length + 1, pattern, values);
    va_end(values);
    return text;
}

static struct sockaddr_in address_of(const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    ck_assert_int_eq(inet_pton(AF_INET, host != NULL ? host : "127.0.0.1", &address.sin_addr), 1);
    return address;
}

static bool connect_port(int fd, const struct service *service)
{
    struct sockaddr_in from = address_of(service->from, 0);
    struct sockaddr_in to = address_of(service->to, service->port);
    if (service->from != NULL) ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    return connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}

/* By way of its folder's descriptor, since a socket's path must be short. */
static bool connect_file(int fd, const struct service *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int folder = open(service->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder, 0);
    int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder,
                          service->socket);
    ck_assert_int_lt(length, (int)sizeof address.sun_path);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(folder);
    return connected;
}

bool client_connect(struct client *client, const struct service *service)
{
    bool file = service->socket[0] != '\0';
    *client =
        (struct client){.fd = socket(file ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ck_assert_int_ge(client->fd, 0);
    if (!(file ? connect_file(client->fd, service) : connect_port(client->fd, service))) {
        client_close(client);
        return false;
    }
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    return true;
}

bool client_open(struct client *client, const struct service *service)
{
    if (!client_connect(client, service)) return false;
    if (!service->tls) return true;
    client->tls = tls_open(client->fd, NULL, seconds_now() + patience(READ_SECONDS));
    if (client->tls == NULL) client_close(client);
    return client->tls != NULL;
}

void client_close(struct client *client)
{
    tls_close(client->tls);
    if (client->fd >= 0) close(client->fd);
    free(client->bytes);
    *client = (struct client){.fd = -1};
}

bool socket_ready(int fd, short events, double deadline)
{
    struct pollfd ready = {.fd = fd, .events = events};
    int found;
    while ((found = poll(&ready, 1, poll_timeout(deadline))) < 0 && errno == EINTR)
        ;
    return found > 0;
}

bool client_send(struct client *client, const void *bytes, size_t size)
{
    const char *rest = bytes;
    double deadline = seconds_now() + patience(READ_SECONDS);
    while (size > 0) {
        ssize_t sent = client->tls != NULL ? tls_send(client->tls, rest, size)
                                           : send(client->fd, rest, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (sent < 0 && !socket_ready(client->fd, POLLOUT, deadline)) return false;
        if (sent < 0) continue;
        rest += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool client_send_text(struct client *client, const char *text)
{
    return client_send(client, text, strlen(text));
}

/* Reads what is there, waiting for something: false at the end, or when time is up. */
static bool client_fill(struct client *client, double deadline)
{
    if (client->capacity - client->used < 65536) {
        size_t capacity = 2 * client->capacity + 65536;
        char *bytes = realloc(client->bytes, capacity);
        ck_assert_msg(bytes != NULL, "out of memory");
        client->bytes = bytes;
        client->capacity = capacity;
    }
    for (;;) {
        /* One byte is kept free for a NUL. */
        char *end = client->bytes + client->used;
        size_t room = client->capacity - client->used - 1;
        ssize_t got = client->tls != NULL ? tls_receive(client->tls, end, room)
                                          : recv(client->fd, end, room, 0);
        if (got > 0) client->used += (size_t)got;
        if (got >= 0) return got > 0;
        if (errno != EAGAIN && errno != EINTR) return false;
        if (!socket_ready(client->fd, POLLIN, deadline)) return false;
    }
}

bool client_closed(struct client *client)
{
    double deadline = seconds_now() + patience(READ_SECONDS);
    while (client_fill(client, deadline))
        client->used = 0;
    return seconds_now() < deadline;
}

static void client_consume(struct client *client, size_t size)
{
    client->used -= size;
    memmove(client->bytes, client->bytes + size, client->used);
}

/* The place after the first CRLF (or the first empty line) at or after `from`; 0 when it does not
 * come. */
static size_t client_find(struct client *client, size_t from, const char *mark, double deadline)
{
    for (;;) {
        if (client->used > from) {
            client->bytes[client->used] = '\0';
            const char *found = strstr(client->bytes + from, mark);
            if (found != NULL) return (size_t)(found - client->bytes) + strlen(mark);
        }
        if (!client_fill(client, deadline)) return 0;
    }
}

static bool client_need(struct client *client, size_t size, double deadline)
{
    while (client->used < size)
        if (!client_fill(client, deadline)) return false;
    return true;
}

static char *copy_text(const char *bytes, size_t size)
{
    char *text = keep(malloc(size + 1));
    if (size > 0) memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}

/* Moves chunk after chunk to the front, so that the body ends up in one piece. */
static bool chunked_body(struct client *client, struct answer *answer, double deadline)
{
    size_t body = 0;
    for (;;) {
        size_t data = client_find(client, body, "\r\n", deadline);
        if (data == 0) return false;
        size_t size = strtoul(client->bytes + body, NULL, 16);
        size_t end = data + size + 2;
        if (!client_need(client, end, deadline)) return false;
        if (size == 0) {
            answer->body = copy_text(client->bytes, body);
            answer->body_bytes = body;
            client_consume(client, end);
            return true;
        }
        memmove(client->bytes + body, client->bytes + data, size);
        body += size;
        memmove(client->bytes + body, client->bytes + end, client->used - end);
        client->used -= end - body;
    }
}

static bool sized_body(struct client *client, struct answer *answer, size_t size, double deadline)
{
    if (!client_need(client, size, deadline)) return false;
    answer->body = copy_text(client->bytes, size);
    answer->body_bytes = size;
    client_consume(client, size);
    return true;
}

static bool body_receive(struct client *client, struct answer *answer, double deadline)
{
    const char *length = answer_header(answer, "Content-Length");
    const char *coding = answer_header(answer, "Transfer-Encoding");
    if (coding != NULL && strcasecmp(coding, "chunked") == 0)
        return chunked_body(client, answer, deadline);
    if (length != NULL) return sized_body(client, answer, strtoul(length, NULL, 10), deadline);
    while (client_fill(client, deadline))
        ;
    return sized_body(client, answer, client->used, deadline);
}

/* Status line and headers; answers with 1xx are passed over. */
static bool head_receive(struct client *client, struct answer *answer, double deadline)
{
    int status = 0;
    do {
        size_t end = client_find(client, 0, "\r\n\r\n", deadline);
        if (end == 0 || sscanf(client->bytes, "HTTP/1.%*d %d ", &status) != 1) return false;
        answer->head = copy_text(client->bytes, end - 2);
        client_consume(client, end);
    } while (status >= 100 && status < 200);
    answer->status = status;
    return true;
}

struct answer *client_receive(struct client *client, bool bodiless)
{
    struct answer *answer = keep(calloc(1, sizeof *answer));
    double deadline = seconds_now() + patience(READ_SECONDS);
    answer->head = answer->body = "";
    if (!head_receive(client, answer, deadline)) return answer;
    if (bodiless || answer->status == 204 || answer->status == 304) return answer;
    if (!body_receive(client, answer, deadline)) answer->status = 0;
    return answer;
}

struct answer *request_bytes(const struct service *service, const char *method, const char *path,
                             const char *headers, const void *body, size_t size)
{
    struct client client;
    ck_assert_msg(client_open(&client, service), "cannot connect to port %d%s", service->port,
                  service->socket);
    const char *length = body != NULL ? format("Content-Length: %zu\r\n", size) : "";
    const char *head =
        format("%s %s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n%s%s\r\n", method,
               path, service->port, headers != NULL ? headers : "", length);
    /* A server may answer and close before it has read all, so that a failed send is no failure
     * yet. */
    if (client_send_text(&client, head) && body != NULL) client_send(&client, body, size);
    struct answer *answer = client_receive(&client, strcmp(method, "HEAD") == 0);
    client_close(&client);
    return answer;
}

struct answer *request(const struct service *service, const char *method, const char *path,
                       const char *headers, const char *body)
{
    return request_bytes(service, method, path, headers, body, body != NULL ? strlen(body) : 0);
}

struct answer *get(const struct service *service, const char *path)
{
    return request(service, "GET", path, NULL, NULL);
}

bool service_alive(const struct service *service)
{
    return get(service, "/healthz")->status == 200;
}

struct answer *get_with(const struct service *service, const char *path, const char *headers)
{
    return request(service, "GET", path, headers, NULL);
}

struct answer *post_with(const struct service *service, const char *path, const char *headers,
                         json_t *body)
{
    char *text = keep(json_dumps(body, JSON_COMPACT));
    json_decref(body);
    return request(service, "POST", path,
                   format("Content-Type: application/json\r\n%s", headers != NULL ? headers : ""),
                   text);
}

struct answer *post(const struct service *service, const char *path, json_t *body)
{
    return post_with(service, path, NULL, body);
}

const char *answer_header(const struct answer *answer, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = answer->head; *line != '\0'; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, name, length) != 0 || line[length] != ':') continue;
        const char *value = line + length + 1;
        value += strspn(value, " \t");
        return copy_text(value, strcspn(value, "\r"));
    }
    return NULL;
}

void answer_expect(const struct answer *answer, int status)
{
    ck_assert_msg(answer->status == status, "expected %d, got %d\n%s\n%.2000s", status,
                  answer->status, answer->head, answer->body);
}

json_t *answer_json(struct answer *answer)
{
    json_error_t error;
    if (answer->json != NULL) return answer->json;
    answer->json = json_loadb(answer->body, answer->body_bytes, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(answer->json != NULL, "no JSON (%s, line %d): %d\n%.2000s", error.text,
                  error.line, answer->status, answer->body);
    return keep(answer->json);
}

/* Past the string that starts at this quote. */
static const char *string_end(const char *text)
{
    for (text++; *text != '"' && *text != '\0'; text++)
        if (*text == '\\' && text[1] != '\0') text++;
    return *text == '"' ? text + 1 : text;
}

/* Past one value: up to the comma or bracket that ends it. */
static const char *value_end(const char *text)
{
    for (int depth = 0; *text != '\0';) {
        if (depth == 0 && strchr(",}]", *text) != NULL) break;
        if (*text == '"') {
            text = string_end(text);
            continue;
        }
        if (*text == '{' || *text == '[') depth++;
        if (*text == '}' || *text == ']') depth--;
        text++;
    }
    return text;
}

const char *answer_member(const struct answer *answer, const char *name)
{
    const char *text = strchr(answer->body, '{');
    while (text != NULL && (text = strchr(text, '"')) != NULL) {
        const char *key = text + 1;
        const char *end = string_end(text);
        const char *value = strchr(end, ':');
        if (value == NULL) break;
        value += 1 + strspn(value + 1, " \t\r\n");
        text = value_end(value);
        if ((size_t)(end - 1 - key) == strlen(name) && strncmp(key, name, strlen(name)) == 0)
            return copy_text(value, (size_t)(text - value));
    }
    ck_abort_msg("no member %s in %.500s", name, answer->body);
}
