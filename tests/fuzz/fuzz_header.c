/* Values of headers, cursors and names: each parser sees every input. */
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
    MUST(length > 0 || !header_matches_etag(text, "\"1\""));
    MUST(header_matches_etag(text, text) || strpbrk(text, ", \t/") != NULL || length == 0);
    if (header_host_is_local(text, NULL)) MUST(header_host_is_local(text, "example.org"));
    if (header_is_json(text)) MUST(length >= strlen("application/json"));
    free(text);
    return 0;
}
