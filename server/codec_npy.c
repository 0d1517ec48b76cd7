#include "server/codec_npy.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";

/* Of the header, which is a Python dictionary: a whole one is some hundred bytes. */
enum { MAGIC_SIZE = 6, HEADER_MAX = 4096 };

static bool fail(char fault[NPY_FAULT_SIZE], const char *text)
{
    snprintf(fault, NPY_FAULT_SIZE, "%s", text);
    return false;
}

/* ---- numbers ---- */

/* Bytes of one number, least significant first. */
static uint64_t bits_of(const unsigned char *bytes, size_t size, bool big)
{
    uint64_t bits = 0;
    for (size_t i = size; i-- > 0;)
        bits = bits << 8 | bytes[big ? size - 1 - i : i];
    return bits;
}

static double half_of(uint64_t bits)
{
    const int exponent = (int)(bits >> 10 & 31);
    const double digits = (double)(bits & 1023);
    double value =
        ldexp(exponent == 0 ? digits : 1024 + digits, (exponent == 0 ? 1 : exponent) - 25);
    if (exponent == 31) value = digits == 0 ? INFINITY : NAN;
    return bits >> 15 != 0 ? -value : value;
}

static double float_of(uint64_t bits)
{
    const uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    return value;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double unsigned_of(uint64_t bits)
{
    return (double)bits;
}

static double signed1_of(uint64_t bits)
{
    return (double)(int8_t)bits;
}

static double signed2_of(uint64_t bits)
{
    return (double)(int16_t)bits;
}

static double signed4_of(uint64_t bits)
{
    return (double)(int32_t)bits;
}

static double signed8_of(uint64_t bits)
{
    return (double)(int64_t)bits;
}

struct kind {
    char letter;
    size_t size;
    double (*number)(uint64_t bits);
    gck_dtype dtype;
};

static const struct kind kinds[] = {
    {'f', 2, half_of, GCK_FLOAT16},     {'f', 4, float_of, GCK_FLOAT32},
    {'f', 8, double_of, GCK_FLOAT64},   {'i', 1, signed1_of, GCK_FLOAT64},
    {'i', 2, signed2_of, GCK_FLOAT64},  {'i', 4, signed4_of, GCK_FLOAT64},
    {'i', 8, signed8_of, GCK_FLOAT64},  {'u', 1, unsigned_of, GCK_FLOAT64},
    {'u', 2, unsigned_of, GCK_FLOAT64}, {'u', 4, unsigned_of, GCK_FLOAT64},
    {'u', 8, unsigned_of, GCK_FLOAT64}, {'b', 1, unsigned_of, GCK_FLOAT64},
};

static const struct kind *kind_find(char letter, size_t size)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].letter == letter && kinds[i].size == size) return &kinds[i];
    return NULL;
}

/* ---- the header ---- */

struct header {
    const struct kind *kind;
    bool big, fortran;
    gck_shape shape;
    size_t begin; /* of the numbers */
};

/* What stands behind a key of the dictionary; NULL: it is not there. */
static const char *value_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    if (at == NULL) return NULL;
    at += strlen(key);
    return at + strspn(at, " :");
}

static bool read_descr(const char *at, struct header *ret)
{
    char order, letter, quote;
    unsigned size;
    if (at == NULL || sscanf(at, "%c%c%c%2u", &quote, &order, &letter, &size) != 4) return false;
    if (quote != '\'' || strchr("<>|=", order) == NULL) return false;
    ret->big = order == '>';
    ret->kind = kind_find(letter, size);
    return ret->kind != NULL;
}

/* "(3, 4), …", "(3,)", "()" */
static bool read_shape(const char *at, gck_shape *ret)
{
    *ret = (gck_shape){0};
    if (at == NULL || *at++ != '(') return false;
    for (;;) {
        at += strspn(at, " ,");
        if (*at == ')') return true;
        char *end;
        if (*at < '0' || *at > '9' || ret->rank == GCK_RANK_MAX) return false;
        const unsigned long long dim = strtoull(at, &end, 10);
        if (dim > GCK_ELEMENTS_MAX) return false;
        ret->dim[ret->rank++] = (size_t)dim;
        at = end;
    }
}

static bool read_dictionary(const char *text, struct header *ret, char fault[NPY_FAULT_SIZE])
{
    const char *order = value_of(text, "'fortran_order'");
    if (!read_descr(value_of(text, "'descr'"), ret))
        return fail(fault, "holds no floats of 2, 4 or 8 bytes, integers or booleans");
    if (order == NULL || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0))
        return fail(fault, "has no fortran_order in its header");
    ret->fortran = *order == 'T';
    if (!read_shape(value_of(text, "'shape'"), &ret->shape))
        return fail(fault, "has no shape in its header, or one of more than 4 axes");
    return true;
}

static bool read_header(const char *bytes, size_t size, struct header *ret,
                        char fault[NPY_FAULT_SIZE])
{
    char text[HEADER_MAX + 1];
    if (size < MAGIC_SIZE + 6 || memcmp(bytes, magic, MAGIC_SIZE) != 0)
        return fail(fault, "is no .npy");
    const unsigned version = (unsigned char)bytes[MAGIC_SIZE];
    const size_t width = version == 1 ? 2 : 4, begin = MAGIC_SIZE + 2 + width;
    if (version < 1 || version > 3) return fail(fault, "is an .npy of an unknown version");
    const uint64_t length = bits_of((const unsigned char *)bytes + MAGIC_SIZE + 2, width, false);
    if (length > HEADER_MAX || begin + length > size)
        return fail(fault, "has a header that is too long");
    memcpy(text, bytes + begin, length);
    text[length] = '\0';
    ret->begin = begin + (size_t)length;
    return read_dictionary(text, ret, fault);
}

/* ---- the array ---- */

/* Where element `flat` of C's order stands in Fortran's. */
static size_t fortran_place(const gck_shape *shape, size_t flat)
{
    size_t index[GCK_RANK_MAX], place = 0;
    gck_shape_unravel(shape, flat, index);
    for (size_t axis = shape->rank; axis-- > 0;)
        place = place * shape->dim[axis] + index[axis];
    return place;
}

static void read_numbers(const char *bytes, const struct header *header, size_t count,
                         double *values)
{
    const size_t size = header->kind->size;
    for (size_t i = 0; i < count; i++) {
        const size_t place = header->fortran ? fortran_place(&header->shape, i) : i;
        const unsigned char *at = (const unsigned char *)bytes + header->begin + place * size;
        values[i] = header->kind->number(bits_of(at, size, header->big));
    }
}

bool npy_is(const char *bytes, size_t size)
{
    return size >= MAGIC_SIZE && memcmp(bytes, magic, MAGIC_SIZE) == 0;
}

bool npy_decode(const char *bytes, size_t size, size_t most, struct npy *ret,
                char fault[NPY_FAULT_SIZE])
{
    struct header header;
    size_t count;
    if (!read_header(bytes, size, &header, fault)) return false;
    if (!gck_shape_count(&header.shape, &count)) return fail(fault, "has no elements");
    if ((size - header.begin) / header.kind->size < count)
        return fail(fault, "ends before its last number");
    if (count > most / sizeof(double)) return fail(fault, "has more numbers than are allowed");
    double *values = gck_vector_room(count);
    if (values == NULL) return fail(fault, "memory is out");
    read_numbers(bytes, &header, count, values);
    *ret = (struct npy){header.shape, count, header.kind->dtype, values};
    return true;
}
