/* Numbers are read whole or not at all: "1,0", "1.0ppm", " 1", "0x1", "nan" are refused.
 * zb_fix: a decimal in millionths as int64, so that 1.00 == 1.0 exactly in every comparison (thresholds.md, design rule 3).
 * Digits beyond the sixth decimal are rounded half away from zero (vendors send 0.30000001192). */
#pragma once
#include "base/str.h"
#include <stdint.h>

typedef int64_t zb_fix;
#define ZB_FIX_ONE ((zb_fix)1000000)
#define ZB_FIX_NONE INT64_MIN

ZB_MUST bool num_i64(struct str s, int64_t min, int64_t max, int64_t *ret);
ZB_MUST bool num_fix(struct str s, zb_fix *ret); /* |value| < 9e12; no exponent */
ZB_MUST bool num_double(struct str s, double *ret); /* as XML and JSON write them, exponents too; finite */
#define ZB_FIX_CAP 32
char *zb_fix_text(zb_fix v, char out[ZB_FIX_CAP]); /* shortest: "0.42", "-3.2", "12"; "" for NONE */
double zb_fix_double(zb_fix v);
