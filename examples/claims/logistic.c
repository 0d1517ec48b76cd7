/* Logistic regression in C: its gradient, posted over a plain socket.
 *
 *   cc logistic.c -lm -o logistic && ./logistic PORT [--break]
 *
 * The break takes the difference in the delta the wrong way round. Exit status: 0 for a pass, 1 for
 * anything else. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SAMPLES = 4, INPUTS = 2 };

static const double x[SAMPLES][INPUTS] = {{0.5, -1}, {1, 2}, {-1.5, 0.25}, {2, 1}};
static const double y[SAMPLES] = {0, 1, 0, 1};
static const double w[INPUTS] = {0.3, -0.2}, b = 0.1;

/* The backward pass that is checked. */
static void gradients(double sign, double dw[INPUTS], double *db)
{
    for (int k = 0; k < SAMPLES; k++) {
        const double a = 1 / (1 + exp(-(x[k][0] * w[0] + x[k][1] * w[1] + b)));
        const double delta = sign * (a - y[k]) / SAMPLES;
        for (int i = 0; i < INPUTS; i++)
            dw[i] += delta * x[k][i];
        *db += delta;
    }
}

static int request(char *body, size_t size, const double dw[INPUTS], double db)
{
    return snprintf(
        body, size,
        "{\"model\":{\"input_shape\":[2],\"cost\":\"binary_crossentropy\",\"layers\":"
        "[{\"type\":\"dense\",\"units\":1,\"activation\":\"sigmoid\"}],"
        "\"parameters\":[{\"W\":[[%.17g],[%.17g]],\"b\":[%.17g]}]},"
        "\"data\":{\"x\":[[0.5,-1],[1,2],[-1.5,0.25],[2,1]],\"y\":[0,1,0,1]},"
        "\"check\":{\"claimed\":{\"gradients\":[{\"W\":[[%.17g],[%.17g]],\"b\":[%.17g]}]}}}",
        w[0], w[1], b, dw[0], dw[1], db);
}

/* Sends it, and reads until the daemon ends the connection. */
static ssize_t post(int port, const char *body, int length, char *answer, size_t size)
{
    const struct sockaddr_in address = {
        AF_INET, htons((unsigned short)port), {htonl(INADDR_LOOPBACK)}, {0}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) return -1;
    dprintf(fd,
            "POST /v1/gradient-checks HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            "Content-Type: application/json\r\nPrefer: wait=10\r\nContent-Length: %d\r\n\r\n%s",
            length, body);
    size_t used = 0;
    ssize_t got;
    while (used + 1 < size && (got = read(fd, answer + used, size - 1 - used)) > 0)
        used += (size_t)got;
    answer[used] = '\0';
    close(fd);
    return (ssize_t)used;
}

/* Prints the text behind a name, up to its quote; 0 when there is none. */
static int show(const char *answer, const char *name)
{
    const char *at = strstr(answer, name);
    if (at == NULL) return 0;
    at += strlen(name);
    printf("%.*s", (int)strcspn(at, "\""), at);
    return 1;
}

int main(int argc, char **argv)
{
    static char body[4096], answer[65536];
    double dw[INPUTS] = {0}, db = 0;
    const int port = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 8080;
    gradients(argc > 2 && strcmp(argv[2], "--break") == 0 ? -1 : 1, dw, &db);
    const int length = request(body, sizeof body, dw, db);
    if (post(port, body, length, answer, sizeof answer) <= 0) return 1;
    if (!show(answer, "\"verdict\":\"")) return puts(answer), 1;
    puts("");
    if (show(answer, "\"code\":\"")) printf(": "), show(answer, "\"message\":\""), puts("");
    return strstr(answer, "\"verdict\":\"fail\"") != NULL;
}
