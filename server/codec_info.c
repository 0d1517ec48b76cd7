#include "server/codec_info.h"
#include "server/codec_json.h"

struct blob *codec_health(void)
{
    struct writer w = {0};
    struct value *object = write_object(&w);
    write_member(&w, object, "status", write_text(&w, "ok"));
    write_member(&w, object, "version", write_text(&w, GCK_VERSION));
    return write_blob(&w, object);
}

struct blob *codec_whoami(const struct user *user, const struct limits *limits, size_t queued,
                          size_t running)
{
    struct writer w = {0};
    struct value *object = write_object(&w), *quotas = write_object(&w), *use = write_object(&w);
    write_member(&w, object, "name", write_text(&w, user->name));
    write_member(&w, object, "role", write_text(&w, role_name(user->role)));
    write_member(&w, quotas, "active_jobs", write_count(&w, limits->active_jobs));
    write_member(&w, quotas, "body_bytes", write_count(&w, limits->body_bytes));
    write_member(&w, quotas, "job_bytes", write_count(&w, limits->job_bytes));
    write_member(&w, quotas, "job_seconds", write_count(&w, (uint64_t)limits->job_seconds));
    write_member(&w, object, "quotas", quotas);
    write_member(&w, use, "queued_jobs", write_count(&w, queued));
    write_member(&w, use, "running_jobs", write_count(&w, running));
    write_member(&w, object, "use", use);
    write_member(&w, object, "version", write_text(&w, GCK_VERSION));
    return write_blob(&w, object);
}
