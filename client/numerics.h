/* Starting the numeric library, whose test of itself takes some milliseconds, beside other work.
 * One thread. */
#ifndef GRADCHECK_NUMERICS_H
#define GRADCHECK_NUMERICS_H

#include <stdbool.h>

/* From now on kernels can be used: what draws and compares. False after a message. */
bool numerics_begin(void);
/* From now on products, too. Once for each begin. False after a message. */
bool numerics_finish(void);

#endif
