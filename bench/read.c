/* Reads, timed: read PORTS REQUESTS CONNECTIONS SECONDS
 *
 * Each line of the file REQUESTS is `NAME TOKEN PATH` (TOKEN `-`: none). The keep-alive connections
 * (bench/client.h) get them in turn, in the file's order: all once, or, with SECONDS above 0, again
 * and again until these have passed. So requests of different names alternate as the file mixes
 * them.
 *
 * Prints a line for each name, in the order of its first request: `NAME ANSWERS GOOD BYTES P50 P99
 * WORST`; good is status 200, BYTES a mean of bodies, and times are whole round trips in seconds.
 * Exit status 1 when a connection fails. */
#include "bench/basics.h"
#include "bench/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64, KINDS_MAX = 64 };

typedef struct kind {
    char name[NAME_SIZE];
    timings latency;
    size_t good;
    double bytes; /* of all bodies */
} kind;

typedef struct request {
    size_t kind;
    char *token, *path;
} request;

typedef struct reader {
    kind kind[KINDS_MAX];
    size_t kinds;
    request *request;
    size_t requests, capacity;
    size_t next;
    bool again;
    double deadline;
} reader;

/* ---- the file ---- */

static size_t kind_find(reader *r, const char *name)
{
    for (size_t i = 0; i < r->kinds; i++)
        if (strcmp(r->kind[i].name, name) == 0) return i;
    if (r->kinds == KINDS_MAX) fail("more than %d names", KINDS_MAX);
    snprintf(r->kind[r->kinds].name, NAME_SIZE, "%s", name);
    return r->kinds++;
}

static void add_request(reader *r, const char *name, const char *token, const char *path)
{
    if (r->requests == r->capacity) {
        r->capacity = 2 * r->capacity + 1024;
        r->request = realloc(r->request, r->capacity * sizeof *r->request);
        if (r->request == NULL) fail("out of memory");
    }
    request *added = &r->request[r->requests++];
    *added = (request){kind_find(r, name), strdup(token), strdup(path)};
    if (added->token == NULL || added->path == NULL) fail("out of memory");
}

static void read_requests(reader *r, const char *path)
{
    char line[REQUEST_MAX], name[NAME_SIZE], token[REQUEST_MAX], target[REQUEST_MAX];
    FILE *file = fopen(path, "r");
    if (file == NULL) fail("the requests cannot be read");
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%63s %1023s %1023s", name, token, target) != 3)
            fail("a request is NAME TOKEN PATH, not %s", line);
        add_request(r, name, token, target);
    }
    fclose(file);
    if (r->requests == 0) fail("there are no requests");
}

/* ---- driving ---- */

static bool begin(void *context, connection *c)
{
    reader *r = context;
    c->since = now();
    if (r->again && c->since >= r->deadline) return false;
    if (r->next == r->requests && r->again) r->next = 0;
    if (r->next == r->requests) return false;
    const request *wanted = &r->request[r->next++];
    const bool known = strcmp(wanted->token, "-") != 0;
    const int length =
        snprintf(c->request, sizeof c->request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s%s\r\n",
                 wanted->path, known ? "Authorization: Bearer " : "", known ? wanted->token : "",
                 known ? "\r\n" : "");
    if (length < 0 || (size_t)length >= sizeof c->request) fail("a path that is too long");
    c->kind = wanted->kind;
    client_send(c, (text){c->request, (size_t)length});
    return true;
}

static bool answered(void *context, connection *c, int status, const char *body)
{
    reader *r = context;
    kind *counted = &r->kind[c->kind];
    timings_add(&counted->latency, now() - c->since);
    counted->good += status == 200;
    counted->bytes += (double)strlen(body);
    return true;
}

static void print_kind(kind *k)
{
    const size_t count = k->latency.count;
    if (count == 0) return;
    timings_sort(&k->latency);
    printf("%s %zu %zu %.0f %.9f %.9f %.9f\n", k->name, count, k->good, k->bytes / (double)count,
           timings_at(&k->latency, 50), timings_at(&k->latency, 99), timings_at(&k->latency, 100));
}

int main(int count, char **arguments)
{
    static reader r;
    if (count != 5) fail("usage: read PORTS REQUESTS CONNECTIONS SECONDS");
    read_requests(&r, arguments[2]);
    const double seconds = strtod(arguments[4], NULL);
    r.again = seconds > 0;
    r.deadline = now() + seconds;
    const driver by = {begin, answered, &r};
    client_run(arguments[1], strtoul(arguments[3], NULL, 10), &by);
    for (size_t i = 0; i < r.kinds; i++) {
        print_kind(&r.kind[i]);
        timings_done(&r.kind[i].latency);
    }
    for (size_t i = 0; i < r.requests; i++) {
        free(r.request[i].token);
        free(r.request[i].path);
    }
    free(r.request);
    return 0;
}
