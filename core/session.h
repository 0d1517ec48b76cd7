/* The inside of a session, for its own files: session.c (life, rounds), session_step.c (points that
 * the dtype has), session_noise.c, session_line.c and session_trend.c (one
 * line), session_place.c (what lines along the
 * same direction say together), session_plan.c (which lines, and what follows from them),
 * session_seek.c (inside a tensor that is wrong), session_result.c, session_explain.c.
 *
 * A round asks for the next steps of as many lines as it has room for. Once all lines of a tensor
 * are done, its plan goes on: what shows too little is tried again with other steps, then along
 * more directions; what is wrong is measured again; and inside a large tensor that is wrong ever
 * smaller parts are. */
#ifndef GRADCHECK_CORE_SESSION_H
#define GRADCHECK_CORE_SESSION_H

#include <gradcheck/session.h>

#include <float.h>

/* Error estimates are doubled before they are believed, and where f has many kinks once more; what
 * noise can do has a bound already. */
#define SESSION_SURE 2.0
#define SESSION_SURE_ROUGH 4.0
/* Units of the dtype's roundoff that each element of a claim may be off by, of its tensor's root
 * mean square. */
#define SESSION_BAR 32.0

enum {
    SESSION_WHOLE = 16,     /* elements of a tensor that is checked element by element, at most */
    SESSION_DIRECTIONS = 3, /* of any other, to begin with */
    SESSION_DIRECTIONS_MOST = 24,
    SESSION_LINE = 8,    /* evaluations that a line takes, mostly */
    SESSION_PARTS = 4,   /* that a wrong part is cut into */
    SESSION_SPREAD = 8,  /* wrong parts at once, above which errors are everywhere */
    SESSION_REPEATS = 3, /* evaluations at theta */
    SESSION_LADDER = 6,  /* and beside it */
    SESSION_NOISE = SESSION_REPEATS + SESSION_LADDER
};

#define SESSION_NONE SIZE_MAX

/* ---- steps: session_step.c ---- */

/* What lines in a dtype are like: steps are powers of two. */
typedef struct session_steps {
    int first, last; /* exponents of the longest and the shortest, v being as long as usual */
    int digits;      /* bits of the dtype's significand */
    int least, most; /* exponents of its smallest number, and of the power of two it ends below */
    int shorter,
        longer; /* exponents that v is stretched by where f bends, or noise is the matter */
} session_steps;

const session_steps *session_steps_of(gck_dtype dtype);
/* A power of two that the elements of a tensor are as large as, or 1 where they are 0. */
double session_scale(const gck_session_tensor *tensor);

/* ---- lines ---- */

/* What is left of the error of an entry in the tableau where f is not smooth; 0 where it is. */
typedef struct session_caution {
    bool known;
    double slope, error; /* of the entry */
    bool steady;         /* its gap was there at both of two steps */
} session_caution;

/* Of the steps of a line; session_trend.c. */
typedef struct session_trend {
    double slope[3], gap[3], noise[3]; /* at the last three, the latest first */
    size_t steps, pass;                /* steps without a break; tableaus before */
    session_caution kept[2]; /* of the best entry of this tableau, and of the one before */
} session_trend;

void session_trend_take(session_trend *trend, const gck_change change[2]);
/* line: once it has taken that change. */
void session_trend_note(session_trend *trend, const gck_line *line);
/* For the entry with that slope. */
session_caution session_trend_caution(const session_trend *trend, double slope);

/* Part of a tensor, moved along one direction v, or a single element, along itself. */
typedef struct session_line {
    size_t tensor, first, count;
    size_t direction;        /* number of the random one; of no meaning for an element */
    double stretch;          /* v is so many times as long as usual */
    size_t next;             /* of the same tensor; SESSION_NONE */
    size_t twin;             /* an earlier one of the same place and direction; SESSION_NONE */
    bool replaced;           /* a later such one is there */
    unsigned retries, again; /* twins there since the first showed too little, or an error */
    size_t depth;            /* of a search: how often its tensor was cut */
    gck_line line;
    session_trend trend;
    bool done, skipped; /* skipped: the budget was spent before it began */
    bool still;         /* f did not change, but for its noise */
    bool rough;         /* f is not smooth along it: caution is all its error */
    size_t evaluations;
    int last;      /* exponent of its shortest step */
    double length; /* that v was multiplied by */
    /* Once it is done, of v before that: for an element, per unit of theta. */
    double numeric, error; /* error: without what the kink takes */
    double noise;          /* what of the error is a bound of what noise can do */
    double gap;            /* right slope minus left slope, where f has a kink at theta */
    double claimed, bar;
    double moved; /* the slope at the longest step at which f is finite; 0 if it is still */
} session_line;

typedef enum session_stage { STAGE_LINES, STAGE_SEEK, STAGE_DONE } session_stage;

