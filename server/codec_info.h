/* What the server says of itself. NULL when memory is out. */
#ifndef GRADCHECKD_CODEC_INFO_H
#define GRADCHECKD_CODEC_INFO_H

#include "server/blob.h"
#include "server/config.h"
#include "server/user.h"

struct blob *codec_health(void);
struct blob *codec_whoami(const struct user *user, const struct limits *limits, size_t queued,
                          size_t running);

#endif
