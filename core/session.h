/* The inside of a session, for its own files: session.c (life, rounds), session_step.c (points that
 * the dtype has), session_noise.c, session_line.c (one line, and what it says), session_plan.c
 * (which lines, and what follows from them), session_result.c, session_explain.c.
 *
 * A round asks for the next steps of as many lines as it has room for. Once all lines of a tensor
 * are done, its plan goes on: what is wrong is confirmed by other lines, what shows too little is
 * tried again with other steps, and inside a large tensor that is wrong ever smaller parts are. */
#ifndef GRADCHECK_CORE_SESSION_H
#define GRADCHECK_CORE_SESSION_H

#include <gradcheck/session.h>

#include <float.h>

/* Error estimates are doubled before they are believed. */
#define SESSION_SURE 2.0
/* Units of the dtype's roundoff that each element of a claim may be off by, of its tensor's root
 * mean square. */
#define SESSION_BAR 32.0

enum {
    SESSION_WHOLE = 16,     /* elements of a tensor that is checked element by element, at most */
    SESSION_DIRECTIONS = 3, /* of any other */
    SESSION_LINE = 8,       /* evaluations that a line takes, mostly */
    SESSION_PARTS = 4,      /* that a wrong part is cut into */
    SESSION_SPREAD = 8,     /* wrong parts at once, above which errors are everywhere */
    SESSION_REPEATS = 3,    /* evaluations at theta */
    SESSION_LADDER = 6,     /* and beside it */
    SESSION_NOISE = SESSION_REPEATS + SESSION_LADDER
};

#define SESSION_NONE SIZE_MAX

/* ---- steps: session_step.c ---- */

/* What lines in a dtype are like: steps are powers of two. */
typedef struct session_steps {
    int first, last; /* exponents of the longest and the shortest */
    int digits;      /* bits of the dtype's significand */
    int least, most; /* exponents of its smallest number, and of the power of two it ends below */
} session_steps;

const session_steps *session_steps_of(gck_dtype dtype);
/* A power of two that the elements of a tensor are as large as, or 1 where they are 0. */
double session_scale(const gck_session_tensor *tensor);

/* ---- lines ---- */

typedef enum session_purpose {
    SESSION_JUDGE,
    SESSION_CONFIRM, /* another one for what was found wrong */
    SESSION_SEEK     /* inside a tensor that is wrong */
} session_purpose;

/* Part of a tensor, moved along one direction v, or a single element, along itself. */
typedef struct session_line {
    size_t tensor, first, count;
    size_t direction; /* number of the random one; of no meaning for an element */
    int octaves;      /* v is 2^octaves times as long as usual */
    session_purpose purpose;
    size_t next;   /* of the same tensor; SESSION_NONE */
    size_t depth;  /* of a search: how often its tensor was cut */
    bool replaced; /* another one with other steps is there */
    gck_line line;
    bool done, skipped; /* skipped: the budget was spent before it began */
    bool still;         /* f did not change, but for its noise */
    size_t evaluations;
    double length; /* that v was multiplied by */
    /* Once it is done, of v before that: for an element, per unit of theta. */
    double numeric, error; /* error: without what the kink takes */
    double gap;            /* right slope minus left slope, where f has a kink at theta */
    double claimed, bar;
} session_line;

typedef enum session_stage { STAGE_LINES, STAGE_CONFIRMED, STAGE_DONE } session_stage;

/* What becomes of a tensor. */
typedef struct session_part {
    size_t head, tail; /* of its lines */
    size_t waiting;    /* lines that are not done */
    session_stage stage;
    unsigned retries;
    size_t directions;   /* drawn so far */
    size_t depth;        /* of the search, so far */
    bool finite;         /* the claim is */
    bool spread;         /* wrong wherever it was looked */
    double scale;        /* of theta */
    double claimed, bar; /* root mean square of the claim; bar of one of its elements */
} session_part;

/* A step of a line; before anything is measured, of the ladder, or 0 at theta. */
typedef struct session_point {
    size_t line;
    double step;
} session_point;

struct gck_session {
    gck_session_spec spec;
    const session_steps *steps;
    double *slab, *v, *room; /* as long as the largest tensor each */
    size_t round, evaluations, asked;
    session_point point[GCK_SESSION_ROUND];
    double value, noise;
    bool measured, repeats, exhausted, failed;
    size_t line_count, line_capacity, first_open; /* all lines before are done */
    session_line *line;
    session_part part[];
};

/* v of a line into session->v (count). Every theta + t v with t one of the line's steps is a number
 * of the dtype; elements too large to move by so little stay where they are. */
void session_direction(gck_session *session, session_line *line);
/* Of the ladder beside theta: a few last digits. */
void session_ladder(gck_session *session, size_t tensor);

/* ---- noise: session_noise.c ---- */

void session_noise_take(gck_session *session, const double *value);
/* The bound of what f's change between theta and a point of that value errs by. */
double session_noise_of(const gck_session *session, double value);

/* ---- one line: session_line.c ---- */

void session_line_begin(gck_session *session, session_line *line);
/* value: of the points of its round. */
void session_line_take(gck_session *session, session_line *line, const double *value);
/* Ends it with what it has. */
void session_line_end(session_line *line);
bool session_line_wrong(const gck_session *session, const session_line *line);
/* A line's direction as a gck_direction, for gck_directions_judge. */
gck_direction session_line_direction(const session_line *line);

/* ---- the plan: session_plan.c ---- */

gck_status session_plan_begin(gck_session *session, gck_error *error);
/* A line of the tensor is done. */
gck_status session_plan_go(gck_session *session, size_t tensor, gck_error *error);
size_t session_count(const gck_session *session, size_t tensor);
/* Whether each element has a line of its own. */
bool session_is_whole(const gck_session *session, size_t tensor);
/* Whether a line is one that its tensor is judged by: of those along one element the one of least
 * error, of the others those through all of the tensor. */
bool session_line_counts(const gck_session *session, size_t index);

/* ---- session_explain.c ---- */

/* Whether the claim is the gradient times one factor, as far as the tensor's lines show. */
bool session_is_alike(gck_session *session, size_t tensor);
gck_status session_explain(gck_session *session, const gck_session_judged *judged, size_t tensor,
                           gck_finding *ret_finding, gck_error *error);

#endif
