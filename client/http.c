#include "client/http.h"
#include "client/interrupt.h"
#include "client/say.h"
#include "server/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_BYTES_MAX ((size_t)4 << 30)

enum { CONNECT_SECONDS = 10, SILENCE_SECONDS = 120, POLL_MS = 1000 };

struct http {
    CURL *easy;
    CURLM *multi;
    char *base; /* of URLs, without a slash at the end */
    char *token;
    struct buf body; /* of the reply under way */
    char error[CURL_ERROR_SIZE];
};

/* ---- opening ---- */

/* "localhost", 127.…, [::1]: where no proxy stands between. */
static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           (strncmp(host, "localhost", 9) == 0 && strchr(":/", host[9]) != NULL);
}

static char *base_of(const char *server)
{
    char *base = strdup(server);
    for (size_t length = base == NULL ? 0 : strlen(base); length > 0 && base[length - 1] == '/';)
        base[--length] = '\0';
    return base;
}

static size_t take_part(char *bytes, size_t size, size_t count, void *http)
{
    struct buf *body = &((struct http *)http)->body;
    return buf_append(body, bytes, size * count) ? count : 0;
}

/* What stays the same for all requests. */
static void set_options(struct http *http, const char *server, const char *ca_file)
{
    CURL *easy = http->easy;
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_part);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "gradcheck/" GCK_VERSION);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    /* A server that waits for a job sends nothing for a minute. */
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_SECONDS);
    if (ca_file != NULL) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    if (strncmp(server, "unix:", 5) == 0)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, server + 5);
    else if (is_loopback(http->base))
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

/* One that would end a header, or go out as another one, is no token. */
static bool token_is_sound(const char *token)
{
    for (; *token != '\0'; token++)
        if ((unsigned char)*token <= 0x20 || (unsigned char)*token >= 0x7f) return false;
    return true;
}

struct http *http_open(const char *server, const char *token, const char *ca_file, int *ret_status)
{
    const bool is_unix = strncmp(server, "unix:", 5) == 0 && server[5] != '\0';
    *ret_status = STATUS_USAGE;
    if (!is_unix && strncmp(server, "http://", 7) != 0 && strncmp(server, "https://", 8) != 0) {
        say_note("the server must be http://HOST:PORT, https://… or unix:PATH, got '%s'", server);
        return NULL;
    }
    if (token != NULL && !token_is_sound(token)) {
        say_note("the token has characters that no token has");
        return NULL;
    }
    *ret_status = STATUS_SERVER;
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL) return NULL;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    http->easy = curl_easy_init();
    http->multi = curl_multi_init();
    http->base = base_of(is_unix ? "http://localhost" : server);
    http->token = token == NULL ? NULL : strdup(token);
    if (http->easy == NULL || http->multi == NULL || http->base == NULL ||
        (token != NULL && http->token == NULL)) {
        http_close(http);
        say_memory();
        return NULL;
    }
    set_options(http, server, ca_file);
    return http;
}

void http_close(struct http *http)
{
    if (http == NULL) return;
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    curl_global_cleanup();
    buf_done(&http->body);
    free(http->base);
    free(http->token);
    free(http);
}

/* ---- a request ---- */

/* "name value"; value NULL: no such header. */
static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    char text[600];
    if (value == NULL) return true;
    if ((size_t)snprintf(text, sizeof text, "%s%s", name, value) >= sizeof text) return false;
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer != NULL) *list = longer;
    return longer != NULL;
}

static bool make_headers(const struct http *http, const struct http_request *request,
                         struct curl_slist **list)
{
    char wait[16];
    snprintf(wait, sizeof wait, "%d", request->wait_seconds);
    /* A body goes out at once, without asking whether it may. */
    return add_header(list, "Expect:", "") &&
           add_header(list, "Authorization: Bearer ", http->token) &&
           add_header(list, "Prefer: wait=", request->wait_seconds > 0 ? wait : NULL) &&
           add_header(list, "Idempotency-Key: ", request->key) &&
           add_header(list, "Content-Type: ", request->body == NULL ? NULL : "application/json");
}

