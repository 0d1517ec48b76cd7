#include "server/user.h"

#include <string.h>

const char *role_name(enum role role)
{
    static const char *const names[] = {
        [ROLE_USER] = "user", [ROLE_ADMIN] = "admin", [ROLE_READER] = "read-only"};
    return names[role];
}

struct scope user_reads(const struct user *user)
{
    return (struct scope){user->name, true, user->role == ROLE_ADMIN};
}

struct scope user_changes(const struct user *user)
{
    return (struct scope){user->name, false, user->role == ROLE_ADMIN};
}

bool scope_has(const struct scope *scope, const char *owner, bool shared)
{
    return scope->all || (scope->shared && shared) || strcmp(scope->owner, owner) == 0;
}
