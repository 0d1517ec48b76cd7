/* The body of a POST of a probe: asked for values until it has its result, or refused. And that of
 * its values: read, or refused. */
#include "server/codec_probe.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ELEMENTS = 2000 };

/* Some function of what is asked: waves, jumps, and holes where it has no value. */
static double probe_value(gck_session *session, size_t point, double *room, uint8_t kind)
{
    double sum = 0;
    for (size_t i = 0; i < gck_session_moves(session, point); i++) {
        const gck_move move = gck_session_move(session, point, i, room);
        for (size_t e = 0; e < move.count; e++)
            sum += (double)(1 + (move.first + e) % 7) * room[e];
    }
    if (kind % 4 == 1) return fabs(sum);
    if (kind % 4 == 2) return sum > 1e-3 ? NAN : sum * sum;
    return kind % 4 == 3 ? floor(sum * 1e3) : sin(sum);
}

static void probe_rounds(struct probe_work *work, double *room, uint8_t kind)
{
    double value[GCK_SESSION_ROUND];
    gck_error error;
    size_t asked;
    const size_t budget =
        work->probe->core.budget > 0 ? work->probe->core.budget : GCK_SESSION_BUDGET;
    while ((asked = gck_session_asked(work->session)) > 0) {
        MUST(asked <= GCK_SESSION_ROUND);
        for (size_t i = 0; i < asked; i++)
            value[i] = probe_value(work->session, i, room, kind);
        fuzz_drop(codec_probe_ask(work->session, work->probe, "id"));
        const gck_status status = probe_work_take(work, value, asked, &error);
        MUST(status == GCK_OK || status == GCK_NON_FINITE);
        MUST(gck_session_evaluations(work->session) <= budget);
        if (status != GCK_OK) return;
    }
    gck_session_result *result;
    MUST(gck_session_result_new(work->session, &result, &error) == GCK_OK);
    fuzz_drop(codec_probe_result(result, work->probe->core.dtype));
    fuzz_drop(codec_probe_summary(result));
    gck_session_result_free(result);
}

static void probe_use(const struct probe *probe, uint8_t kind)
{
    static double room[ELEMENTS];
    struct probe_work *work;
    size_t elements = 0, count = 0;
    gck_error error;
    for (size_t i = 0; i < probe->core.tensor_count; i++)
        elements += gck_shape_count(&probe->tensor[i].shape, &count) ? count : ELEMENTS;
    if (elements >= ELEMENTS || probe->core.budget > GCK_SESSION_BUDGET) return;
    const gck_status status = probe_work_new(probe, &work, &error);
    MUST(status == GCK_OK || status == GCK_INVALID);
    if (status != GCK_OK) return;
    probe_rounds(work, room, kind);
    probe_work_free(work);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct limits limits = fuzz_limits();
    struct problem problem = {0};
    struct probe_values values;
    struct blob *body = fuzz_body(data, size);
    struct spec *spec = codec_spec_decode(JOB_PROBE, body, &limits, &problem);
    if (spec == NULL)
        fuzz_problem(&problem);
    else
        probe_use(spec->probe, size > 0 ? data[size / 2] : 0);
    spec_free(spec);
    problem = (struct problem){0};
    if (codec_probe_values(body, &limits, &values, &problem))
        free(values.value);
    else
        fuzz_problem(&problem);
    blob_unref(body);
    return 0;
}
