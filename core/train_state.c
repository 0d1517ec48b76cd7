/* A training as bytes: a magic with the version, the numbers that the spec must agree with, the
 * place, then the vectors.
 *
 * Numbers are little-endian 64-bit. Each field is visited once by state_visit, which writes, reads
 * or counts. */
#include "core/train.h"

#include <gradcheck/optimizer.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = {'G', 'C', 'K', 'T', 'R', 'N', '0', '1'};

typedef struct visitor {
    unsigned char *out;      /* writing, or NULL */
    const unsigned char *in; /* reading, or NULL; with neither, counting */
    size_t used, size;
    bool failed; /* too short to read */
} visitor;

static void visit_word(visitor *v, void *word)
{
    unsigned char bytes[8];
    uint64_t value;
    if (v->in != NULL && v->size - v->used < sizeof bytes) {
        v->failed = true;
        return;
    }
    if (v->out != NULL) {
        memcpy(&value, word, sizeof value);
        for (int i = 0; i < 8; i++)
            v->out[v->used + (size_t)i] = (unsigned char)(value >> (8 * i));
    } else if (v->in != NULL) {
        value = 0;
        for (int i = 0; i < 8; i++)
            value |= (uint64_t)v->in[v->used + (size_t)i] << (8 * i);
        memcpy(word, &value, sizeof value);
    }
    v->used += sizeof bytes;
}

static void visit_vector(visitor *v, double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        visit_word(v, &values[i]);
}

/* What must be the same for a state to fit a training. */
static void identity_visit(visitor *v, gck_train *train, uint64_t *ret_same)
{
    const uint64_t own[] = {train->spec.model->parameter_count,
                            train->spec.data->samples,
                            train->train_rows,
                            train->spec.batch_size,
                            train->spec.epochs,
                            train->spec.seed,
                            train->spec.check_every,
                            train->block_rows};
    *ret_same = 1;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        uint64_t word = own[i];
        visit_word(v, &word);
        if (word != own[i]) *ret_same = 0;
    }
}

