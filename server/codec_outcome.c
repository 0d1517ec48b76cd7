#include "server/codec_outcome.h"
#include "server/codec_report.h"

/* What is wrong with a claim that fails, and which mistakes the check would catch. */
static gck_status find(const struct spec *spec, gck_report *report, gck_stop stop,
                       struct check_findings *ret_findings, gck_error *error)
{
    const gck_check_spec *check = &spec->check;
    gck_status status = GCK_OK;
    if (check->claim != NULL && report->verdict == GCK_FAIL)
        status = gck_findings_new(check, report, stop, &ret_findings->findings, error);
    if (status != GCK_OK || !spec->sensitivity) return status;
    status = gck_sensitivity(check, report, stop, &ret_findings->sensitivity_count,
                             &ret_findings->sensitivity, error);
    if (status != GCK_OK) return status;
    return gck_sensitivity_warn(check, ret_findings->sensitivity_count, ret_findings->sensitivity,
                                report, error);
}

gck_status codec_check_outcome(const struct spec *spec, const gck_check *check, gck_stop stop,
                               struct outcome *ret, struct problem *problem)
{
    gck_report *report = NULL;
    struct check_findings findings = {0};
    gck_error error;
    *ret = (struct outcome){0};
    gck_status status = gck_check_report(check, &report, &error);
    if (status == GCK_OK) status = find(spec, report, stop, &findings, &error);
    if (status == GCK_OK) {
        ret->result = codec_check_result(spec, report, &findings);
        ret->summary = codec_check_summary(report);
    } else if (status != GCK_STOPPED) {
        problem_from_error(problem, "", &error);
    }
    check_findings_done(&findings);
    gck_report_free(report);
    return status;
}

struct outcome codec_training_outcome(const gck_train *train)
{
    const gck_train_result result = gck_train_result_of(train);
    return (struct outcome){codec_training_result(&result), codec_training_summary(&result)};
}
