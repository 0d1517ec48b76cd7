#include "server/codec_npz.h"

#include <zip.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAYS_MAX = 4096, NAME_MAX_SIZE = 256 };

static bool fail(char fault[NPY_FAULT_SIZE], const char *text)
{
    snprintf(fault, NPY_FAULT_SIZE, "%s", text);
    return false;
}

void npz_done(struct npz *npz)
{
    for (size_t i = 0; i < npz->count; i++) {
        free(npz->item[i].name);
        gck_vector_free(npz->item[i].array.values);
    }
    free(npz->item);
    *npz = (struct npz){0};
}

/* ---- one entry ---- */

/* The unpacked bytes, at most *left of them; NULL after filling `fault`. */
static char *entry_read(zip_t *archive, zip_uint64_t index, size_t left, size_t *ret_size,
                        char fault[NPY_FAULT_SIZE])
{
    zip_stat_t status;
    if (zip_stat_index(archive, index, 0, &status) != 0 || (status.valid & ZIP_STAT_SIZE) == 0) {
        fail(fault, "has an entry without a size");
        return NULL;
    }
    if (status.size > left) {
        fail(fault, "unpacks to more than is allowed");
        return NULL;
    }
    char *bytes = malloc((size_t)status.size + 1);
    zip_file_t *file = bytes == NULL ? NULL : zip_fopen_index(archive, index, 0);
    const zip_int64_t size = file == NULL ? -1 : zip_fread(file, bytes, status.size);
    if (file != NULL) zip_fclose(file);
    if (size == (zip_int64_t)status.size) {
        *ret_size = (size_t)size;
        return bytes;
    }
    fail(fault, bytes == NULL ? "memory is out" : "has an entry that cannot be unpacked");
    free(bytes);
    return NULL;
}

/* "w.npy" -> "w"; false for what is no array. */
static bool name_take(const char *entry, char name[NAME_MAX_SIZE])
{
    const size_t length = entry == NULL ? 0 : strlen(entry);
    if (length < 5 || length >= NAME_MAX_SIZE || strcmp(entry + length - 4, ".npy") != 0)
        return false;
    snprintf(name, NAME_MAX_SIZE, "%.*s", (int)length - 4, entry);
    return true;
}

static bool array_add(struct npz *npz, const char *name, const char *bytes, size_t size,
                      size_t most, char fault[NPY_FAULT_SIZE])
{
    struct npz_array *item = &npz->item[npz->count];
    char own[NPY_FAULT_SIZE];
    for (size_t i = 0; i < npz->count; i++)
        if (strcmp(npz->item[i].name, name) == 0) return fail(fault, "has two arrays of one name");
    if (!npy_decode(bytes, size, most, &item->array, own)) {
        snprintf(fault, NPY_FAULT_SIZE, "its array %.60s %.80s", name, own);
        return false;
    }
    item->name = strdup(name);
    if (item->name == NULL) {
        gck_vector_free(item->array.values);
        return fail(fault, "memory is out");
    }
    npz->count++;
    return true;
}

/* ---- the archive ---- */

static bool entries_read(zip_t *archive, size_t most, struct npz *npz, char fault[NPY_FAULT_SIZE])
{
    const zip_int64_t entries = zip_get_num_entries(archive, 0);
    size_t left = most;
    if (entries > ARRAYS_MAX) return fail(fault, "has more than 4096 entries");
    npz->item = calloc((size_t)(entries > 0 ? entries : 1), sizeof *npz->item);
    if (npz->item == NULL) return fail(fault, "memory is out");
    for (zip_int64_t i = 0; i < entries; i++) {
        char name[NAME_MAX_SIZE];
        size_t size;
        if (!name_take(zip_get_name(archive, (zip_uint64_t)i, 0), name))
            return fail(fault, "has an entry that is no NAME.npy");
        char *bytes = entry_read(archive, (zip_uint64_t)i, left, &size, fault);
        if (bytes == NULL) return false;
        const bool added = array_add(npz, name, bytes, size, left, fault);
        free(bytes);
        if (!added) return false;
        left -= npz->item[npz->count - 1].array.count * sizeof(double);
    }
    return npz->count > 0 || fail(fault, "has no arrays");
}

bool npz_decode(const char *bytes, size_t size, size_t most, struct npz *ret,
                char fault[NPY_FAULT_SIZE])
{
    struct npz npz = {0};
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &error);
    zip_t *archive =
        source == NULL ? NULL : zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (archive == NULL) {
        zip_source_free(source);
        zip_error_fini(&error);
        return fail(fault, "is no .npz");
    }
    const bool read = entries_read(archive, most, &npz, fault);
    zip_discard(archive);
    zip_error_fini(&error);
    if (read)
        *ret = npz;
    else
        npz_done(&npz);
    return read;
}
