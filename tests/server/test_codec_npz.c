/* NumPy's files, of which tests/fuzz/corpus/npz has some as numpy wrote them. */
#include "server/codec_npz.h"
#include "tests/core/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 16, MOST = 1 << 20 };

static char bytes[FILE_MAX];

static size_t load(const char *name)
{
    const char *top = getenv("TEST_CORPUS") != NULL ? getenv("TEST_CORPUS") : "tests/fuzz/corpus";
    char path[512];
    snprintf(path, sizeof path, "%s/npz/%s", top, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return size;
}

static bool same(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

static const struct {
    const char *file;
    gck_dtype dtype;
    gck_shape shape;
    double values[6];
} arrays[] = {
    {"f8.npy", GCK_FLOAT64, {2, {2, 3}}, {1.5, -2, 3, 0.25, 1e300, -0.0}},
    {"f4_fortran.npy", GCK_FLOAT32, {2, {2, 2}}, {1.5, -2, 0.25, INFINITY}},
    {"f2_big.npy", GCK_FLOAT16, {1, {6}}, {1.5, 65504, 0x1p-24, -2, INFINITY, NAN}},
    {"i8.npy", GCK_FLOAT64, {2, {2, 1}}, {-3, 9007199254740992}},
    {"bool.npy", GCK_FLOAT64, {1, {2}}, {1, 0}},
    {"scalar.npy", GCK_FLOAT64, {0}, {2.5}},
};

START_TEST(an_array_is_as_numpy_saved_it)
{
    struct npy array;
    char fault[NPY_FAULT_SIZE];
    const size_t size = load(arrays[_i].file);
    ck_assert_msg(npy_decode(bytes, size, MOST, &array, fault), "%s", fault);
    ck_assert(gck_shape_equal(&array.shape, &arrays[_i].shape));
    ck_assert_int_eq(array.dtype, arrays[_i].dtype);
    for (size_t i = 0; i < array.count; i++)
        ck_assert_msg(same(array.values[i], arrays[_i].values[i]), "[%zu] %.17g", i,
                      array.values[i]);
    gck_vector_free(array.values);
}
END_TEST

START_TEST(an_archive_has_arrays_by_name)
{
    struct npz npz;
    char fault[NPY_FAULT_SIZE];
    const size_t size = load("two.npz");
    ck_assert_msg(npz_decode(bytes, size, MOST, &npz, fault), "%s", fault);
    ck_assert_uint_eq(npz.count, 2);
    ck_assert_str_eq(npz.item[0].name, "w");
    ck_assert_str_eq(npz.item[1].name, "b");
    ck_assert_uint_eq(npz.item[0].array.count, 6);
    ck_assert_double_eq(npz.item[1].array.values[1], 2);
    npz_done(&npz);
}
END_TEST

START_TEST(what_is_compressed_is_unpacked)
{
    struct npz npz;
    char fault[NPY_FAULT_SIZE];
    const size_t size = load("packed.npz");
    ck_assert_msg(npz_decode(bytes, size, MOST, &npz, fault), "%s", fault);
    ck_assert_uint_eq(npz.item[0].array.count, 3000);
    npz_done(&npz);
}
END_TEST

static const struct {
    const char *file;
    size_t most;
    const char *fault;
} refused[] = {
    {"empty.npy", MOST, "no elements"}, {"text.npy", MOST, "holds no floats"},
    {"short.npy", MOST, "ends before"}, {"two.npz", MOST, "is no .npy"},
    {"f8.npy", 40, "more numbers"},
};

START_TEST(an_array_that_is_none_is_refused)
{
    struct npy array;
    char fault[NPY_FAULT_SIZE];
    const size_t size = load(refused[_i].file);
    ck_assert(!npy_decode(bytes, size, refused[_i].most, &array, fault));
    ck_assert_msg(strstr(fault, refused[_i].fault) != NULL, "%s", fault);
}
END_TEST

/* Whatever stands where: each prefix is refused, or holds all. */
START_TEST(a_file_that_was_cut_is_refused)
{
    struct npz npz;
    char fault[NPY_FAULT_SIZE];
    const size_t size = load("two.npz");
    for (size_t cut = 0; cut < size; cut++)
        ck_assert(!npz_decode(bytes, cut, MOST, &npz, fault));
}
END_TEST

/* 2,000,000 zeros in 2 KB. */
START_TEST(a_bomb_is_refused)
{
    struct npz npz;
    char fault[NPY_FAULT_SIZE];
    const size_t size = load("bomb.npz");
    ck_assert(!npz_decode(bytes, size, MOST, &npz, fault));
    ck_assert_msg(strstr(fault, "more than is allowed") != NULL, "%s", fault);
}
END_TEST

SUITE_MAIN("npz", {an_array_is_as_numpy_saved_it, 6}, {an_archive_has_arrays_by_name, 0},
           {what_is_compressed_is_unpacked, 0}, {an_array_that_is_none_is_refused, 5},
           {a_file_that_was_cut_is_refused, 0}, {a_bomb_is_refused, 0})
