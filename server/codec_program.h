/* Lines that a program which evaluates its own function is sent, and answers
 * (docs/probe-protocol.md): JSON, one document a line. */
#ifndef GRADCHECKD_CODEC_PROGRAM_H
#define GRADCHECKD_CODEC_PROGRAM_H

#include "server/codec_json.h"
#include "server/probe.h"

/* {"op": "start", "case"?, "seed"}; `parameter` of the case NULL: none. NULL when memory is out. */
struct blob *program_start(const char *parameter, uint64_t number, uint64_t seed);
/* {"op": "eval", "points": [...]} */
struct blob *program_eval(gck_session *session, const struct probe *probe);

/* {"f", "theta", "gradients", "dtype"?, ...} */
bool program_started(const struct blob *line, const struct limits *limits, struct probe **ret_probe,
                     struct problem *problem);
/* {"values": [...]}, as many as were asked for; to be freed by free(). */
bool program_evaluated(const struct blob *line, const struct limits *limits, size_t asked,
                       double **ret_values, struct problem *problem);

/* The body of a POST of a probe: what a program has told, for a server. */
struct blob *codec_probe_body(const struct probe *probe);

#endif
