/* Values of headers, cursors and names: each parser sees every input. */
#include "server/forwarded.h"
#include "server/header.h"
#include "server/log.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void header_take_key(const char *text)
{
    char key[KEY_SIZE];
    if (!header_idempotency_key(text, key)) return;
    MUST(strlen(key) >= 1 && strlen(key) < KEY_SIZE && strstr(text, key) != NULL);
    for (const char *c = key; *c != '\0'; c++)
        MUST(*c > 0x20 && *c < 0x7f);
}

static void header_take_cursor(const char *text)
{
    char again[CURSOR_SIZE];
    uint64_t position = 0;
    if (!cursor_parse(text, &position)) return;
    cursor_format(position, again);
    MUST(position > 0 && strcmp(text, again) == 0);
}

static void header_take_names(const char *text, size_t size)
{
    const int state = job_state_find(text, size), kind = job_kind_find(text, size);
    if (state >= 0) MUST(strcmp(job_state_name((enum job_state)state), text) == 0);
    if (kind >= 0) MUST(strcmp(job_kind_name((enum job_kind)kind), text) == 0);
    if (name_is_valid(text)) MUST(size < NAME_SIZE && header_request_id_is_valid(text));
    if (header_request_id_is_valid(text)) MUST(size >= 1 && size <= 64);
}

static void header_take_quoted(const char *text)
{
    char quoted[LOG_QUOTED_SIZE];
    log_quote(text, quoted);
    const size_t length = strlen(quoted);
    MUST(length >= 2 && length < LOG_QUOTED_SIZE && quoted[length - 1] == '"');
    for (const char *c = quoted; *c != '\0'; c++)
        MUST(*c >= 0x20 && *c < 0x7f);
}

static void header_take_networks(const char *text)
{
    struct networks networks;
    char fault[NETWORK_FAULT_SIZE] = "";
    if (!networks_parse(text, &networks, fault)) {
        MUST(fault[0] != '\0');
        return;
    }
    MUST(networks.count >= 1 && networks.count <= NETWORKS_MAX);
    for (size_t i = 0; i < networks.count; i++)
        MUST(networks_hold(&networks, &networks.network[i].first));
}

/* From a proxy and from somebody else, who must not be believed. */
static void header_take_forwarded(const char *text)
{
    static struct networks proxies;
    struct ip proxy, other, again;
    char fault[NETWORK_FAULT_SIZE], written[IP_TEXT_SIZE];
    MUST(networks_parse("10.0.0.0/8", &proxies, fault));
    MUST(ip_parse("10.0.0.1", 8, &proxy) && ip_parse("192.0.2.1", 9, &other));
    struct forwarded believed = forwarded_start(&proxies, &proxy);
    struct forwarded ignored = forwarded_start(&proxies, &other);
    forwarded_add(&believed, text);
    forwarded_add(&ignored, text);
    const struct ip client = forwarded_client(&believed), same = forwarded_client(&ignored);
    ip_format(&client, written);
    MUST(ip_parse(written, strlen(written), &again) && ip_equal(&client, &again));
    MUST(ip_equal(&same, &other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    MUST(text != NULL);
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    const size_t length = strlen(text);
    const int wait = header_prefer_wait(text);
    MUST(wait >= -1 && wait <= PREFER_WAIT_MAX);
    header_take_key(text);
    header_take_cursor(text);
    header_take_names(text, length);
    header_take_quoted(text);
    header_take_networks(text);
    header_take_forwarded(text);
    MUST(length > 0 || !header_matches_etag(text, "\"1\""));
    MUST(header_matches_etag(text, text) || strpbrk(text, ", \t/") != NULL || length == 0);
    if (header_host_is_local(text, NULL)) MUST(header_host_is_local(text, "example.org"));
    if (header_is_json(text)) MUST(length >= strlen("application/json"));
    free(text);
    return 0;
}
