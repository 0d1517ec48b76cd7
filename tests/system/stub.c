#include "stub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void stub_bind(struct stub *stub)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *stub = (struct stub){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .fd = -1};
    ck_assert_int_eq(bind(stub->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(stub->listener, (struct sockaddr *)&address, &size), 0);
    stub->port = ntohs(address.sin_port);
    snprintf(stub->url, sizeof stub->url, "http://127.0.0.1:%d", stub->port);
}

void stub_listen(struct stub *stub)
{
    ck_assert_int_eq(listen(stub->listener, 16), 0);
}

void stub_start(struct stub *stub)
{
    stub_bind(stub);
    stub_listen(stub);
}

/* Whether head and body are there. */
static bool is_whole(const char *request, size_t used)
{
    const char *end = strstr(request, "\r\n\r\n"), *length = strstr(request, "Content-Length: ");
    if (end == NULL) return false;
    const size_t body = length == NULL || length > end ? 0 : strtoul(length + 16, NULL, 10);
    return used >= (size_t)(end + 4 - request) + body;
}

void stub_expect(struct stub *stub, const char *start)
{
    const double deadline = seconds_now() + patience(20);
    size_t used = 0;
    stub->request[0] = '\0';
    ck_assert_msg(socket_ready(stub->listener, POLLIN, deadline), "nobody asks for %s", start);
    stub->fd = accept(stub->listener, NULL, NULL);
    ck_assert_int_ge(stub->fd, 0);
    while (!is_whole(stub->request, used)) {
        ck_assert_msg(socket_ready(stub->fd, POLLIN, deadline), "half a request: %s",
                      stub->request);
        const ssize_t got = read(stub->fd, stub->request + used, sizeof stub->request - 1 - used);
        ck_assert_msg(got > 0, "half a request: %s", stub->request);
        used += (size_t)got;
        stub->request[used] = '\0';
    }
    ck_assert_msg(strncmp(stub->request, start, strlen(start)) == 0, "not %s: %s", start,
                  stub->request);
}

const char *stub_header(const struct stub *stub, const char *name)
{
    const char *at = strstr(stub->request, format("\r\n%s: ", name));
    if (at == NULL) return NULL;
    at += strlen(name) + 4;
    return format("%.*s", (int)strcspn(at, "\r"), at);
}

void stub_reply(struct stub *stub, const char *status, const char *headers, const char *body)
{
    const char *answer =
        format("HTTP/1.1 %s\r\n%sConnection: close\r\nContent-Length: %zu\r\n\r\n%s", status,
               headers, strlen(body), body);
    const size_t size = strlen(answer);
    ck_assert_int_eq(send(stub->fd, answer, size, MSG_NOSIGNAL), (ssize_t)size);
    stub_break(stub);
}

void stub_break(struct stub *stub)
{
    close(stub->fd);
    stub->fd = -1;
}
