#include "server/codec_finding.h"
#include "server/codec_convention.h"

#include <string.h>

/* Its code and place. */
static struct value *mistake_value(struct writer *w, const gck_mistake *mistake)
{
    struct value *object = write_object(w);
    write_member(w, object, "code", write_text(w, gck_finding_code_name(mistake->code)));
    write_member(w, object, "layer",
                 mistake->layer == GCK_FINDING_NO_LAYER ? write_null()
                                                        : write_count(w, mistake->layer));
    if (mistake->tensor != NULL) write_member(w, object, "tensor", write_text(w, mistake->tensor));
    return object;
}

static struct value *also_value(struct writer *w, const gck_finding *finding)
{
    struct value *array = write_array(w);
    for (size_t i = 0; i < finding->also_count; i++) {
        struct value *object = mistake_value(w, &finding->also[i]);
        write_member(w, object, "name", write_text(w, finding->also[i].name));
        write_item(w, array, object);
    }
    return array;
}

/* ---- evidence ---- */

/* How the array stands outside that indexes among the evidence count in; the one inside without a
 * spec, or where it is no one array. */
static struct form form_of_finding(const struct spec *spec, const gck_mistake *mistake)
{
    const struct form own = {.turned = false};
    if (spec == NULL || mistake->tensor == NULL) return own;
    if (mistake->layer == GCK_FINDING_NO_LAYER)
        return form_of_batch(&spec->convention, spec->data->samples, &spec->model->input);
    const gck_layer *layer = &spec->model->layer[mistake->layer];
    for (size_t t = 0; t < layer->tensor_count; t++)
        if (strcmp(layer->tensor[t].name, mistake->tensor) == 0)
            return form_of_parameter(&spec->convention, &layer->tensor[t].shape);
    return own;
}

/* "index", "index_3": of an element of the finding's tensor. */
static bool is_index(const gck_evidence *evidence)
{
    return strncmp(evidence->name, "index", 5) == 0;
}

static struct value *evidence_value(struct writer *w, const struct spec *spec,
                                    const gck_finding *finding)
{
    const struct form form = form_of_finding(spec, &finding->mistake);
    struct value *object = write_object(w);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        const gck_evidence *evidence = &finding->evidence[i];
        const double number = is_index(evidence)
                                  ? (double)form_flat(&form, (size_t)evidence->number)
                                  : evidence->number;
        write_member(w, object, evidence->name, write_number(w, number));
    }
    if (finding->also_count > 0) write_member(w, object, "also", also_value(w, finding));
    return object;
}

struct value *write_check_findings(struct writer *writer, const struct spec *spec,
                                   const gck_findings *findings)
{
    struct value *array = write_array(writer);
    for (size_t i = 0; i < findings->count; i++) {
        const gck_finding *finding = &findings->finding[i];
        struct value *object = mistake_value(writer, &finding->mistake);
        write_member(writer, object, "message", write_text(writer, finding->message));
        write_member(writer, object, "evidence", evidence_value(writer, spec, finding));
        write_item(writer, array, object);
    }
    return array;
}

struct value *write_findings(struct writer *writer, const gck_findings *findings)
{
    return write_check_findings(writer, NULL, findings);
}

struct value *write_sensitivity(struct writer *writer, size_t count, const gck_sensitivity_row *row)
{
    struct value *array = write_array(writer);
    for (size_t i = 0; i < count; i++) {
        struct value *object = mistake_value(writer, &row[i].mistake);
        write_member(writer, object, "name", write_text(writer, row[i].mistake.name));
        write_member(writer, object, "caught", write_boolean(writer, row[i].caught));
        write_item(writer, array, object);
    }
    return array;
}
