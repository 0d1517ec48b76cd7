/* How many digits the claim's numbers have: those of a narrower type, or of a printout. */
#include "core/finding.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Numbers that the world has more digits in than the claim show that it is rounded: when all bits
 * that they lack, 53 less those of the form, come to this many. */
enum { SHOWN_BY = 40, BITS = 53 };

enum { DIGITS_MOST = 12 };

/* ---- forms of numbers ---- */

typedef struct form {
    const char *name;
    int bits, least; /* binary: bits of the mantissa, exponent of the smallest number; 0: decimal */
    int decimals, digits;
} form;

/* A decimal times a power of ten: rounded when it was read, as a power and as a product, by 2^-53
 * at most each time. */
#define SCALED_ROUNDING 0x3p-53
/* Beyond, what rounding allows comes near to where any number is whole. */
#define TELLS_UP_TO 0x1p50

static bool is_whole(double x)
{
    return fabs(x) < TELLS_UP_TO && fabs(x - nearbyint(x)) <= SCALED_ROUNDING * fabs(x);
}

static bool has_form(const form *f, double v)
{
    int exponent;
    if (v == 0) return true;
    if (f->bits > 0) {
        const double mantissa = frexp(v, &exponent);
        const int bits = exponent - 1 - f->least < 0 ? f->bits + exponent - 1 - f->least : f->bits;
        const double scaled = ldexp(mantissa, bits);
        return scaled == nearbyint(scaled);
    }
    if (f->decimals > 0) return is_whole(v * pow(10, f->decimals));
    const int place = (int)floor(log10(fabs(v)));
    return is_whole(v * pow(10, f->digits - 1 - place));
}

static bool is_looked_at(const finding_slot *slot)
{
    return slot->state != SLOT_DONE && slot->given != NULL;
}

/* Whether all claimed numbers of a slot have it; counts those that the world has more digits in. */
static bool slot_has_form(const form *f, const finding_slot *slot, size_t *shown)
{
    for (size_t e = 0; e < slot->count; e++) {
        if (!has_form(f, slot->given[e])) return false;
        *shown += slot->given[e] != 0 && !has_form(f, finding_world(slot, e));
    }
    return true;
}

static bool claim_has_form(const finding_search *search, const form *f)
{
    size_t shown = 0;
    for (size_t i = 0; i < search->slot_count; i++)
        if (is_looked_at(&search->slot[i]) && !slot_has_form(f, &search->slot[i], &shown))
            return false;
    const double bits = f->bits > 0 ? f->bits : (f->decimals + f->digits) * log2(10);
    return (double)shown * (BITS - bits) >= SHOWN_BY;
}

/* ---- which ---- */

static const form binary_forms[] = {
    {"bfloat16", 8, -126, 0, 0}, {"float16", 11, -14, 0, 0}, {"float32", 24, -126, 0, 0}};
static const gck_dtype binary_dtypes[] = {GCK_BFLOAT16, GCK_FLOAT16, GCK_FLOAT32};

static finding_precision binary_precision(const finding_search *search, gck_dtype dtype)
{
    const gck_dtype claimed = search->spec->claim->dtype;
    finding_precision p = search->precision;
    p.tolerance = fmax(p.tolerance, gck_dtype_tolerance(dtype));
    p.bar_factor = fmax(1, gck_dtype_roundoff(dtype) / gck_dtype_roundoff(claimed));
    p.absolute = fabs(finding_claim_factor(search)) * gck_dtype_smallest(dtype);
    return p;
}

/* The fewest decimals, or digits, that all claimed numbers do with. */
static bool fewest(const finding_search *search, const char *name, form *ret)
{
    const bool digits = strcmp(name, "digits") == 0;
    for (int n = 1; n <= DIGITS_MOST; n++) {
        *ret = (form){.name = name, .digits = digits ? n : 0, .decimals = digits ? 0 : n};
        if (claim_has_form(search, ret)) return true;
    }
    return false;
}

/* Numbers that need the last of them. */
static size_t needed_count(const finding_search *search, const form *f)
{
    const form fewer = {.digits = f->digits - (f->digits > 1),
                        .decimals = f->decimals - (f->decimals > 1)};
    size_t count = 0;
    for (size_t i = 0; i < search->slot_count; i++)
        for (size_t e = 0; is_looked_at(&search->slot[i]) && e < search->slot[i].count; e++)
            count += !has_form(&fewer, search->slot[i].given[e]);
    return count;
}

/* Where both are possible, most numbers need the last place of what they were rounded to. */
static bool decimal_see(const finding_search *search, form *ret_form, finding_precision *ret)
{
    form digits, decimals;
    const bool by_digits = fewest(search, "digits", &digits);
    const bool by_decimals = fewest(search, "decimals", &decimals);
    if (!by_digits && !by_decimals) return false;
    const bool choose = by_digits && (!by_decimals || needed_count(search, &digits) >
                                                          needed_count(search, &decimals));
    *ret_form = choose ? digits : decimals;
    /* Half a unit of the last place: of digits, relative to the smallest number that has it. */
    if (choose)
        ret->tolerance = fmax(ret->tolerance, 5 * pow(10, -digits.digits));
    else
        ret->absolute = fabs(finding_claim_factor(search)) * 0.5 * pow(10, -decimals.decimals);
    return true;
}

/* False when its numbers have all their digits. */
static bool form_see(const finding_search *search, form *ret_form, finding_precision *ret)
{
    *ret = search->precision;
    for (size_t i = 0; i < sizeof binary_forms / sizeof binary_forms[0]; i++) {
        *ret_form = binary_forms[i];
        if (gck_dtype_roundoff(binary_dtypes[i]) <=
                gck_dtype_roundoff(search->spec->claim->dtype) ||
            !claim_has_form(search, ret_form))
            continue;
        *ret = binary_precision(search, binary_dtypes[i]);
        return true;
    }
    return decimal_see(search, ret_form, ret);
}

/* ---- said ---- */

static void say(const form *f, gck_finding *finding)
{
    finding->mistake = (gck_mistake){.code = GCK_FINDING_ROUNDED, .layer = GCK_FINDING_NO_LAYER};
    snprintf(finding->mistake.name, sizeof finding->mistake.name, "%s", f->name);
    if (f->bits > 0) {
        finding_message(finding,
                        "all claimed numbers are %s numbers, and right as such: compute in "
                        "float64, or claim with dtype %s",
                        f->name, f->name);
        finding_evidence(finding, "bits", f->bits);
        return;
    }
    const int count = f->digits > 0 ? f->digits : f->decimals;
    finding_message(finding,
                    "all claimed numbers are rounded to %d %s, and right as such: send all digits",
                    count, f->digits > 0 ? "digits" : "places after the point");
    finding_evidence(finding, f->name, count);
}

bool finding_rounding(finding_search *search, gck_finding *ret)
{
    form f;
    finding_precision precision;
    double distance;
    if (!form_see(search, &f, &precision)) return false;
    search->precision = precision;
    for (size_t i = 0; i < search->slot_count; i++) {
        finding_slot *slot = &search->slot[i];
        if (slot->state != SLOT_DIRTY ||
            !finding_fits(search, slot, slot->world, slot->penalty, false, &distance))
            continue;
        slot->state = SLOT_CLEAN;
        ret->mistake.code = GCK_FINDING_ROUNDED;
    }
    if (ret->mistake.code == GCK_FINDING_ROUNDED) say(&f, ret);
    return true;
}
