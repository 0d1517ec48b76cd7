/* What is wrong with a claim, as JSON: the same form for checks and comparisons. */
#ifndef GRADCHECKD_CODEC_FINDING_H
#define GRADCHECKD_CODEC_FINDING_H

#include "server/codec_json.h"
#include "server/spec.h"

#include <gradcheck/finding.h>

/* [{"code", "layer", "tensor"?, "message", "evidence"}, …] */
struct value *write_findings(struct writer *writer, const gck_findings *findings);
/* The same of a check, whose indexes are told in its convention. */
struct value *write_check_findings(struct writer *writer, const struct spec *spec,
                                   const gck_findings *findings);
/* [{"code", "layer", "tensor"?, "name", "caught"}, …] */
struct value *write_sensitivity(struct writer *writer, size_t count,
                                const gck_sensitivity_row *row);

#endif
