/* What the program tells beside its results: messages on standard error, and how it ends. Any
 * thread; each message is one write. */
#ifndef GRADCHECK_SAY_H
#define GRADCHECK_SAY_H

/* Exit statuses, which never change. */
enum {
    STATUS_PASS = 0,
    STATUS_FAIL = 1,   /* a check failed, or is inconclusive */
    STATUS_USAGE = 2,  /* wrong arguments, or a spec that is refused */
    STATUS_SERVER = 3, /* the server, the way to it, or who we are to it; or this machine */
    STATUS_TIMEOUT = 4,
    STATUS_INTERRUPTED = 130
};

/* "gradcheck: …", made harmless as below; returns the status. */
int say(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for what does not end the program. */
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
int say_memory(void);

/* Replaces what a terminal would obey: control characters, which nobody's names or messages need.
 * Returns the text. */
char *make_harmless(char *text);

#endif
