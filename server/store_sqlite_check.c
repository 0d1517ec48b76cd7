#include "server/store_sqlite_check.h"
#include "server/store_sqlite_folder.h"
#include "server/store_sqlite_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the numbers of SQLite's header stand, each big-endian, as its file format says. */
enum {
    AT_PAGE_SIZE = 16, /* of two bytes; 1: 65536 */
    AT_CHANGES = 24,
    AT_PAGES = 28, /* holds when AT_PAGES_AS_OF is AT_CHANGES */
    AT_VERSION = 60,
    AT_APPLICATION = 68,
    AT_PAGES_AS_OF = 92,
    HEADER_SIZE = 100
};

static bool complain(const char *path, const char *fault)
{
    fprintf(stderr, "gradcheckd: %s: %s\n", path, fault);
    return false;
}

/* ---- the header ---- */

static uint32_t number_at(const unsigned char *header, size_t at)
{
    return (uint32_t)header[at] << 24 | (uint32_t)header[at + 1] << 16 |
           (uint32_t)header[at + 2] << 8 | header[at + 3];
}

/* Of the file's size; all of it 0 where there is none. */
static bool read_header(const char *file, unsigned char header[HEADER_SIZE], uint64_t *ret_size)
{
    struct stat status;
    memset(header, 0, HEADER_SIZE);
    const int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return complain(file, strerror(errno));
    const bool read =
        fstat(descriptor, &status) == 0 && pread(descriptor, header, HEADER_SIZE, 0) >= 0;
    if (read) *ret_size = (uint64_t)status.st_size;
    if (!read) complain(file, strerror(errno));
    close(descriptor);
    return read;
}

/* Four bytes within one sector: they are there or not. */
static bool write_application(const char *file, uint32_t id)
{
    const unsigned char bytes[4] = {(unsigned char)(id >> 24), (unsigned char)(id >> 16),
                                    (unsigned char)(id >> 8), (unsigned char)id};
    const int descriptor = open(file, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool written = pwrite(descriptor, bytes, sizeof bytes, AT_APPLICATION) == sizeof bytes &&
                         fsync(descriptor) == 0;
    const int fault = errno;
    close(descriptor);
    errno = fault;
    return written;
}

bool check_mark_copy(const char *file)
{
    return write_application(file, SCHEMA_COPY_ID);
}

/* ---- the file ---- */

static bool has_bytes(const char *file, const char *ending)
{
    struct stat status;
    char path[FOLDER_PATH_SIZE];
    const int length = snprintf(path, sizeof path, "%s%s", file, ending);
    return length < FOLDER_PATH_SIZE && stat(path, &status) == 0 && status.st_size > 0;
}

static bool refuse_leftovers(const char *file, const char *what)
{
    fprintf(stderr,
            "gradcheckd: %s: %s beside the log of another database; "
            "remove %s-wal and %s-journal to start with it as it is\n",
            file, what, file, file);
    return false;
}

static bool check_copy(const char *file, const unsigned char *header)
{
    if (has_bytes(file, "-wal") || has_bytes(file, "-journal"))
        return refuse_leftovers(file, "is a backup's copy");
    if (number_at(header, AT_VERSION) > schema_version())
        return true; /* will be refused as it is */
    return write_application(file, SCHEMA_ID) || complain(file, strerror(errno));
}

/* With a log the file may lack what stands there. */
static bool is_cut_short(const char *file, const unsigned char *header, uint64_t size)
{
    const uint64_t stored = number_at(header, AT_PAGE_SIZE) >> 16;
    const uint64_t page_size = stored == 1 ? 65536 : stored;
    return number_at(header, AT_PAGES_AS_OF) == number_at(header, AT_CHANGES) &&
           size < number_at(header, AT_PAGES) * page_size && !has_bytes(file, "-wal") &&
           !has_bytes(file, "-journal");
}

bool check_file(const char *file)
{
    unsigned char header[HEADER_SIZE];
    uint64_t size = 0;
    if (!read_header(file, header, &size)) return false;
    if (size == 0) return !has_bytes(file, "-wal") || refuse_leftovers(file, "is empty");
    if (memcmp(header, "SQLite format 3", 16) != 0) return true; /* SQLite says what is amiss */
    if (is_cut_short(file, header, size))
        return complain(file, "is damaged: its end is missing; put a backup in its place");
    return number_at(header, AT_APPLICATION) != SCHEMA_COPY_ID || check_copy(file, header);
}

/* ---- what is in it ---- */

/* Each goes down one edge of a tree. */
static const char *const edges[] = {
    "SELECT min(id) FROM job",
    "SELECT max(id) FROM job",
    "SELECT min(owner) FROM job INDEXED BY job_owner",
    "SELECT max(owner) FROM job INDEXED BY job_owner",
    "SELECT min(state) FROM job INDEXED BY job_state",
    "SELECT max(state) FROM job INDEXED BY job_state",
    "SELECT bytes FROM job INDEXED BY job_finished WHERE state > 1 ORDER BY finished_ms LIMIT 1",
    "SELECT bytes FROM job INDEXED BY job_finished WHERE state > 1"
    " ORDER BY finished_ms DESC LIMIT 1",
    "SELECT owner FROM job INDEXED BY job_key WHERE idempotency_key IS NOT NULL"
    " ORDER BY owner, idempotency_key LIMIT 1",
    "SELECT owner FROM job INDEXED BY job_key WHERE idempotency_key IS NOT NULL"
    " ORDER BY owner DESC, idempotency_key DESC LIMIT 1",
    "SELECT min(position) FROM request",
    "SELECT max(position) FROM request",
    "SELECT min(owner) FROM label",
    "SELECT max(owner) FROM label",
    "SELECT min(name) FROM label INDEXED BY label_all",
    "SELECT max(name) FROM label INDEXED BY label_all",
    "SELECT min(position) FROM grain",
    "SELECT max(position) FROM grain",
    "SELECT min(position) FROM partial",
    "SELECT max(position) FROM partial",
};

static bool agree(struct db *db, const struct totals *totals)
{
    const int64_t first = db_number(db, "SELECT min(position) FROM job");
    const int64_t last = db_number(db, "SELECT max(position) FROM job");
    const int64_t active =
        db_number(db, "SELECT count(*) FROM job INDEXED BY job_state WHERE state = 0");
    return first >= 0 && (uint64_t)last <= totals->last_position &&
           (uint64_t)active == totals->active &&
           (last > 0) == (totals->active + totals->finished > 0);
}

bool check_contents(struct db *db, const struct totals *totals)
{
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        db_number(db, edges[i]);
    const bool sound = agree(db, totals);
    if (sound || db_status(db) != STORE_OK) return db_status(db) == STORE_OK;
    return db_fail(db, STORE_BROKEN,
                   "is damaged: its totals are not those of its jobs; put a backup in its place");
}
