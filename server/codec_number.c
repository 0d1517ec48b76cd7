#include "server/codec_number.h"
#include "server/codec_powers.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both directions multiply 64 bits by a power of ten of 128 bits, and keep the upper 128 bits of
 * the product. The power was rounded down and the rest is dropped, so the true product lies from
 * there up to less than two units above. Where that leaves open on which side of a half it is, and
 * where the table ends, the C library decides. */

__extension__ typedef unsigned __int128 wide;

enum {
    DIGITS_MAX = 19, /* always fit into 64 bits */
    DIGITS_WRITTEN = 17,
    FRACTION_BITS = 52,
    BIAS = 1023
};

/* floor(number / 2^bits) */
static int floor_shift(int64_t number, int bits)
{
    return (int)(number >= 0 ? number >> bits : -((-number - 1) >> bits) - 1);
}

/* w * 10^q = product * 2^exponent for a w whose first bit is set; false beyond the table. */
static bool scale(uint64_t w, int64_t q, wide *ret_product, int *ret_exponent)
{
    if (q < POWER_MIN || q > POWER_MAX) return false;
    const struct power *power = &powers[q - POWER_MIN];
    *ret_product = (wide)w * power->high + ((wide)w * power->low >> 64);
    /* 217706 / 2^16 is log2(10), near enough for each q here; 127 bits of the power come after the
     * point, and 64 of the product are dropped. */
    *ret_exponent = floor_shift(q * 217706, 16) - 127 + 64;
    return true;
}

/* The product without its last `drop` bits, rounded to nearest; false when too near to a half. */
static bool round_off(wide product, int drop, uint64_t *ret_rounded)
{
    const wide half = (wide)1 << (drop - 1), rest = product & ((half << 1) - 1);
    if (rest == half || rest == half - 1) return false;
    *ret_rounded = (uint64_t)(product >> drop) + (rest > half);
    return true;
}

/* ---- reading ---- */

/* The double nearest to w * 10^q; false when that is not sure. */
static bool nearest(uint64_t w, int64_t q, double *ret_number)
{
    wide product;
    int exponent;
    uint64_t rounded;
    if (w == 0) {
        *ret_number = 0;
        return true;
    }
    const int shift = __builtin_clzll(w);
    if (!scale(w << shift, q, &product, &exponent)) return false;
    const int drop = (product >> 127 != 0 ? 127 : 126) - FRACTION_BITS;
    if (!round_off(product, drop, &rounded)) return false;
    /* Within the table every number is a normal one. The first bit of `rounded` adds one to the
     * exponent, and two if it was rounded up to the next power of two. */
    const uint64_t biased = (uint64_t)(exponent - shift + drop + FRACTION_BITS + BIAS - 1);
    const uint64_t bits = (biased << FRACTION_BITS) + rounded;
    memcpy(ret_number, &bits, sizeof bits);
    return true;
}

/* Appends digits to w, which wraps around when they are too many. */
static const char *read_digits(const char *text, uint64_t *w)
{
    for (; *text >= '0' && *text <= '9'; text++)
        *w = *w * 10 + (uint64_t)(*text - '0');
    return text;
}

static const char *read_exponent(const char *text, int64_t *exponent)
{
    const bool negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    const char *digits = text;
    int64_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        if (number < INT_MAX) number = number * 10 + (*text - '0');
    if (text == digits) return NULL;
    *exponent += negative ? -number : number;
    return text;
}

/* How many of the first digits are zeros that count for nothing. */
static ptrdiff_t leading_zeros(const char *digits)
{
    ptrdiff_t count = 0;
    for (; *digits == '0' || *digits == '.'; digits++)
        count += *digits == '0';
    return count;
}

const char *number_read(const char *text, double *ret_number)
{
    const bool negative = *text == '-';
    const char *digits = text + negative, *at;
    uint64_t w = 0;
    int64_t exponent = 0;
    at = read_digits(digits, &w);
    if (at == digits || (*digits == '0' && at - digits > 1)) return NULL;
    ptrdiff_t count = at - digits;
    if (*at == '.') {
        const char *fraction = at + 1;
        at = read_digits(fraction, &w);
        if (at == fraction) return NULL;
        exponent = fraction - at;
        count += at - fraction;
    }
    if ((*at == 'e' || *at == 'E') && (at = read_exponent(at + 1, &exponent)) == NULL) return NULL;
    if (count > DIGITS_MAX) count -= leading_zeros(digits);
    double number;
    if (count <= DIGITS_MAX && nearest(w, exponent, &number))
        *ret_number = negative ? -number : number;
    else
        *ret_number = strtod(text, NULL);
    return isfinite(*ret_number) ? at : NULL;
}

/* ---- writing ---- */

