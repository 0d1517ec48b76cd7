#include "server/record.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {[JOB_QUEUED] = "queued",
                                          [JOB_RUNNING] = "running",
                                          [JOB_SUCCEEDED] = "succeeded",
                                          [JOB_FAILED] = "failed",
                                          [JOB_CANCELLED] = "cancelled"};
static const char *const kind_names[] = {
    [JOB_CHECK] = "gradient-check", [JOB_TRAINING] = "training", [JOB_PROBE] = "probe"};
static const char *const priority_names[] = {
    [PRIORITY_LOW] = "low", [PRIORITY_NORMAL] = "normal", [PRIORITY_HIGH] = "high"};

bool job_state_is_final(enum job_state state)
{
    return state != JOB_QUEUED && state != JOB_RUNNING;
}

const char *job_state_name(enum job_state state)
{
    return state_names[state];
}

const char *job_kind_name(enum job_kind kind)
{
    return kind_names[kind];
}

const char *job_priority_name(enum job_priority priority)
{
    return priority_names[priority];
}

static int find(const char *const *names, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) return (int)i;
    return -1;
}

int job_state_find(const char *name, size_t length)
{
    return find(state_names, sizeof state_names / sizeof state_names[0], name, length);
}

int job_kind_find(const char *name, size_t length)
{
    return find(kind_names, sizeof kind_names / sizeof kind_names[0], name, length);
}

int job_priority_find(const char *name, size_t length)
{
    return find(priority_names, sizeof priority_names / sizeof priority_names[0], name, length);
}

bool labels_copy(const struct labels *labels, struct labels *ret)
{
    *ret = (struct labels){0};
    if (labels->count == 0) return true;
    ret->label = calloc(labels->count, sizeof *ret->label);
    if (ret->label == NULL) return false;
    ret->count = labels->count;
    memcpy(ret->label, labels->label, labels->count * sizeof *ret->label);
    return true;
}

bool job_record_copy(const struct job_record *record, struct job_record *ret)
{
    struct labels labels;
    if (!labels_copy(&record->labels, &labels)) {
        *ret = (struct job_record){0};
        return false;
    }
    *ret = *record;
    ret->labels = labels;
    blob_ref(ret->request);
    blob_ref(ret->result);
    blob_ref(ret->summary);
    blob_ref(ret->error);
    blob_ref(ret->parameters);
    return true;
}

void job_record_done(struct job_record *record)
{
    free(record->labels.label);
    blob_unref(record->request);
    blob_unref(record->result);
    blob_unref(record->summary);
    blob_unref(record->error);
    blob_unref(record->parameters);
    *record = (struct job_record){0};
}

size_t job_record_bytes(const struct job_record *record)
{
    return sizeof *record + record->labels.count * sizeof *record->labels.label +
           blob_size(record->request) + blob_size(record->result) + blob_size(record->summary) +
           blob_size(record->error) + blob_size(record->parameters);
}

const double *job_record_parameters(const struct job_record *record)
{
    /* The blob was made of doubles, and malloc aligns for any type. */
    return record->parameters == NULL ? NULL
                                      : (const double *)(const void *)record->parameters->data;
}

void job_page_done(struct job_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        job_record_done(&page->record[i]);
    free(page->record);
    *page = (struct job_page){0};
}

bool name_is_valid(const char *name)
{
    const size_t length = strlen(name);
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char later[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return length > 0 && length < NAME_SIZE && strchr(first, name[0]) != NULL &&
           strspn(name, later) == length;
}
