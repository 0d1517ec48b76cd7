/*
 * A network for one test, with other machines on it: addresses that are not loopback, and that
 * nobody outside of the test can reach.
 */
#ifndef TESTS_SYSTEM_LAN_H
#define TESTS_SYSTEM_LAN_H

#include <stdbool.h>

#define LAN_SERVER "192.0.2.1"
#define LAN_CLIENT "192.0.2.9"
#define LAN_PROXY "198.51.100.7"

/* Moves this process, and what it starts, to such a network. False, after a line that says so,
 * where the system does not let it. */
bool lan_enter(void);

#endif