/* The least integer of as many digits as are written. */
#define DIGITS_LEAST UINT64_C(10000000000000000)

/* number = d.ddd... * 10^exponent, rounded to nearest; the number is positive. */
struct decimal {
    char digit[DIGITS_WRITTEN];
    int exponent;
};

/* The integer nearest to m * 2^e * 10^q, which has 17 digits or one more; false when not sure. */
static bool integer_of(uint64_t m, int e, int q, uint64_t *ret_integer)
{
    wide product;
    int exponent;
    return scale(m, q, &product, &exponent) && round_off(product, -(exponent + e), ret_integer);
}

static void split(uint64_t integer, char digit[DIGITS_WRITTEN])
{
    uint32_t upper = (uint32_t)(integer / 100000000), lower = (uint32_t)(integer % 100000000);
    for (int i = DIGITS_WRITTEN - 1; i > 8; i--, lower /= 10)
        digit[i] = (char)('0' + lower % 10);
    for (int i = 8; i >= 0; i--, upper /= 10)
        digit[i] = (char)('0' + upper % 10);
}

static bool decimal_fast(double number, struct decimal *decimal)
{
    uint64_t bits, integer;
    memcpy(&bits, &number, sizeof bits);
    const int power = (int)(bits >> FRACTION_BITS) - BIAS;
    if (power == -BIAS) return false; /* not a normal number */
    const uint64_t m = bits << 11 | UINT64_C(1) << 63;
    /* 78913 / 2^18 is log10(2), near enough for each double; the power of two has as many digits as
     * the number, or one less. */
    decimal->exponent = floor_shift(power * 78913, 18);
    const int q = DIGITS_WRITTEN - 1 - decimal->exponent;
    if (!integer_of(m, power - 63, q, &integer)) return false;
    if (integer >= 10 * DIGITS_LEAST) {
        if (!integer_of(m, power - 63, q - 1, &integer)) return false;
        decimal->exponent++;
    }
    split(integer, decimal->digit);
    return true;
}

/* "d.dddde-dd" */
static void decimal_slow(double number, struct decimal *decimal)
{
    char text[NUMBER_SIZE];
    snprintf(text, sizeof text, "%.*e", DIGITS_WRITTEN - 1, number);
    decimal->digit[0] = text[0];
    memcpy(decimal->digit + 1, text + 2, DIGITS_WRITTEN - 1);
    decimal->exponent = (int)strtol(text + DIGITS_WRITTEN + 2, NULL, 10);
}

static char *put(char *at, const char *digits, int count)
{
    memcpy(at, digits, (size_t)count);
    return at + count;
}

static char *put_zeros(char *at, int count)
{
    memset(at, '0', (size_t)count);
    return at + count;
}

static char *put_exponent(char *at, int exponent)
{
    *at++ = 'e';
    if (exponent < 0) *at++ = '-';
    const int size = exponent < 0 ? -exponent : exponent;
    if (size >= 100) *at++ = (char)('0' + size / 100);
    if (size >= 10) *at++ = (char)('0' + size / 10 % 10);
    *at++ = (char)('0' + size % 10);
    return at;
}

/* As "%g" places them: with an exponent below 1e-4 and from 1e17. */
static char *put_decimal(char *at, const struct decimal *decimal)
{
    const int exponent = decimal->exponent, before = exponent + 1;
    const char *digit = decimal->digit;
    int count = DIGITS_WRITTEN;
    while (count > 1 && digit[count - 1] == '0')
        count--;
    if (exponent < -4 || exponent >= DIGITS_WRITTEN) {
        at = put(at, digit, 1);
        if (count > 1) *at++ = '.';
        return put_exponent(put(at, digit + 1, count - 1), exponent);
    }
    if (exponent < 0) return put(put_zeros(put(at, "0.", 2), -before), digit, count);
    if (count <= before) return put(put_zeros(put(at, digit, count), before - count), ".0", 2);
    at = put(at, digit, before);
    *at++ = '.';
    return put(at, digit + before, count - before);
}

size_t number_write(double number, char text[NUMBER_SIZE])
{
    char *at = text;
    struct decimal decimal;
    if (signbit(number)) *at++ = '-';
    number = fabs(number);
    if (number == 0) return (size_t)(put(at, "0.0", 3) - text);
    if (!decimal_fast(number, &decimal)) decimal_slow(number, &decimal);
    return (size_t)(put_decimal(at, &decimal) - text);
}

size_t number_write_count(uint64_t count, char text[NUMBER_SIZE])
{
    char reversed[NUMBER_SIZE];
    size_t length = 0;
    do {
        reversed[length++] = (char)('0' + count % 10);
    } while ((count /= 10) > 0);
    for (size_t i = 0; i < length; i++)
        text[i] = reversed[length - 1 - i];
    return length;
}
