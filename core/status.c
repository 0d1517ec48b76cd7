#include <gradcheck/status.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *gck_status_text(gck_status status)
{
    switch (status) {
#define X(name, number, text) \
    case GCK_##name:          \
        return text;
        GCK_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

gck_status gck_error_set(gck_error *error, gck_status code, const char *where, const char *format,
                         ...)
{
    if (error == NULL) return code;
    error->code = code;
    snprintf(error->where, sizeof error->where, "%s", where);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return code;
}

void gck_error_below(gck_error *error, const char *format, ...)
{
    if (error == NULL) return;
    char prefix[GCK_WHERE_SIZE], whole[2 * GCK_WHERE_SIZE + 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    const bool index_follows = error->where[0] == '[' || error->where[0] == '\0';
    snprintf(whole, sizeof whole, "%s%s%s", prefix, index_follows ? "" : ".", error->where);
    memcpy(error->where, whole, sizeof error->where);
    error->where[sizeof error->where - 1] = '\0';
}

gck_status gck_error_memory(gck_error *error)
{
    return gck_error_set(error, GCK_MEMORY, "", "%s", gck_status_text(GCK_MEMORY));
}
