/* Probes as JSON: what is asked for, the points that are asked, the values that come back, and the
 * result. */
#ifndef GRADCHECKD_CODEC_PROBE_H
#define GRADCHECKD_CODEC_PROBE_H

#include "server/codec_json.h"
#include "server/probe.h"
#include "server/record.h"

struct place;

/* What the members are called: a body claims, and a program has a function and its gradients. */
struct probe_names {
    const char *claimed, *cost;
};

/* {"theta", "claimed", "cost"?, "dtype"?, "budget"?, "tolerance"?, "seed"?}; whatever else stands
 * there is for the caller to refuse. */
bool read_probe(const struct value *root, const struct place *place,
                const struct probe_names *names, struct probe **ret_probe);
/* A list of values, to be freed by free(): numbers, and what JSON has no number for. */
bool read_probe_values(const struct value *value, const struct place *place, double **ret_values,
                       size_t *ret_count);

/* The body of a POST of values; the values are freed by free(). */
struct probe_values {
    size_t round, count;
    double *value;
};
bool codec_probe_values(const struct blob *body, const struct limits *limits,
                        struct probe_values *ret_values, struct problem *problem);

/* {"id", "round", "evaluations", "ask": [{"w": {"at": [[0, 3]], "to": [0.25]}, "b": {"to": […]}},
 * …]}: what differs from theta, in "to" alone a whole tensor. NULL when memory is out. */
struct value *write_points(struct writer *writer, gck_session *session, const struct probe *probe);
struct blob *codec_probe_ask(gck_session *session, const struct probe *probe, const char *id);
/* {"id", "round", "result"} */
struct blob *codec_probe_end(const char *id, size_t round, const struct blob *result);

struct blob *codec_probe_result(const gck_session_result *result, gck_dtype dtype);
struct blob *codec_probe_summary(const gck_session_result *result);

#endif
