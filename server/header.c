#include "server/header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_spaces(const char *text)
{
    return text + strspn(text, " \t");
}

/* The digits of one preference's value, quoted or bare. */
static int wait_value(const char *text)
{
    text = skip_spaces(text);
    if (*text == '"') text++;
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0) return -1;
    const char *after = text + digits;
    if (*after == '"') after++;
    after = skip_spaces(after);
    if (*after != '\0' && *after != ',' && *after != ';') return -1;
    const long seconds = strtol(text, NULL, 10); /* saturates */
    return seconds < PREFER_WAIT_MAX ? (int)seconds : PREFER_WAIT_MAX;
}

/* Behind the next comma that stands in no quoted string. */
static const char *next_item(const char *text)
{
    bool quoted = false;
    for (; *text != '\0'; text++) {
        if (quoted && *text == '\\' && text[1] != '\0')
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (*text == ',' && !quoted)
            return text + 1;
    }
    return text;
}

int header_prefer_wait(const char *prefer)
{
    for (const char *item = prefer; *item != '\0'; item = next_item(item)) {
        item = skip_spaces(item);
        if (strncasecmp(item, "wait", 4) == 0) {
            const char *equals = skip_spaces(item + 4);
            if (*equals == '=') return wait_value(equals + 1);
        }
    }
    return -1;
}

bool header_idempotency_key(const char *header, char key[KEY_SIZE])
{
    size_t length = strlen(header);
    if (length >= 2 && header[0] == '"' && header[length - 1] == '"') {
        header++;
        length -= 2;
    }
    if (length < 1 || length >= KEY_SIZE) return false;
    for (size_t i = 0; i < length; i++)
        if (header[i] <= 0x20 || header[i] >= 0x7f) return false;
    memcpy(key, header, length);
    key[length] = '\0';
    return true;
}

bool header_bearer(const char *authorization, char token[BEARER_SIZE])
{
    static const char scheme[] = "Bearer ";
    if (strncasecmp(authorization, scheme, strlen(scheme)) != 0) return false;
    const char *word = skip_spaces(authorization + strlen(scheme));
    const size_t length = strcspn(word, " \t");
    if (length == 0) return false;
    const bool single = length < BEARER_SIZE && *skip_spaces(word + length) == '\0';
    snprintf(token, BEARER_SIZE, "%.*s", single ? (int)length : 0, word);
    return true;
}

bool header_matches_etag(const char *header, const char *etag)
{
    const size_t length = strlen(etag);
    for (const char *item = header; *item != '\0';) {
        item = skip_spaces(item);
        if (*item == '*') return true;
        if (strncmp(item, "W/", 2) == 0) item += 2;
        const size_t item_length = strcspn(item, ", \t");
        if (item_length == length && memcmp(item, etag, length) == 0) return true;
        item += strcspn(item, ",");
        if (*item == ',') item++;
    }
    return false;
}

static bool names(const char *host, size_t length, const char *name)
{
    return name != NULL && length > 0 && strlen(name) == length &&
           strncasecmp(host, name, length) == 0;
}

bool header_host_is_local(const char *host, const char *name)
{
    /* Without its port; the colons of an IPv6 address stand in brackets. */
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    const size_t length = bracket != NULL ? (size_t)(bracket + 1 - host) : strcspn(host, ":");
    const char *port = host + length;
    if (*port == ':') port += 1 + strspn(port + 1, "0123456789");
    if (*port != '\0') return false;
    return names(host, length, "localhost") || names(host, length, "127.0.0.1") ||
           names(host, length, "[::1]") || names(host, length, name);
}

bool header_is_json(const char *content_type)
{
    static const char json[] = "application/json";
    if (strncasecmp(content_type, json, sizeof json - 1) != 0) return false;
    const char *after = skip_spaces(content_type + sizeof json - 1);
    return *after == '\0' || *after == ';';
}

bool header_request_id_is_valid(const char *id)
{
    const size_t length = strlen(id);
    return length >= 1 && length <= 64 &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               length;
}

void cursor_format(uint64_t position, char text[CURSOR_SIZE])
{
    snprintf(text, CURSOR_SIZE, "p%016" PRIx64, position);
}

bool cursor_parse(const char *text, uint64_t *ret_position)
{
    if (strlen(text) != 17 || text[0] != 'p' || strspn(text + 1, "0123456789abcdef") != 16)
        return false;
    *ret_position = strtoull(text + 1, NULL, 16);
    return *ret_position > 0;
}
