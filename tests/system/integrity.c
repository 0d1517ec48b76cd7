#include "integrity.h"
#include "client.h"

#include <sqlite3.h>
#include <unistd.h>

void store_is_sound(const struct service *service)
{
    sqlite3 *file;
    sqlite3_stmt *check;
    const char *path = format("%s/data/jobs.db", service->folder);
    if (access(path, F_OK) != 0) return;
    ck_assert_int_eq(sqlite3_open(path, &file), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(file, "PRAGMA integrity_check", -1, &check, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(check), SQLITE_ROW);
    ck_assert_str_eq((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    sqlite3_close(file);
}
