#include "server/codec_patch.h"
#include "server/codec_json.h"
#include "server/codec_read.h"

bool codec_patch_decode(const struct blob *body, const struct limits *limits, bool *ret_shared,
                        struct problem *problem)
{
    static const char *const names[] = {"shared"};
    const struct place root = {.problem = problem}, at = place_key(&root, "shared");
    const struct value *shared;
    struct document *document = document_decode(body->data, body->size, limits, problem);
    if (document == NULL) return false;
    const bool decoded = read_object(document_root(document), &root, names, 1) &&
                         read_required(document_root(document), &root, "shared", &shared) &&
                         read_boolean(shared, &at, ret_shared);
    document_free(document);
    return decoded;
}
