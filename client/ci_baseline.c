/* Distances of an earlier run, {"file": {"case": distance}}: what has grown since is told before
 * it is wrong. */
#include "client/ci.h"
#include "client/file.h"
#include "client/say.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rounding alone moves a distance by so much; what is below is noise, whatever it was. */
#define GROWTH 10.0
#define NOISE 1e-12

static void compare(struct ci_case *item)
{
    item->regressed =
        item->outcome == CI_PASS && item->distance > GROWTH * fmax(item->before, NOISE);
    if (item->regressed && item->text[0] == '\0')
        snprintf(item->text, sizeof item->text,
                 "passes, but its distance has grown from %.3g to %.3g", item->before,
                 item->distance);
}

bool baseline_read(const struct settings *settings, const char *path, struct ci_suite *suite,
                   size_t count)
{
    struct problem problem = {0};
    struct blob *text = file_read(path);
    if (text == NULL) return false;
    struct document *document =
        document_decode(text->data, text->size, &settings->limits, &problem);
    if (document == NULL) say_note("%s: %s", path, problem.detail);
    for (size_t s = 0; document != NULL && s < count; s++) {
        const struct value *of = field_node(document_root(document), suite[s].file);
        for (size_t i = 0; i < suite[s].count; i++) {
            struct ci_case *item = &suite[s].item[i];
            item->before = field_number(of, item->name);
            if (!isnan(item->before)) compare(item);
        }
    }
    const bool read = document != NULL;
    document_free(document);
    blob_unref(text);
    return read;
}

bool baseline_write(const char *path, const struct ci_suite *suite, size_t count)
{
    struct writer w = {0};
    struct value *root = write_object(&w);
    for (size_t s = 0; s < count; s++) {
        struct value *of = write_object(&w);
        for (size_t i = 0; i < suite[s].count; i++)
            if (!isnan(suite[s].item[i].distance))
                write_member(&w, of, suite[s].item[i].name,
                             write_number(&w, suite[s].item[i].distance));
        write_member(&w, root, suite[s].file, of);
    }
    struct blob *text = write_blob(&w, root);
    if (text == NULL) return say(false, "memory is out");
    FILE *file = fopen(path, "w");
    bool written = file != NULL && fwrite(text->data, 1, text->size, file) == text->size &&
                   fputc('\n', file) != EOF;
    if (file != NULL) written = fclose(file) == 0 && written;
    blob_unref(text);
    return written || say(false, "%s: %s", path, strerror(errno));
}
