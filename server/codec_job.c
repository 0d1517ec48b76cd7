#include "server/codec_job.h"
#include "server/clock.h"
#include "server/codec_json.h"

static struct value *time_value(struct writer *w, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];
    return wall_ms == 0 ? write_null() : write_text(w, clock_format(wall_ms, text));
}

static struct value *labels_value(struct writer *w, const struct labels *labels)
{
    struct value *object = write_object(w);
    for (size_t i = 0; i < labels->count; i++)
        write_member(w, object, labels->label[i].name, write_text(w, labels->label[i].value));
    return object;
}

static void put_progress(struct writer *w, struct value *object, const struct job_record *record)
{
    struct value *progress = write_object(w), *usage = write_object(w);
    write_member(w, progress, "done", write_count(w, record->done));
    write_member(w, progress, "total", write_count(w, record->total));
    write_member(w, object, "progress", progress);
    write_member(w, usage, "seconds", write_number(w, record->seconds));
    write_member(w, object, "usage", usage);
}

static struct blob *encode(const struct job_record *record, const char *result_name,
                           const struct blob *result)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "id", write_text(&w, record->id));
    write_member(&w, object, "kind", write_text(&w, job_kind_name(record->kind)));
    write_member(&w, object, "state", write_text(&w, job_state_name(record->state)));
    write_member(&w, object, "owner", write_text(&w, record->owner));
    write_member(&w, object, "shared", write_boolean(&w, record->shared));
    write_member(&w, object, "labels", labels_value(&w, &record->labels));
    write_member(&w, object, "priority", write_text(&w, job_priority_name(record->priority)));
    write_member(&w, object, "cancel_requested", write_boolean(&w, record->cancel_requested));
    write_member(&w, object, "created_at", time_value(&w, record->created_ms));
    write_member(&w, object, "started_at", time_value(&w, record->started_ms));
    write_member(&w, object, "finished_at", time_value(&w, record->finished_ms));
    put_progress(&w, object, record);
    const struct member_text members[] = {{result_name, result}, {"error", record->error}};
    return write_spliced(&w, object, members, 2);
}

struct blob *codec_job(const struct job_record *record)
{
    return encode(record, "result", record->result);
}

static bool append_job(struct buf *buf, const struct job_record *record, bool first)
{
    struct blob *text = encode(record, "summary", record->summary);
    const bool appended = text != NULL && (first || buf_append_text(buf, ",")) &&
                          buf_append(buf, text->data, text->size);
    blob_unref(text);
    return appended;
}

struct blob *codec_job_list(const struct job_page *page, const char *next)
{
    struct buf buf = {.limit = SIZE_MAX};
    bool appended = buf_append_text(&buf, "[");
    for (size_t i = 0; appended && i < page->count; i++)
        appended = append_job(&buf, &page->record[i], i == 0);
    appended = appended && buf_append_text(&buf, "]");
    struct blob *jobs = NULL, *list = NULL, *cursor = NULL;
    struct writer w = {0};
    if (appended) jobs = blob_from_buf(&buf);
    if (next != NULL) cursor = write_blob(&w, write_text(&w, next));
    if (jobs != NULL && (next == NULL || cursor != NULL)) {
        const struct member_text members[] = {{"jobs", jobs}, {"next", cursor}};
        list = write_spliced(&w, write_object(&w), members, 2);
    }
    buf_done(&buf);
    blob_unref(jobs);
    blob_unref(cursor);
    return list;
}
