/* Posts under load: load PORTS PATH BODY CONNECTIONS SECONDS REQUESTS [TOKEN]
 *
 * Each of the keep-alive connections (bench/client.h) posts the file BODY with `Prefer: wait=60`,
 * waits for the answer, and posts again, until SECONDS have passed or REQUESTS were sent; what is
 * under way then is waited for. An answer of 202 is followed to its Location until the job has
 * ended. An answer is good when its status is 200 and its first "verdict" is "pass".
 *
 * Prints lines `NAME VALUE`; latencies are of whole round trips, in seconds. Exit status 1 when a
 * connection fails. */
#include "bench/basics.h"
#include "bench/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 200 };

typedef struct load {
    char *post; /* prepared once */
    size_t post_bytes;
    char authorization[HEADER_MAX]; /* a whole line, or "" */
    size_t requests;
    double deadline;
    size_t sent, good;
    timings latency; /* one an answer */
    double usage;    /* the least usage.seconds told; < 0: none */
    int last_bad;    /* status of the last answer that was not good */
    double end;      /* when the last answer was there */
} load;

/* ---- the request ---- */

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail("the body cannot be read");
    const long size = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)size + 1);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        fail("the body cannot be read");
    fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

static void prepare_authorization(load *l, const char *token)
{
    if (token == NULL) return;
    const int length =
        snprintf(l->authorization, sizeof l->authorization, "Authorization: Bearer %s\r\n", token);
    if (length < 0 || (size_t)length >= sizeof l->authorization) fail("the token is too long");
}

static void prepare_post(load *l, const char *path, const char *body_path)
{
    char head[REQUEST_MAX];
    size_t size;
    char *body = read_file(body_path, &size);
    const int length = snprintf(head, sizeof head,
                                "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sPrefer: wait=60\r\n"
                                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                                path, l->authorization, size);
    if (length < 0 || (size_t)length >= sizeof head) fail("the path is too long");
    l->post_bytes = (size_t)length + size;
    l->post = malloc(l->post_bytes);
    if (l->post == NULL) fail("out of memory");
    memcpy(l->post, head, (size_t)length);
    memcpy(l->post + length, body, size);
    free(body);
}

/* ---- answers ---- */

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

/* Waits for the job that the answer names, or for the same one again. */
static void follow(const load *l, connection *c)
{
    const char *location = client_header(c, "Location");
    if (location != NULL) {
        const int length = snprintf(c->request, sizeof c->request,
                                    "GET %.*s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s"
                                    "Prefer: wait=60\r\n\r\n",
                                    (int)strcspn(location, "\r"), location, l->authorization);
        if (length < 0 || (size_t)length >= sizeof c->request) fail("a Location that is too long");
    }
    if (c->request[0] == '\0') fail("an unfinished job without Location");
    client_send(c, (text){c->request, strlen(c->request)});
}

static void count_answer(load *l, double since, int status, const char *body)
{
    l->end = now();
    timings_add(&l->latency, l->end - since);
    if (status == 200 && begins(member(body, "\"verdict\":"), "\"pass\""))
        l->good++;
    else
        l->last_bad = status;
    const char *usage = member(member(body, "\"usage\":"), "\"seconds\":");
    if (*usage == '\0') return;
    const double seconds = strtod(usage, NULL);
    if (l->usage < 0 || seconds < l->usage) l->usage = seconds;
}

/* ---- driving ---- */

static bool begin(void *context, connection *c)
{
    load *l = context;
    c->since = now();
    if (l->sent == l->requests || c->since >= l->deadline) return false;
    l->sent++;
    c->request[0] = '\0';
    client_send(c, (text){l->post, l->post_bytes});
    return true;
}

static bool answered(void *context, connection *c, int status, const char *body)
{
    load *l = context;
    if (unfinished(status, body)) {
        follow(l, c);
        return false;
    }
    count_answer(l, c->since, status, body);
    return true;
}

static void print_counts(load *l, double start)
{
    const size_t done = l->latency.count;
    if (done == 0) fail("no answer came");
    const double spent = l->end - start;
    printf("answers %zu\ngood %zu\nseconds %.6f\nrate %.6g\n", done, l->good, spent,
           (double)l->good / spent);
    if (l->good < done) printf("last-bad-status %d\n", l->last_bad);
    if (l->usage >= 0) printf("usage %.9g\n", l->usage);
    timings_sort(&l->latency);
    static const int percents[] = {50, 90, 99};
    printf("best %.9f\n", timings_at(&l->latency, 0));
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++)
        printf("p%d %.9f\n", percents[i], timings_at(&l->latency, percents[i]));
    printf("worst %.9f\n", timings_at(&l->latency, 100));
}

int main(int count, char **arguments)
{
    if (count < 7) fail("usage: load PORTS PATH BODY CONNECTIONS SECONDS REQUESTS [TOKEN]");
    load l = {.usage = -1, .requests = strtoul(arguments[6], NULL, 10)};
    prepare_authorization(&l, arguments[7]);
    prepare_post(&l, arguments[2], arguments[3]);
    const double start = now();
    l.deadline = start + strtod(arguments[5], NULL);
    const driver by = {begin, answered, &l};
    client_run(arguments[1], strtoul(arguments[4], NULL, 10), &by);
    print_counts(&l, start);
    free(l.post);
    timings_done(&l.latency);
    return 0;
}
