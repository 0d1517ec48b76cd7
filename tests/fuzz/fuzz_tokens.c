/* The list of tokens, a single one, and the header that it comes in: each parser sees every
 * input. */
#include "server/header.h"
#include "server/token.h"
#include "server/token_list.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken is written as it was read. */
static void tokens_take_list(const char *text, size_t size)
{
    struct token_list list;
    char fault[TOKEN_FAULT_SIZE] = "";
    if (!token_list_parse(text, size, &list, fault)) {
        MUST(strncmp(fault, "line ", 5) == 0);
        return;
    }
    struct buf again = {.limit = TOKEN_LIST_BYTES};
    MUST(token_list_format(&list, &again));
    MUST(again.size == size && memcmp(again.data, text, size) == 0);
    for (size_t i = 0; i < list.count; i++) {
        MUST(token_list_find(&list, list.entry[i].name) == &list.entry[i]);
        MUST(list.entry[i].role <= ROLE_READER && list.entry[i].created_ms > 0);
    }
    buf_done(&again);
    token_list_done(&list);
}

static void tokens_take_header(const char *text)
{
    char token[BEARER_SIZE] = "untouched";
    if (!header_bearer(text, token)) {
        MUST(strcmp(token, "untouched") == 0);
        return;
    }
    MUST(strlen(token) < BEARER_SIZE && strpbrk(token, " \t") == NULL);
    MUST(strstr(text, token) != NULL);
    if (token_is_sound(token)) MUST(strlen(token) == TOKEN_LENGTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    MUST(text != NULL);
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    tokens_take_list(text, size);
    tokens_take_header(text);
    if (token_is_sound(text)) MUST(strncmp(text, TOKEN_PREFIX, TOKEN_PREFIX_LENGTH) == 0);
    free(text);
    return 0;
}