static void place_visit(visitor *v, train_place *place)
{
    uint64_t *const words[] = {&place->phase,       &place->epoch, &place->batch_first,
                               &place->block_first, &place->steps, &place->diverged_at,
                               &place->check_count};
    double *const numbers[] = {&place->loss,           &place->accuracy,   &place->epoch_cost,
                               &place->epoch_accuracy, &place->final.cost, &place->final.accuracy};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        visit_word(v, words[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        visit_word(v, numbers[i]);
}

static void checks_visit(visitor *v, gck_train *train)
{
    for (size_t i = 0; i < train->place.check_count; i++) {
        uint64_t epoch = train->check[i].epoch, verdict = train->check[i].verdict;
        visit_word(v, &epoch);
        visit_word(v, &verdict);
        visit_word(v, &train->check[i].distance);
        visit_word(v, &train->check[i].refined_distance);
        train->check[i].epoch = (size_t)epoch;
        train->check[i].verdict = (gck_verdict)verdict;
    }
}

static void order_visit(visitor *v, gck_train *train)
{
    for (size_t i = 0; i < train->spec.data->samples; i++) {
        uint64_t row = train->order[i];
        visit_word(v, &row);
        train->order[i] = (size_t)row;
    }
}

/* Whether a block begins at that row of `total`. */
static bool is_block(const gck_train *train, uint64_t first, uint64_t total)
{
    return first < total && first % train->block_rows == 0;
}

static bool phase_is_sound(const gck_train *train)
{
    const train_place *p = &train->place;
    const uint64_t rows = train->train_rows, batch = train->spec.batch_size;
    const uint64_t left = p->batch_first < rows ? rows - p->batch_first : 0;
    switch (p->phase) {
    case TRAIN_BATCH:
        return p->epoch < train->spec.epochs && p->batch_first % batch == 0 &&
               is_block(train, p->block_first, left < batch ? left : batch);
    case TRAIN_VALIDATION:
        return p->epoch < train->spec.epochs &&
               (p->block_first == 0 || is_block(train, p->block_first, train->validation_rows));
    case TRAIN_CHECK:
        return p->epoch < train->spec.epochs && p->block_first == 0 && train_check_is_due(train);
    case TRAIN_FINAL:
        return p->epoch == train->spec.epochs && is_block(train, p->block_first, rows);
    case TRAIN_FINISHED:
        return p->diverged_at > 0 ? p->diverged_at == p->epoch + 1 || p->diverged_at == p->epoch
                                  : p->epoch == train->spec.epochs;
    default:
        return false;
    }
}

/* Whether all that indexes stays in its bounds, and what was done is what was due. */
static bool place_is_sound(const gck_train *train)
{
    const train_place *p = &train->place;
    const uint64_t every = train->spec.check_every;
    return phase_is_sound(train) && p->epoch <= train->spec.epochs &&
           p->diverged_at <= train->spec.epochs &&
           (p->diverged_at == 0 || p->phase == TRAIN_FINISHED) &&
           p->check_count == (every > 0 ? p->epoch / every : 0);
}

static bool checks_are_sound(const gck_train *train)
{
    for (size_t i = 0; i < train->place.check_count; i++)
        if (train->check[i].verdict > GCK_FAIL ||
            train->check[i].epoch != (i + 1) * train->spec.check_every)
            return false;
    return true;
}

/* Whether the order names every row once. */
static bool order_is_sound(const gck_train *train)
{
    const size_t samples = train->spec.data->samples;
    bool *seen = calloc(samples, sizeof *seen);
    bool sound = seen != NULL;
    for (size_t i = 0; sound && i < samples; i++) {
        const size_t row = train->order[i];
        sound = row < samples && !seen[row];
        if (sound) seen[row] = true;
    }
    free(seen);
    return sound;
}

static void vectors_visit(visitor *v, gck_train *train)
{
    const gck_train_spec *spec = &train->spec;
    const size_t parameters = spec->model->parameter_count;
    order_visit(v, train);
    checks_visit(v, train);
    visit_vector(v, train->parameters, parameters);
    visit_vector(v, train->gradient, parameters);
    visit_vector(v, train->optimizer_state, parameters * gck_optimizer_slots(&spec->optimizer));
    visit_vector(v, train->history, 4 * spec->epochs);
}

static gck_status corrupt(gck_error *error, const char *text)
{
    return gck_error_set(error, GCK_CORRUPT, "", "the saved training %s", text);
}

/* The state of the check at work, by way of a vector. */
static gck_status check_visit(visitor *v, gck_train *train, gck_error *error)
{
    if (train->place.phase != TRAIN_CHECK) return GCK_OK;
    const size_t count = gck_check_state_count(train->work.check);
    double *values = gck_vector_new(count);
    if (values == NULL) return gck_error_memory(error);
    gck_status status = GCK_OK;
    if (v->out != NULL) gck_check_state_save(train->work.check, values);
    visit_vector(v, values, count);
    if (v->in != NULL && !v->failed)
        status = gck_check_state_load(train->work.check, values, error);
    /* With its last grain a check is recorded, and the training goes on. */
    if (status == GCK_OK && v->in != NULL &&
        gck_check_folded(train->work.check) == gck_check_cut_of(train->work.check)->grain_count)
        status = corrupt(error, "has a check without work left");
    gck_vector_free(values);
    return status;
}

static gck_status state_write(visitor *v, gck_train *train, gck_error *error)
{
    uint64_t head, same;
    memcpy(&head, magic, sizeof head);
    visit_word(v, &head);
    identity_visit(v, train, &same);
    place_visit(v, &train->place);
    vectors_visit(v, train);
    return check_visit(v, train, error);
}

gck_status gck_train_export(const gck_train *train, unsigned char **ret_bytes, size_t *ret_size,
                            gck_error *error)
{
    /* Writing and counting read what they visit; the visitor's fields are not const because reading
     * sets them. */
    gck_train *visited = (gck_train *)train;
    visitor v = {0};
    gck_status status = state_write(&v, visited, error);
    if (status != GCK_OK) return status;
    v = (visitor){.out = malloc(v.used), .size = v.used};
    if (v.out == NULL) return gck_error_memory(error);
    status = state_write(&v, visited, error);
    if (status != GCK_OK) {
        free(v.out);
        return status;
    }
    assert(v.used == v.size);
    *ret_bytes = v.out;
    *ret_size = v.size;
    return GCK_OK;
}

gck_status gck_train_import(gck_train *train, const unsigned char *bytes, size_t size,
                            gck_error *error)
{
    assert(train->work.check == NULL); /* a training just made */
    visitor v = {.in = bytes, .size = size};
    uint64_t head = 0, own, same;
    memcpy(&own, magic, sizeof own);
    visit_word(&v, &head);
    if (head != own) return corrupt(error, "is of another format");
    identity_visit(&v, train, &same);
    if (v.failed || !same) return corrupt(error, "belongs to another spec");
    place_visit(&v, &train->place);
    if (v.failed || !place_is_sound(train)) return corrupt(error, "is beyond its end");
    vectors_visit(&v, train);
    if (v.failed) return corrupt(error, "is cut short");
    if (!checks_are_sound(train)) return corrupt(error, "has checks that were not due");
    if (!order_is_sound(train)) return corrupt(error, "has an order that is no permutation");
    gck_status status = GCK_OK;
    if (train->place.phase == TRAIN_CHECK) status = train_check_begin(train, error);
    if (status == GCK_OK) status = check_visit(&v, train, error);
    if (status != GCK_OK) return status;
    return v.failed || v.used != size ? corrupt(error, "has the wrong length") : GCK_OK;
}
