/* What a question came to, whether a server answered it or this process: a status as of HTTP, and
 * JSON. One thread. */
#ifndef GRADCHECK_ANSWER_H
#define GRADCHECK_ANSWER_H

#include "client/settings.h"
#include "server/blob.h"
#include "server/codec_json.h"

struct answer {
    int status;        /* 200 and its like, or that of a problem */
    struct blob *body; /* owned; NULL only where nothing was answered */
};

void answer_done(struct answer *answer);

/* The text of a member of the outermost object, as it was sent, in a new blob; NULL: there is none,
 * or memory is out. The body is JSON that was decoded before. */
struct blob *answer_member(const struct blob *body, const char *name);

/* Tells a problem, with its place in `source`, and returns the exit status for it. */
int answer_problem(const struct settings *settings, const struct answer *answer,
                   const char *source);

/* The exit status for a problem document. */
int answer_status_of(const struct value *problem);

/* Decodes JSON that is not the user's. NULL after a message. */
struct document *answer_decode(const struct settings *settings, const struct blob *body);

/* Writes it to standard output, and a line's end. */
void answer_print(const struct blob *body);

/* ---- members of objects, where there may be none ---- */

double field_number(const struct value *object, const char *name);    /* NaN: none */
size_t field_count(const struct value *object, const char *name);     /* 0: none */
const char *field_text(const struct value *object, const char *name); /* "": none */
bool field_truth(const struct value *object, const char *name);
/* Object or array; NULL: none. */
const struct value *field_node(const struct value *object, const char *name);
size_t field_length(const struct value *array); /* 0 for NULL, too */

#endif
