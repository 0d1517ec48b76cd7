#include "client/service.h"
#include "client/local.h"
#include "client/remote.h"
#include "client/say.h"

#include <string.h>

int service_run(const struct settings *settings, enum job_kind kind, struct blob *body,
                struct answer *ret)
{
    struct remote *remote;
    if (settings_are_local(settings)) return local_run(settings, kind, body, ret);
    int status = remote_open(settings, &remote);
    if (status != STATUS_PASS) return status;
    status = remote_run(remote, kind, body, ret);
    remote_close(remote);
    return status;
}

static int ask_local(const struct settings *settings, enum question question,
                     const struct blob *body, struct answer *ret)
{
    if (question == QUESTION_SUMMARY) return local_summary(settings, body, ret);
    if (question == QUESTION_COMPARISON) return local_comparison(settings, body, ret);
    return local_catalog(ret);
}

int service_ask(const struct settings *settings, enum question question, const struct blob *body,
                struct answer *ret)
{
    static const char *const paths[] = {[QUESTION_SUMMARY] = "/v1/models/summary",
                                        [QUESTION_CATALOG] = "/v1/catalog",
                                        [QUESTION_COMPARISON] = "/v1/comparisons"};
    struct remote *remote;
    if (settings_are_local(settings)) return ask_local(settings, question, body, ret);
    int status = remote_open(settings, &remote);
    if (status != STATUS_PASS) return status;
    status = remote_ask(remote, body == NULL ? "GET" : "POST", paths[question], body, ret);
    remote_close(remote);
    return status;
}

/* ---- conclusions ---- */

/* One bad check makes a training bad; so does a cost that is not finite any more. */
static int training_verdict(const struct settings *settings, const struct value *result)
{
    const struct value *checks = field_node(result, "checks");
    if (field_count(field_node(result, "final"), "diverged_at") > 0) return STATUS_FAIL;
    for (size_t i = 0; i < field_length(checks); i++)
        if (service_judge(settings, value_item(checks, i)) != STATUS_PASS) return STATUS_FAIL;
    return STATUS_PASS;
}

int service_judge(const struct settings *settings, const struct value *result)
{
    const char *verdict = field_text(result, "verdict");
    if (field_node(result, "history") != NULL) return training_verdict(settings, result);
    if (verdict[0] == '\0' || strcmp(verdict, "pass") == 0) return STATUS_PASS;
    return strcmp(verdict, "inconclusive") == 0 && settings->allow_inconclusive ? STATUS_PASS
                                                                                : STATUS_FAIL;
}

int service_conclude(const struct settings *settings, struct answer *answer, const char *source,
                     show_function *show, judge_function *judge)
{
    int status = STATUS_SERVER;
    struct document *document = NULL;
    if (answer->status >= 300) {
        status = answer_problem(settings, answer, source);
    } else if ((document = answer_decode(settings, answer->body)) != NULL) {
        if (settings->json)
            answer_print(answer->body);
        else
            show(document_root(document));
        status = judge == NULL ? STATUS_PASS : judge(settings, document_root(document));
    }
    document_free(document);
    answer_done(answer);
    return status;
}
