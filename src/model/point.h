/* A monitoring point 测点 and its samples. */
#pragma once
#include "base/num.h"
#include "base/time.h"

#define VALUE_TYPES(X) X(MN, "MN", "模拟量") X(KG, "KG", "开关量") X(LJ, "LJ", "累计量") X(DT, "DT", "多态量")
enum value_type {
#define X(id, key, zh) VALUE_##id,
    VALUE_TYPES(X)
#undef X
        VALUE_TYPES_N
};

/* point state 测点状态, bit sum (data-access.md 3.3); the last two are ours */
enum {
    ST_ALARM = 1,
    ST_CUT = 2,
    ST_CALIB = 4,
    ST_OVER_RANGE = 8,
    ST_STATION = 16,
    ST_NOT_POLLED = 32,
    ST_PAUSED = 64,
    ST_FAULT = 128,
    ST_NO_VALUE = 256 /* value field empty or unreadable word */,
    ST_FUTURE = 512
};

struct limits { /* ZB_FIX_NONE: none. Alarm and cut at >= (hi) or <= (lo); clear strictly beyond */
    zb_fix hi_alarm, hi_clear, lo_alarm, lo_clear, hi_cut, hi_restore, lo_cut, lo_restore;
};
#define LIMITS_NONE ((struct limits){ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE})

/* Lines of the four colours, by alarm level (index 0 unused): at or above, at or below */
enum { COLOURS = 5 };
struct lines {
    zb_fix hi[COLOURS], lo[COLOURS];
};
#define LINES_NONE                                                                                                                                             \
    ((struct lines){{ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE}, {ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE, ZB_FIX_NONE}})

struct point_def { /* from CDDY; strings NUL-ended, owned by whoever holds the struct */
    char code[48], station[48], sensor_type[8], unit[16], sys[4];
    char location[128], type_name[48], on_desc[16], off_desc[16];
    struct str relation; /* 关联关系, as sent: a view of the upload, nothing in what is kept */
    char loc_class[24];  /* "" until known: then the stricter of its neighbours and the mine limit is taken */
    enum value_type vt;
    zb_fix range_hi, range_lo, x, y, z;
    struct limits own; /* limits the mine uploads */
    struct lines line; /* warning lines it uploads; ZB_FIX_NONE: none */
    zb_time every;     /* samples are expected this often: then silence is an alarm; 0: not watched */
};

/* A definition that says nothing of range, place and limits. */
#define POINT_PLAIN                                                                                                                                            \
    .range_hi = ZB_FIX_NONE, .range_lo = ZB_FIX_NONE, .x = ZB_FIX_NONE, .y = ZB_FIX_NONE, .z = ZB_FIX_NONE, .own = LIMITS_NONE, .line = LINES_NONE

struct sample {
    zb_time t; /* device time */
    zb_fix v;  /* ZB_FIX_NONE when there is no value */
    uint32_t state;
};
struct observation { /* a sample and whose it is */
    struct str point;
    struct sample s;
    uint32_t from; /* the batch's own mark: record and fact it came from */
    bool quiet;    /* kept, not judged */
};
