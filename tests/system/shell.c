#include "shell.h"
#include "client.h"

#include <check.h>
#include <stdio.h>
#include <sys/wait.h>

int shell_run(const char *command, char *output, size_t size)
{
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    const size_t used = fread(output, 1, size - 1, pipe);
    output[used] = '\0';
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *python_with(const char *module)
{
    static const char *const pythons[] = {"python3", "/usr/bin/python3"};
    char output[16];
    for (size_t i = 0; i < sizeof pythons / sizeof *pythons; i++)
        if (shell_run(format("%s -c 'import %s' 2>&1", pythons[i], module), output,
                      sizeof output) == 0)
            return pythons[i];
    fprintf(stderr, "no Python with %s: not tried\n", module);
    return NULL;
}
