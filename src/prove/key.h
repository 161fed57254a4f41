/* Members of JSON objects as this folder writes them: figures with six places, days and times as text, what is not there as null. */
#pragma once
#include "base/json.h"
#include <math.h>

static inline void key_z(struct json *j, const char *k, const char *v) {
    json_key(j, k);
    json_z(j, v);
}
static inline void key_i(struct json *j, const char *k, int64_t v) {
    json_key(j, k);
    json_i64(j, v);
}
static inline void key_real(struct json *j, const char *k, bool there, double v) {
    json_key(j, k);
    json_fix(j, there && fabs(v) < 9e11 ? (zb_fix)llround(v * 1e6) : ZB_FIX_NONE);
}
static inline void key_day(struct json *j, const char *k, int32_t day) {
    char text[ZB_TIME_CAP];
    key_z(j, k, day == INT32_MAX || day == INT32_MIN ? NULL : zb_day_text(day, text));
}
static inline void key_time(struct json *j, const char *k, zb_time t) {
    json_key(j, k);
    json_time(j, t);
}
/* Is the division `code` within `of` (six digits, zeros for all below)? */
static inline bool within(const char *code, const char *of) { return !strncmp(code, of, strcmp(of + 4, "00") ? 6 : strcmp(of + 2, "0000") ? 4 : 0); }
