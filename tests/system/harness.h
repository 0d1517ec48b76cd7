/*
 * Runs the daemon for a test: each test starts its own, with its own folder, its own store and a
 * port the system picks, and ends it. The daemon dies with the test, whichever way
 * that ends.
 *
 * The program is $GRADCHECKD, or $BUILD/gradcheckd with BUILD=build by default; that of the command
 * line likewise $GRADCHECK or $BUILD/gradcheck. All waits have a
 * deadline; TEST_TIMEOUT_SCALE multiplies them (5 by default in a sanitizer build, else 1).
 */
#ifndef TESTS_SYSTEM_HARNESS_H
#define TESTS_SYSTEM_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct service {
    pid_t pid; /* 0 once it has ended */
    int out;   /* the reading end of its standard output */
    int port;
    const char *from, *to; /* IPv4 addresses of clients and of the daemon; NULL: 127.0.0.1 */
    bool tls;
    char socket[108]; /* the socket file that it listens on, seen from its folder; "": the port */
    char folder[256]; /* holds its standard error ("stderr") and its data folder ("data") */
    char options[1024];
};

struct ending {
    int status;     /* exit status; 128 + the signal when it was killed */
    double seconds; /* from the call to the end */
    bool silent;    /* standard output held nothing after the line "listening on" */
};

struct output {
    int status;
    char out[16384], err[16384];
};

/* A run of the program that has not ended. */
struct program {
    pid_t pid;
    int out;
    char folder[256];
};

/* Starts the daemon with more options, separated by spaces, and waits until it listens. */
void service_start(struct service *service, const char *options);
/* Makes its folder alone, for files that it needs; service_restart starts it. It runs in that
 * folder. */
void service_prepare(struct service *service, const char *options);

/* How often its log holds this text so far. */
int service_log_count(const struct service *service, const char *text);
/* Waits until it does so this often, or fails the test. */
void service_log_await(const struct service *service, const char *text, int count);

/* Ends the daemon at once, by SIGKILL. */
void service_kill(struct service *service);
/* Starts it again in the same folder, with the same options, after it has ended. */
void service_restart(struct service *service);
/* The same, without waiting until it listens. */
void service_launch(struct service *service);

/* Waits for the end of a daemon that was told to end. */
struct ending service_wait(struct service *service);

/* SIGTERM, and the ending. */
struct ending service_stop(struct service *service);

/* The usual end of a test: asserts a clean stop. */
void service_end(struct service *service);

/* Runs the program to its end with these options alone, in a folder of its own. */
void program_run(const char *options, struct output *ret);
/* The same in two steps, for several at once. */
void program_begin(const char *options, struct program *ret);
void program_finish(struct program *running, struct output *ret);

/* The same for the command line, gradcheck. */
void command_run(const char *options, struct output *ret);
void command_begin(const char *options, struct program *ret);

/* Monotonic seconds. */
double seconds_now(void);

/* A time limit, stretched for slow builds. */
double patience(double seconds);

/* Whether the daemon is built with a sanitizer, which changes what it costs. */
bool sanitizer_build(void);

/* Milliseconds left until a deadline, for poll(). */
int poll_timeout(double deadline);

/* Keeps an allocation reachable until the process ends. Tests free nothing: each is a process. */
void *keep(void *allocation);
/* Frees all that this thread keeps, answers included; for threads that make many. */
void keep_no_longer(void);

/* Runs the tests of one program, prints what the daemons of failed ones logged; returns main's
 * value. */
int suite_main(const char *name, const TTest *const tests[]);

#endif
