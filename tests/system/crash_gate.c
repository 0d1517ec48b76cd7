#include "crash_gate.h"

void gate_init(struct crash_gate *gate)
{
    *gate = (struct crash_gate){.port = 0};
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

void gate_open(struct crash_gate *gate, int port)
{
    pthread_mutex_lock(&gate->lock);
    gate->port = port;
    gate->life++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void gate_end(struct crash_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->over = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

struct crash_life gate_pass(struct crash_gate *gate, unsigned dead)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->life <= dead && !gate->over)
        pthread_cond_wait(&gate->changed, &gate->lock);
    const struct crash_life life = {gate->port, gate->life, gate->over};
    pthread_mutex_unlock(&gate->lock);
    return life;
}
