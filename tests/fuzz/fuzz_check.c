/* The body of a POST of a gradient check: decoded, and where it asks for little work, checked and
 * answered. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fold_all(gck_check *check)
{
    const gck_stop never = {0};
    gck_error error;
    gck_check_room *room;
    MUST(gck_check_room_new(check, &room, &error) == GCK_OK);
    for (size_t i = 0; i < gck_check_cut_of(check)->grain_count; i++) {
        gck_partial partial = {0};
        MUST(gck_check_grain(check, i, room, never, &partial, &error) == GCK_OK);
        MUST(gck_check_fold(check, i, &partial, &error) == GCK_OK);
        gck_partial_done(&partial);
    }
    gck_check_room_free(room);
    MUST(gck_check_done(check) == gck_check_total(check));
}

static void check_run(const struct spec *spec)
{
    gck_check *check;
    gck_report *report;
    gck_error error;
    MUST(gck_check_new(&spec->check, &check, &error) == GCK_OK);
    check_fold_all(check);
    const gck_status status = gck_check_report(check, &report, &error);
    MUST(status == GCK_OK || status == GCK_NON_FINITE);
    if (status == GCK_OK) {
        struct check_findings findings = {0};
        if (spec->claim != NULL && report->verdict == GCK_FAIL)
            MUST(gck_findings_new(&spec->check, report, (gck_stop){0}, &findings.findings,
                                  &error) == GCK_OK);
        if (spec->sensitivity)
            MUST(gck_sensitivity(&spec->check, report, (gck_stop){0}, &findings.sensitivity_count,
                                 &findings.sensitivity, &error) == GCK_OK);
        fuzz_drop(codec_check_result(spec, report, &findings));
        check_findings_done(&findings);
        fuzz_drop(codec_check_summary(report));
        gck_report_free(report);
    }
    gck_check_free(check);
}

static void check_use(const struct spec *spec)
{
    gck_check_cost cost;
    gck_check_estimate(&spec->check, spec->data->samples, &cost);
    if (!(cost.operations < FUZZ_OPERATIONS && spec->model->parameter_count < 10000)) return;
    fuzz_drop(
        codec_parameters(spec->model, &spec->convention, spec->parameters, spec->data->samples));
    check_run(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct limits limits = fuzz_limits();
    struct problem problem = {0};
    struct blob *body = fuzz_body(data, size);
    struct spec *spec = codec_spec_decode(JOB_CHECK, body, &limits, &problem);
    if (spec == NULL)
        fuzz_problem(&problem);
    else
        check_use(spec);
    spec_free(spec);
    blob_unref(body);
    return 0;
}
