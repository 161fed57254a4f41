/* Members of JSON objects as this folder writes them: figures with six places, days and times as text, what is not there as null. */
#pragma once
#include "base/json.h"
#include <math.h>

static inline void key_real(struct json *j, const char *k, bool there, double v) {
    json_key(j, k);
    json_fix(j, there && fabs(v) < 9e11 ? (zb_fix)llround(v * 1e6) : ZB_FIX_NONE);
}
static inline void key_day(struct json *j, const char *k, int32_t day) {
    char text[ZB_TIME_CAP];
    kv_z(j, k, day == INT32_MAX || day == INT32_MIN ? NULL : zb_day_text(day, text));
}
/* Is the division `code` within `of` (six digits, zeros for all below)? */
static inline bool within(const char *code, const char *of) { return !strncmp(code, of, strcmp(of + 4, "00") ? 6 : strcmp(of + 2, "0000") ? 4 : 0); }
