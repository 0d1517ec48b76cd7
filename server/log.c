#include "server/log.h"

#include <stdarg.h>
#include <stdio.h>

static void write_line(const char *level, const char *event, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void write_line(const char *level, const char *event, const char *format, va_list arguments)
{
    char line[1024];
    int used = snprintf(line, sizeof line, "level=%s event=%s ", level, event);
    vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
    fprintf(stderr, "%s\n", line);
}

void log_info(const char *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("info", event, format, arguments);
    va_end(arguments);
}

void log_warning(const char *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("warning", event, format, arguments);
    va_end(arguments);
}

void log_error(const char *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("error", event, format, arguments);
    va_end(arguments);
}

const char *log_quote(const char *value, char text[LOG_QUOTED_SIZE])
{
    size_t used = 0;
    text[used++] = '"';
    for (; *value != '\0' && used < LOG_QUOTED_SIZE - 8; value++) {
        const unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            used += (size_t)snprintf(text + used, LOG_QUOTED_SIZE - used, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            used += (size_t)snprintf(text + used, LOG_QUOTED_SIZE - used, "\\x%02x", c);
        else
            text[used++] = (char)c;
    }
    text[used++] = '"';
    text[used] = '\0';
    return text;
}
