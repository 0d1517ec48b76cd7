/* What the headers of a request tell, before its body comes: see http_exchange.h. */
#include "server/forwarded.h"
#include "server/header.h"
#include "server/http_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *header(struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct header_count {
    const char *name;
    unsigned count;
};

static enum MHD_Result count_header(void *closure, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind, (void)value;
    struct header_count *wanted = closure;
    if (strcasecmp(name, wanted->name) == 0) wanted->count++;
    return MHD_YES;
}

static unsigned header_count(struct exchange *exchange, const char *name)
{
    struct header_count wanted = {name, 0};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_header, &wanted);
    return wanted.count;
}

bool http_read_framing(struct exchange *exchange)
{
    static const char *const single[] = {"Content-Length", "Transfer-Encoding", "Host",
                                         "Content-Type", "Authorization"};
    struct problem *problem = &exchange->problem;
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        if (header_count(exchange, single[i]) > 1)
            return problem_set(problem, PROBLEM_BAD_REQUEST, "the header %s stands there twice",
                               single[i]);
    const char *encoding = header(exchange, "Transfer-Encoding");
    if (encoding == NULL) return true;
    if (header(exchange, "Content-Length") != NULL)
        return problem_set(problem, PROBLEM_BAD_REQUEST,
                           "Content-Length and Transfer-Encoding exclude each other");
    return strcasecmp(encoding, "chunked") == 0 ||
           problem_set(problem, PROBLEM_BAD_REQUEST, "Transfer-Encoding must be chunked");
}

static bool media_type_is_json(struct exchange *exchange)
{
    const char *type = header(exchange, "Content-Type");
    const char *encoding = header(exchange, "Content-Encoding");
    if (type == NULL || !header_is_json(type))
        return problem_set(&exchange->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                           "the body must be application/json");
    if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
        return problem_set(&exchange->problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                           "the body must come without Content-Encoding");
    return true;
}

struct header_text {
    const char *name;
    char *text;
    size_t used;
    bool whole;
};

static enum MHD_Result join_header(void *closure, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct header_text *joined = closure;
    if (strcasecmp(name, joined->name) != 0) return MHD_YES;
    const size_t left = HEADER_SIZE - joined->used;
    const int length = snprintf(joined->text + joined->used, left, "%s%s",
                                joined->used > 0 ? ", " : "", value == NULL ? "" : value);
    joined->whole = length > 0 && (size_t)length < left;
    joined->used += joined->whole ? (size_t)length : 0;
    return joined->whole ? MHD_YES : MHD_NO;
}

/* Several lines of one name are one list (RFC 9110, 5.3). What is too long, or empty, must not
 * become right by being cut, or pass as absent. */
static void copy_header(struct exchange *exchange, const char *name, char text[HEADER_SIZE])
{
    struct header_text joined = {name, text, 0, true};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, join_header, &joined);
    if (!joined.whole) snprintf(text, HEADER_SIZE, "\x7f");
}

static enum MHD_Result add_argument(void *closure, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    struct exchange *exchange = closure;
    struct request *request = &exchange->request;
    if (value == NULL) value = "";
    if (request->argument_count == ARGUMENTS_MAX || strlen(name) >= ARGUMENT_SIZE ||
        strlen(value) >= ARGUMENT_SIZE) {
        problem_set(&exchange->problem, PROBLEM_BAD_REQUEST, "the query is too long");
        return MHD_NO;
    }
    struct argument *argument = &request->argument[request->argument_count++];
    snprintf(argument->name, sizeof argument->name, "%s", name);
    snprintf(argument->value, sizeof argument->value, "%s", value);
    return MHD_YES;
}

static void read_query(struct exchange *exchange)
{
    const int count =
        MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);
    if (count <= 0) return;
    exchange->request.argument = calloc(ARGUMENTS_MAX, sizeof *exchange->request.argument);
    if (exchange->request.argument == NULL)
        problem_memory(&exchange->problem);
    else
        MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, add_argument,
                                  exchange);
}

void http_read_id(struct exchange *exchange)
{
    const char *own = header(exchange, "X-Request-Id");
    if (own != NULL && header_request_id_is_valid(own))
        snprintf(exchange->request.id, sizeof exchange->request.id, "%s", own);
    else
        id_new(exchange->request.id);
}

/* A socket file is not reached by way of a name. */
static bool host_is_ours(struct exchange *exchange)
{
    const char *host = header(exchange, "Host");
    if (address_is_file(&exchange->http->listener->address)) return true;
    if (host != NULL && header_host_is_local(host, exchange->http->service->config->host_name))
        return true;
    return problem_set(&exchange->problem, PROBLEM_MISDIRECTED,
                       "Host must be localhost, 127.0.0.1, [::1] or the server's --host-name");
}

static enum auth_outcome authenticate(struct exchange *exchange)
{
    const char *authorization = header(exchange, "Authorization");
    char token[BEARER_SIZE] = "";
    const bool sent = authorization != NULL && header_bearer(authorization, token);
    exchange->challenge = sent ? "Bearer error=\"invalid_token\"" : "Bearer";
    return auth_check(exchange->http->service->auth, sent ? token : NULL, &exchange->request.user);
}

/* Finds the route of somebody who may use it. Who is not known is told of nothing that is not open,
 * be it there or not. */
static bool find_route(struct exchange *exchange, const char *path)
{
    const enum auth_outcome outcome = authenticate(exchange);
    struct problem *problem = &exchange->problem, missing = {0};
    if (outcome == AUTH_OPEN && !host_is_ours(exchange)) return false;
    const struct route *route =
        route_find(exchange->method, path, exchange->request.job, exchange->allow, &missing);
    if (outcome == AUTH_REFUSED && (route == NULL || (route->flags & ROUTE_OPEN) == 0))
        return problem_set(problem, PROBLEM_UNAUTHORIZED,
                           "a valid token is needed: Authorization: Bearer gck_...");
    if (route == NULL) {
        *problem = missing;
        return false;
    }
    if ((route->flags & ROUTE_CHANGES) != 0 && exchange->request.user.role == ROLE_READER)
        return problem_set(problem, PROBLEM_FORBIDDEN,
                           "this token is read-only, and %s changes something", route->method);
    exchange->route = route;
    return true;
}

void http_read_head(struct exchange *exchange, const char *path)
{
    struct request *request = &exchange->request;
    if (!find_route(exchange, path)) return;
    if ((exchange->route->flags & ROUTE_BODY) != 0 && !media_type_is_json(exchange)) return;
    copy_header(exchange, "Prefer", request->prefer);
    copy_header(exchange, "Idempotency-Key", request->idempotency_key);
    copy_header(exchange, "If-None-Match", request->if_none_match);
    read_query(exchange);
}

static enum MHD_Result add_forwarded(void *closure, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    (void)kind;
    if (value != NULL && strcasecmp(name, "X-Forwarded-For") == 0) forwarded_add(closure, value);
    return MHD_YES;
}

struct ip http_read_client(struct exchange *exchange)
{
    const struct listener *listener = exchange->http->listener;
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct ip ip = ip_of_socket(peer->client_addr);
    if (listener->proxies.count == 0) return ip;
    struct forwarded forwarded = forwarded_start(&listener->proxies, &ip);
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, add_forwarded, &forwarded);
    return forwarded_client(&forwarded);
}

unsigned long long http_read_length(struct exchange *exchange)
{
    const char *length = header(exchange, "Content-Length");
    return length == NULL ? 0 : strtoull(length, NULL, 10);
}