static void set_request(struct http *http, const struct http_request *request, const char *url,
                        struct curl_slist *headers)
{
    CURL *easy = http->easy;
    http->error[0] = '\0';
    http->body = (struct buf){.limit = REPLY_BYTES_MAX};
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (request->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body->size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body->data);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Drives the transfer to its end; HTTP_ANSWERED stands for the library's own verdict. */
static enum http_outcome drive(struct http *http, const struct http_request *request,
                               int64_t deadline_ns)
{
    int running = 1;
    while (curl_multi_perform(http->multi, &running) == CURLM_OK && running > 0) {
        struct curl_waitfd told = {.fd = interrupt_fd(), .events = CURL_WAIT_POLLIN};
        const int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / 1000000;
        if (!request->after_interrupt && interrupt_asked()) return HTTP_INTERRUPTED;
        if (left_ms <= 0) return HTTP_LATE;
        curl_multi_poll(http->multi, &told, request->after_interrupt ? 0 : 1,
                        left_ms < POLL_MS ? (int)left_ms : POLL_MS, NULL);
    }
    return running > 0 ? HTTP_FAILED : HTTP_ANSWERED;
}

static CURLcode result_of(CURLM *multi)
{
    int left;
    const CURLMsg *message = curl_multi_info_read(multi, &left);
    return message == NULL ? CURLE_FAILED_INIT : message->data.result;
}

static enum http_outcome outcome_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_ANSWERED;
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return HTTP_REFUSED;
    default:
        return HTTP_FAILED;
    }
}

static enum http_outcome transfer(struct http *http, const struct http_request *request,
                                  int64_t deadline_ns, char *error)
{
    curl_multi_add_handle(http->multi, http->easy);
    enum http_outcome outcome = drive(http, request, deadline_ns);
    if (outcome == HTTP_ANSWERED) {
        const CURLcode code = result_of(http->multi);
        outcome = outcome_of(code);
        snprintf(error, HTTP_ERROR_SIZE, "%s",
                 http->error[0] != '\0' ? http->error : curl_easy_strerror(code));
    }
    curl_multi_remove_handle(http->multi, http->easy);
    return outcome;
}

static bool take_reply(struct http *http, struct http_reply *ret)
{
    long status = 0;
    curl_off_t seconds = 0;
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &seconds);
    *ret = (struct http_reply){.status = (int)status,
                               .retry_seconds = seconds <= 0      ? -1
                                                : seconds > 86400 ? 86400
                                                                  : (int)seconds};
    ret->body = http->body.size == 0 ? blob_copy("", 0) : blob_from_buf(&http->body);
    return ret->body != NULL;
}

enum http_outcome http_ask(struct http *http, const struct http_request *request,
                           int64_t deadline_ns, struct http_reply *ret, char error[HTTP_ERROR_SIZE])
{
    struct curl_slist *headers = NULL;
    enum http_outcome outcome = HTTP_FAILED;
    const size_t size = strlen(http->base) + strlen(request->path) + 1;
    char *url = malloc(size);
    snprintf(error, HTTP_ERROR_SIZE, "memory is out");
    if (url != NULL && make_headers(http, request, &headers)) {
        snprintf(url, size, "%s%s", http->base, request->path);
        set_request(http, request, url, headers);
        outcome = transfer(http, request, deadline_ns, error);
        if (outcome == HTTP_ANSWERED && !take_reply(http, ret)) outcome = HTTP_FAILED;
        buf_done(&http->body);
    }
    curl_slist_free_all(headers);
    free(url);
    return outcome;
}

bool http_escape(struct buf *buf, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char code[4];
    for (; *text != '\0'; text++) {
        const bool is_plain = strchr(plain, *text) != NULL;
        snprintf(code, sizeof code, is_plain ? "%c" : "%%%02X", (unsigned char)*text);
        if (!buf_append_text(buf, code)) return false;
    }
    return true;
}
