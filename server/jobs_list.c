/* Lists: jobs at work from the table, those that have ended from the store, merged by position. */
#include "server/jobs_table.h"

#include <stdlib.h>

#define FINAL_STATES (1u << JOB_SUCCEEDED | 1u << JOB_FAILED | 1u << JOB_CANCELLED)

static bool is_wanted(const struct job *job, const struct store_filter *filter)
{
    return job->acceptance == ACCEPT_STORED && store_filter_matches(filter, &job->record);
}

/* Those that the filter shows move to the front; how many. */
static size_t select_wanted(struct job **job, size_t count, const struct store_filter *filter)
{
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&job[i]->lock);
        const bool shown = is_wanted(job[i], filter);
        pthread_mutex_unlock(&job[i]->lock);
        if (!shown) continue;
        struct job *const kept = job[wanted];
        job[wanted++] = job[i];
        job[i] = kept;
    }
    return wanted;
}

static int newer_first(const void *a, const void *b)
{
    const struct job *const *x = a, *const *y = b;
    const uint64_t p = (*x)->record.position, q = (*y)->record.position;
    return (p < q) - (p > q);
}

/* The page of jobs at work. */
static enum store_status list_active(struct jobs *jobs, const struct store_filter *filter,
                                     struct job_page *page)
{
    size_t count;
    struct job **job = table_copy(jobs, &count);
    page->record = calloc(filter->limit, sizeof *page->record);
    enum store_status status = job == NULL || page->record == NULL ? STORE_MEMORY : STORE_OK;
    const size_t wanted = status == STORE_OK ? select_wanted(job, count, filter) : 0;
    if (wanted > 0) qsort(job, wanted, sizeof *job, newer_first);
    for (size_t i = 0; i < wanted && i < filter->limit && status == STORE_OK; i++) {
        if (job_snapshot(job[i], &page->record[page->count]))
            page->count++;
        else
            status = STORE_MEMORY;
    }
    if (wanted > filter->limit) page->next = page->record[filter->limit - 1].position;
    for (size_t i = 0; i < count; i++)
        job_unref(job[i]);
    free(job);
    return status;
}

/* Of those that have ended; a filter for others alone finds none. */
static enum store_status list_ended(struct jobs *jobs, const struct store_filter *filter,
                                    struct job_page *page)
{
    struct store_filter ended = *filter;
    ended.states = filter->states == 0 ? FINAL_STATES : filter->states & FINAL_STATES;
    if (ended.states == 0) return STORE_OK;
    return jobs->store->operations->list(jobs->store, &ended, page);
}

/* Moves the newer one of two pages' next records; one that ended in between stands in both. */
static struct job_record *next_record(struct job_page *a, size_t *i, struct job_page *b, size_t *k)
{
    if (*i == a->count && *k == b->count) return NULL;
    if (*k == b->count || (*i < a->count && a->record[*i].position > b->record[*k].position))
        return &a->record[(*i)++];
    if (*i < a->count && a->record[*i].position == b->record[*k].position) (*i)++;
    return &b->record[(*k)++];
}

static void move_record(struct job_record *to, struct job_record *from)
{
    *to = *from;
    *from = (struct job_record){0};
}

static enum store_status merge(const struct store_filter *filter, struct job_page *active,
                               struct job_page *ended, struct job_page *page)
{
    size_t i = 0, k = 0;
    struct job_record *record = NULL;
    page->record = calloc(filter->limit, sizeof *page->record);
    if (page->record == NULL) return STORE_MEMORY;
    while (page->count < filter->limit && (record = next_record(active, &i, ended, &k)) != NULL)
        move_record(&page->record[page->count++], record);
    const bool more = i < active->count || k < ended->count || active->next > 0 || ended->next > 0;
    if (more && page->count > 0) page->next = page->record[page->count - 1].position;
    return STORE_OK;
}

/* The table is read first: what ends meanwhile is then in the store. */
bool jobs_list(struct jobs *jobs, const struct store_filter *filter, struct job_page *ret_page,
               struct problem *problem)
{
    struct job_page active = {0}, ended = {0}, page = {0};
    enum store_status status = list_active(jobs, filter, &active);
    if (status == STORE_OK) status = list_ended(jobs, filter, &ended);
    if (status == STORE_OK) status = merge(filter, &active, &ended, &page);
    job_page_done(&active);
    job_page_done(&ended);
    if (status == STORE_OK) *ret_page = page;
    return store_problem(status, problem);
}