_Static_assert(sizeof(session_line) <= 1024, "as gradcheck/session.h says");

/* What becomes of a tensor. */
typedef struct session_part {
    size_t head, tail; /* of its lines */
    size_t waiting;    /* lines that are not done */
    session_stage stage;
    size_t directions;   /* drawn so far */
    size_t depth;        /* of the search, so far */
    bool finite;         /* the claim is */
    bool spread;         /* wrong wherever it was looked */
    bool rough;          /* some of its lines are */
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
    double unit;           /* what values are rounded by, relative to them */
    size_t ladder_tensors; /* that the ladder moves: the first ones */
    int rung;              /* exponent of the ladder's steps */
    bool measured, repeats, exhausted;
    size_t line_count, line_capacity, first_open; /* all lines before are done */
    session_line *line;
    session_part part[];
};

/* v of a line into session->v (count). */
void session_direction(gck_session *session, session_line *line);
/* The nearest number of the dtype, for an x that is not beyond its largest. */
double session_round(const gck_session *session, double x);
/* What the claim says that rounding the point theta + step v adds to f. Once v is there. */
double session_rounding(gck_session *session, const session_line *line, double step);
/* v of a whole tensor, for the ladder beside theta. */
void session_ladder(gck_session *session, size_t tensor);

/* ---- noise: session_noise.c ---- */

void session_noise_ask(gck_session *session);
/* Whether it is known now; if not, longer steps are asked for, or f is not finite at theta. */
bool session_noise_take(gck_session *session, const double *value, size_t count);
/* The bound of what f errs by at a point of that value. */
double session_noise_of(const gck_session *session, double value);

/* ---- one line: session_line.c ---- */

void session_line_begin(gck_session *session, session_line *line);
/* value: of the points of its round. */
void session_line_take(gck_session *session, session_line *line, const double *value);
/* Ends it with what it has. */
void session_line_end(session_line *line);
/* What the numeric derivative errs by at most, if estimates are to be believed. */
double session_line_error(const gck_session *session, const session_line *line);
/* Claim minus derivative; at a kink minus the nearest slope between the left and the right one. */
double session_line_away(const session_line *line);
bool session_line_wrong(const gck_session *session, const session_line *line);

/* ---- lines of one place and direction: session_place.c ---- */

/* What twins say together. The one of least error counts; where others that are about as exact
 * differ from it by more, that is its error. */
typedef struct session_place {
    const session_line *best; /* NULL: none has come to anything */
    double error;             /* what the best one's derivative errs by at most */
    bool wrong, confirmed;    /* by two lines */
} session_place;

/* The places that a tensor is judged by: of each the latest line, in order; SESSION_NONE at the
 * end.
 */
size_t session_place_first(const gck_session *session, size_t tensor);
size_t session_place_next(const gck_session *session, size_t index);
session_place session_place_of(const gck_session *session, size_t index);
/* For gck_directions_judge: bar holds all that the claim may be away by, but for the tolerance. */
gck_direction session_place_direction(const session_place *place);

/* Directions of a tensor that came to something, GCK_DIRECTIONS_MAX at most; how many. */
size_t session_directions(const gck_session *session, size_t tensor, gck_direction *to);
/* The relative error that a check has to see in order to pass. */
double session_resolution(const gck_session *session);
/* By how much f moves at most when one tensor moves by its own size, as far as lines show. */
double session_reach(const gck_session *session);
/* What a tensor is taken to be able to move by: its scale, or 1 where it may only have begun near
 * 0.
 */
double session_size(const gck_session *session, size_t tensor);
/* The claim is nothing beside that reach. */
bool session_is_nothing(const gck_session *session, size_t tensor);

/* ---- the plan: session_plan.c, session_seek.c ---- */

gck_status session_plan_begin(gck_session *session, gck_error *error);
/* A line of the tensor is done. */
gck_status session_plan_go(gck_session *session, size_t tensor, gck_error *error);
size_t session_count(const gck_session *session, size_t tensor);
/* Whether each element has a line of its own. */
bool session_is_whole(const gck_session *session, size_t tensor);
/* line: tensor, first, count, depth; what else it needs is filled in. */
gck_status session_line_add(gck_session *session, session_line line, gck_error *error);
/* Directions of a tensor are numbered; the last number is the ladder's. Once all are used up they
 * begin again: the same direction through other parts is another one. */
size_t session_direction_next(gck_session *session, size_t tensor);
/* The next cut of a tensor that is wrong: lines through parts of its wrong parts. */
gck_status session_seek(gck_session *session, size_t tensor, gck_error *error);

/* ---- session_explain.c ---- */

/* Whether the claim is the gradient times one factor, as far as the tensor's lines show. */
bool session_is_alike(gck_session *session, size_t tensor);
gck_status session_explain(gck_session *session, const gck_session_judged *judged, size_t tensor,
                           gck_finding *ret_finding, gck_error *error);

#endif
