#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void commands_clean(void)
{
    static const char *const names[] = {"GRADCHECK_SERVER", "GRADCHECK_TOKEN",
                                        "GRADCHECK_TOKEN_FILE", "GRADCHECK_CA_FILE", "NO_COLOR"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

const char *text_file(const struct service *service, const char *name, const char *text)
{
    const char *path = format("%s/%s", service->folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_msg(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
    return path;
}

const char *json_file(const struct service *service, const char *name, json_t *value)
{
    const char *text = keep(json_dumps(value, 0));
    json_decref(value);
    return text_file(service, name, text);
}

void command_expect(const char *options, int status, struct output *ret)
{
    command_run(options, ret);
    ck_assert_msg(ret->status == status, "gradcheck %s: exit status %d, not %d\n%s%s", options,
                  ret->status, status, ret->out, ret->err);
}

const char *server_of(const struct service *service)
{
    return format("--server http://127.0.0.1:%d", service->port);
}

void text_expect(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no '%s' in:\n%s", part, text);
}

void text_refuse(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "'%s' in:\n%s", part, text);
}
