/* The keeper: looks after things each second, each on a thread of its own, so that what is held up
 * by a disk holds up nothing else. */
#ifndef GRADCHECKD_KEEPER_H
#define GRADCHECKD_KEEPER_H

#include <stdbool.h>

typedef void keeper_task(void *context);

struct keeper;

struct keeper *keeper_open(void);
/* Called each second from keeper_start on, or later while it still runs. Before the start; false
 * when there are too many. */
bool keeper_add(struct keeper *keeper, keeper_task *task, void *context);
bool keeper_start(struct keeper *keeper);
/* Waits for the calls in hand; nothing is called any more. */
void keeper_close(struct keeper *keeper);

#endif
