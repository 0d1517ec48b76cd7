/* Files as a whole. One thread; costs a copy of the file in memory. */
#ifndef GRADCHECK_FILE_H
#define GRADCHECK_FILE_H

#include "server/blob.h"

/* The bytes of a file, or for "-" of standard input; NULL after a message. */
struct blob *file_read(const char *path);

#endif
