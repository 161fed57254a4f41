/* Alarms (ledger L22): what, how urgent, and where in its life it is (ISA-18.2 with the legal steps 确认 原因 措施 核实 关闭). */
#pragma once
#include "model/point.h"

#define ALARM_KINDS(X)                                                                                                                                         \
    X(OVER_HI, "over-limit", "超限")                                                                                                                           \
    X(OVER_LO, "under-limit", "低限")                                                                                                                          \
    X(CUT, "cut", "断电")                                                                                                                                      \
    X(OVER_RANGE, "over-range", "超量程")                                                                                                                      \
    X(FEED, "feed", "馈电异常")                                                                                                                                \
    X(CALIB, "calibration", "标校")                                                                                                                            \
    X(MASKED, "masked", "屏蔽")                                                                                                                                \
    X(FAULT, "fault", "传感器故障") X(STATION, "station", "分站故障") X(POINT_SILENT, "point-silent", "测点中断") X(MINE_LATE, "mine-late", "上传迟到")        \
        X(MINE_SILENT, "mine-silent", "联网中断") X(LAX_LIMIT, "lax-limit", "限值偏松") X(REPORTED, "reported", "矿方上报") X(RATE, "rate", "变化过快")        \
            X(STATE, "state", "状态异常") X(RAIN, "rain", "降雨预警") X(JOINT, "joint", "综合预警") X(OVER_TIME, "over-time", "超时")                          \
                X(OVER_PEOPLE, "over-people", "超员") X(RESTRICTED, "restricted", "进入限制区域") X(CALL, "call", "人员求救") X(SEAL, "seal", "电子封条")      \
                    X(VIDEO, "video", "视频异常") X(VEHICLE, "vehicle", "车辆异常") X(WARNING, "warning", "预警")
enum alarm_kind {
#define X(id, key, zh) ALARM_##id,
    ALARM_KINDS(X)
#undef X
        ALARM_KINDS_N
};
/* levels by name; the number only orders */
#define ALARM_LEVELS(X) X(NONE, "none", "无") X(BLUE, "blue", "蓝") X(YELLOW, "yellow", "黄") X(ORANGE, "orange", "橙") X(RED, "red", "红")
enum alarm_level {
#define X(id, key, zh) LEVEL_##id,
    ALARM_LEVELS(X)
#undef X
        ALARM_LEVELS_N
};
/* what is done about it */
#define ALARM_STATES(X)                                                                                                                                        \
    X(RAISED, "raised", "待确认")                                                                                                                              \
    X(ACKED, "acked", "已确认") X(CAUSED, "caused", "已查因") X(MEASURED, "measured", "已处置") X(VERIFIED, "verified", "已核实") X(CLOSED, "closed", "已关闭")
enum alarm_state {
#define X(id, key, zh) ALARM_ST_##id,
    ALARM_STATES(X)
#undef X
        ALARM_STATES_N
};
extern const char *const ALARM_KIND_KEY[], *const ALARM_KIND_ZH[], *const ALARM_LEVEL_KEY[], *const ALARM_LEVEL_ZH[], *const ALARM_STATE_KEY[],
                                                                                                                          *const ALARM_STATE_ZH[];
extern const char *const VALUE_TYPE_KEY[];

#define ALARM_WHY_CAP 240
#define ALARM_ID_CAP 25 /* 24 hex digits + NUL: digest of (mine, point, kind, start), so a re-judged alarm keeps its id and the officer's acts */
struct alarm {          /* the machine's half; the officer's half (ack, cause …) is in the store and is never written by detect */
    char id[ALARM_ID_CAP];
    char mine[24], point[48]; /* point "" for a whole mine; the station code for STATION */
    enum alarm_kind kind;
    enum alarm_level level;
    zb_time raised, cleared; /* event time; cleared ZB_TIME_NONE while it lasts */
    zb_time last;            /* last sample or tick that confirmed it */
    zb_fix peak, limit;      /* ZB_FIX_NONE where it makes no sense */
    uint32_t labels;         /* OR of ST_ bits seen while active: calibration, not polled … are labels, never silence */
    int count;               /* re-alarms merged into it by the off-delay */
    char group[64];          /* alarms of one cause share it; "" none */
    char note[320];          /* why, in Chinese, with the value and the limit's source */
    char note_en[320];       /* the same in English */
    char why[ALARM_WHY_CAP]; /* of a warning: its rule and facts, "rule @subject item=value …", to be said in any language; of what a mine told: the
                                same thing in our own judgement (alarm_same); "" else */
};

/* A warning whose hazard works in the shadow: its owner's business, not the desk's. */
#define ALARM_SHADOW "shadow/"
static inline bool alarm_shadow(const struct alarm *a) { return a->kind == ALARM_WARNING && !strncmp(a->group, ALARM_SHADOW, sizeof ALARM_SHADOW - 1); }

/* What a mine told, of itself: all that is known of its end may come in any order. */
#define ALARM_TOLD "report/"
static inline bool alarm_told(const struct alarm *a) { return !strncmp(a->group, ALARM_TOLD, sizeof ALARM_TOLD - 1); }
/* What `why` says of a report whose fact is an alarm of this kind and point where we find it ourselves. */
void alarm_same(enum alarm_kind k, const char *point, char out[ALARM_WHY_CAP]);

/* What a mine tells instead of a sample: its own alarms, people alarms, seal and video events, warnings of slope systems. */
struct event {
    enum alarm_kind kind;
    enum alarm_kind same_as; /* the same thing in our own judgement; ALARM_KINDS_N: nothing */
    enum alarm_level level;  /* NONE: the kind's */
    struct str subject;      /* point, card, area, camera: at most 47 bytes */
    struct str code;         /* what, in the family's own code */
    struct str say;          /* in words */
    zb_time start, end;      /* end NONE while it lasts; equal: a moment */
    zb_fix peak;
    bool past; /* out of a backlog: it stood at `end`, and may have gone on */
};
