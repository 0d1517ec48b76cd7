/* Results of checks as JSON: what a right gradient looks like, and a wrong one, which the service's
 * own never is. */
#include "core/check.h"
#include "server/codec_report.h"
#include "tests/core/suite.h"
#include "tests/server/bodies.h"
#include "tests/server/work.h"

#include <math.h>
#include <string.h>

/* A finished check of 1 input and 4 units of relu, 8 parameters. */
static struct job *finished(const char *more)
{
    struct job *job = check_job(more);
    ck_assert_int_eq(work_off(job), 1);
    return job;
}

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no %s in %s", part, text);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        found++;
    return found;
}

START_TEST(a_right_gradient_has_every_number)
{
    struct job *job = finished("");
    const char *text = result_of(job);
    ck_assert_uint_eq(count(text, "null"), 0);
    ck_assert_uint_eq(count(text, "\"fail\""), 0);
    assert_has(text, "{\"verdict\":\"pass\",\"distance\":");
    assert_has(text, "\"kinks\":{\"parameters\":0,\"crossings\":0}");
    assert_has(text, "\"wrong_elements\":0");
    assert_has(text, "\"epsilon\":0.0001,\"method\":\"central\"");
    job_unref(job);
}
END_TEST

/* null is for what a method does not have. */
START_TEST(methods_have_their_nulls)
{
    static const struct {
        const char *check;
        size_t nulls; /* epsilon; and of two tensors, both largest errors */
    } cases[] = {{", 'check': {'method': 'forward'}", 0},
                 {", 'check': {'method': 'complex_step'}", 1},
                 {", 'check': {'method': 'ridders'}", 1},
                 {", 'check': {'method': 'directional'}", 1 + 4}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct spec *spec = spec_of(JOB_CHECK, body_of(CHECK_BODY("%s"), cases[i].check));
        gck_check *check;
        gck_report *report;
        gck_error error;
        ck_assert_int_eq(gck_check_new(&spec->check, &check, &error), GCK_OK);
        for (size_t g = 0; g < gck_check_cut_of(check)->grain_count; g++) {
            gck_partial partial;
            ck_assert_int_eq(gck_check_grain(check, g, NULL, (gck_stop){0}, &partial, &error),
                             GCK_OK);
            ck_assert_int_eq(gck_check_fold(check, g, &partial, &error), GCK_OK);
            gck_partial_done(&partial);
        }
        ck_assert_int_eq(gck_check_report(check, &report, &error), GCK_OK);
        const char *text = text_of(codec_check_result(spec, report, NULL));
        ck_assert_msg(count(text, "null") == cases[i].nulls, "%s", text);
        ck_assert_uint_eq(count(text, "\"detection\":{\"error\":"),
                          strstr(cases[i].check, "directional") != NULL ? 3 : 0);
        gck_report_free(report);
        gck_check_free(check);
        spec_free(spec);
    }
}
END_TEST

/* ---- wrong ones ---- */

START_TEST(a_wrong_element_is_named)
{
    struct job *job = finished(", 'check': {'worst': 2}");
    job->check->parameter.analytic[2] *= -1;
    const char *text = result_of(job);
    assert_has(text, "{\"verdict\":\"fail\",");
    assert_has(text, "\"name\":\"W\",\"shape\":[1,4],\"verdict\":\"fail\"");
    assert_has(text, "\"name\":\"b\",\"shape\":[4],\"verdict\":\"pass\"");
    ck_assert_uint_eq(count(text, "\"wrong_elements\":1,\"worst\":[{\"index\":[0,2],"), 1);
    /* the whole, its layer, W and the element */
    ck_assert_uint_eq(count(text, "\"verdict\":\"fail\""), 4);
    ck_assert_uint_eq(count(text, "\"index\":[0,"), 2);
    job_unref(job);
}
END_TEST

START_TEST(not_a_number_is_null)
{
    struct job *job = finished(", 'check': {'include': ['gradients']}");
    job->check->parameter.analytic[6] = NAN;
    const char *text = result_of(job);
    assert_has(text, "{\"verdict\":\"fail\",\"distance\":null,\"refined_distance\":null,");
    assert_has(text, "\"worst\":[{\"index\":[2],\"analytic\":null,\"numeric\":");
    assert_has(text, "\"absolute_error\":null,\"relative_error\":null,\"verdict\":\"fail\"}");
    assert_has(text, "\"wrong_elements\":1");
    job_unref(job);
}
END_TEST

START_TEST(a_summary_has_the_verdict)
{
    struct job *job = finished("");
    gck_report *report;
    gck_error error;
    job->check->parameter.analytic[0] += 1;
    ck_assert_int_eq(gck_check_report(job->check, &report, &error), GCK_OK);
    const char *text = text_of(codec_check_summary(report));
    ck_assert(strncmp(text, "{\"verdict\":\"fail\",\"distance\":0.", 31) == 0);
    assert_has(text, "\"refined_distance\":0.");
    assert_has(text, "\"parameters_checked\":8}");
    gck_report_free(report);
    job_unref(job);
}
END_TEST

SUITE_MAIN("codec_report", {a_right_gradient_has_every_number, 0}, {methods_have_their_nulls, 0},
           {a_wrong_element_is_named, 0}, {not_a_number_is_null, 0}, {a_summary_has_the_verdict, 0})
