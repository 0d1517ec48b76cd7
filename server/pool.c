#include "server/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t pushed;
    struct task *first, *last;
    bool stopping;
    size_t count;
    pthread_t thread[];
};

/* The next task, or NULL when the pool stops and none is left. */
static struct task *take(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->stopping)
        pthread_cond_wait(&pool->pushed, &pool->lock);
    struct task *task = pool->first;
    if (task != NULL) {
        pool->first = task->next;
        if (pool->first == NULL) pool->last = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    return task;
}

static void *run(void *argument)
{
    struct task *task;
    while ((task = take(argument)) != NULL)
        task->run(task);
    return NULL;
}

struct pool *pool_start(size_t threads)
{
    struct pool *pool = calloc(1, sizeof *pool + threads * sizeof pool->thread[0]);
    if (pool == NULL) return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->pushed, NULL);
    while (pool->count < threads &&
           pthread_create(&pool->thread[pool->count], NULL, run, pool) == 0)
        pool->count++;
    if (pool->count > 0) return pool;
    free(pool);
    return NULL;
}

void pool_push(struct pool *pool, struct task *task)
{
    pthread_mutex_lock(&pool->lock);
    task->next = NULL;
    if (pool->last != NULL)
        pool->last->next = task;
    else
        pool->first = task;
    pool->last = task;
    pthread_mutex_unlock(&pool->lock);
    /* Without the lock, which is the first thing that whoever wakes up wants. */
    pthread_cond_signal(&pool->pushed);
}

void pool_stop(struct pool *pool)
{
    if (pool == NULL) return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->pushed);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->count; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->pushed);
    free(pool);
}
