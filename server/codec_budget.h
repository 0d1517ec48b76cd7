/* What decoding takes of memory: counted for the body at hand, of which a thread has one at a time,
 * and for all bodies together. Memory goes back on the thread that took it. */
#ifndef GRADCHECKD_CODEC_BUDGET_H
#define GRADCHECKD_CODEC_BUDGET_H

#include <stddef.h>

enum budget_refusal {
    BUDGET_NOT_REFUSED,
    BUDGET_ALONE,  /* this body by itself takes more than the limit */
    BUDGET_OTHERS, /* so much is not left beside the others */
    BUDGET_SYSTEM  /* granted, but the system has no memory */
};

/* Nothing is counted, and all is granted, while no body is open. */
void budget_open(size_t limit);
void budget_close(void);
/* The last refusal since budget_open. */
enum budget_refusal budget_refused(void);

/* As malloc, realloc and free. */
void *budget_malloc(size_t size);
void *budget_realloc(void *memory, size_t size);
void budget_free(void *memory);

#endif
