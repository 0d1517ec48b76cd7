/* Probes as JSON: what is asked for, the points that are asked, the values that come back, and the
 * result. */
#ifndef GRADCHECKD_CODEC_PROBE_H
#define GRADCHECKD_CODEC_PROBE_H

#include "server/codec_json.h"
#include "server/probe.h"
#include "server/record.h"

struct place;

/* Members of a body beside labels and priority: names of them, for read_object. */
extern const char *const probe_members[];
extern const size_t probe_member_count;

/* {"theta", "claimed", "cost"?, "dtype"?, "budget"?, "tolerance"?, "seed"?} */
bool read_probe(const struct value *root, const struct place *place, struct probe **ret_probe);

/* The body of a POST of values; the values are freed by free(). */
struct probe_values {
    size_t round, count;
    double *value;
};
bool codec_probe_values(const struct blob *body, const struct limits *limits,
                        struct probe_values *ret_values, struct problem *problem);

/* {"id", "round", "evaluations", "ask": [{"w": {"at": [[0, 3]], "to": [0.25]}, "b": {"to": […]}},
 * …]}: what differs from theta, in "to" alone a whole tensor. NULL when memory is out. */
struct blob *codec_probe_ask(gck_session *session, const struct probe *probe, const char *id);
/* {"id", "round", "result"} */
struct blob *codec_probe_end(const char *id, size_t round, const struct blob *result);

struct blob *codec_probe_result(const gck_session_result *result, gck_dtype dtype);
struct blob *codec_probe_summary(const gck_session_result *result);

#endif
