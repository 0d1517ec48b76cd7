/* The store's file, looked into by itself. */
#ifndef TESTS_SYSTEM_INTEGRITY_H
#define TESTS_SYSTEM_INTEGRITY_H

#include "harness.h"

/* Asserts that the file, if there is one, is whole; beside the daemon or without it. */
void store_is_sound(const struct service *service);

#endif
