/* The keeper: one thread that looks after things each second. What it calls should be short: the
 * next second waits for it. */
#ifndef GRADCHECKD_KEEPER_H
#define GRADCHECKD_KEEPER_H

#include <stdbool.h>

typedef void keeper_task(void *context);

struct keeper;

struct keeper *keeper_open(void);
/* Called on the keeper's thread each second from keeper_start on, in the order added. Before the
 * start; false when there are too many. */
bool keeper_add(struct keeper *keeper, keeper_task *task, void *context);
bool keeper_start(struct keeper *keeper);
/* Waits for the call in hand; nothing is called any more. */
void keeper_close(struct keeper *keeper);

#endif
