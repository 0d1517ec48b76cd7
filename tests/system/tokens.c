#include "tokens.h"

#include <string.h>

/* Within which a running daemon notices a change (docs/protocol.md, Users). */
static const double NOTICE_SECONDS = 2;

void token_run(const struct service *service, const char *what, struct output *ret)
{
    program_run(format("token %s --data-dir %s/data", what, service->folder), ret);
}

const char *token_add(const struct service *service, const char *what)
{
    struct output output;
    token_run(service, format("add %s", what), &output);
    ck_assert_msg(output.status == 0, "token add %s: %s", what, output.err);
    ck_assert_str_eq(output.err, "");
    const size_t length = strcspn(output.out, "\n");
    ck_assert_msg(strcmp(output.out + length, "\n") == 0, "not one line: %s", output.out);
    ck_assert_msg(strncmp(output.out, "gck_", 4) == 0 && length == 53, "%s", output.out);
    return format("%.*s", (int)length, output.out);
}

void token_revoke(const struct service *service, const char *name)
{
    struct output output;
    token_run(service, format("revoke %s", name), &output);
    ck_assert_msg(output.status == 0, "token revoke %s: %s", name, output.err);
    ck_assert_str_eq(output.out, "");
}

const char *bearer(const char *token)
{
    return token == NULL ? "" : format("Authorization: Bearer %s\r\n", token);
}

struct answer *token_await(const struct service *service, const char *token, int status)
{
    const double deadline = seconds_now() + patience(NOTICE_SECONDS);
    struct answer *answer;
    while ((answer = get_with(service, "/v1/whoami", bearer(token)))->status != status)
        ck_assert_msg(seconds_now() < deadline, "still %d instead of %d: %s", answer->status,
                      status, answer->body);
    return answer;
}
