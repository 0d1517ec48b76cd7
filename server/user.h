/* Who asks, and whose jobs that shows. Plain. */
#ifndef GRADCHECKD_USER_H
#define GRADCHECKD_USER_H

#include "server/record.h"

enum role { ROLE_USER, ROLE_ADMIN, ROLE_READER /* changes nothing */ };

struct user {
    char name[NAME_SIZE];
    enum role role;
};

/* Whose jobs a call may see. */
struct scope {
    const char *owner; /* borrowed */
    bool shared;       /* and those that others share */
    bool all;          /* and everybody's */
};

const char *role_name(enum role role);
/* What a user may read, and what may be changed. Borrows the name. */
struct scope user_reads(const struct user *user);
struct scope user_changes(const struct user *user);
/* Whether a job lies in a scope. */
bool scope_has(const struct scope *scope, const char *owner, bool shared);

#endif
