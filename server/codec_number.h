/* Numbers of JSON text, and back: what strtod reads and "%.17g" writes, bit for bit, many times
 * faster. Any thread. */
#ifndef GRADCHECKD_CODEC_NUMBER_H
#define GRADCHECKD_CODEC_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* The number that begins at text, correctly rounded: returns where it ends, or NULL for what is no
 * number of JSON, or is too large for a double. Whatever byte is part of no number must follow. */
const char *number_read(const char *text, double *ret_number);

/* What a number takes at most. */
enum { NUMBER_SIZE = 32 };

/* 17 significant digits without zeros at their end, and with a point or an exponent: 0.5, 3.0,
 * 1e22, -0.0. The number must be finite. Returns how many characters it wrote, without a NUL. */
size_t number_write(double number, char text[NUMBER_SIZE]);
size_t number_write_count(uint64_t count, char text[NUMBER_SIZE]);

#endif
