/* Time is milliseconds since 1970 UTC (zb_time) and is a parameter everywhere; only the edges read a clock.
 * Everything shown or read is Beijing time (UTC+8, no daylight saving since 1991). Dates are integer days since 1970-01-01 (Beijing). */
#pragma once
#include "base/str.h"
#include <stdint.h>

typedef int64_t zb_time;
#define ZB_TIME_NONE INT64_MIN
#define ZB_SECOND ((zb_time)1000)
#define ZB_MINUTE (60 * ZB_SECOND)
#define ZB_HOUR (60 * ZB_MINUTE)
#define ZB_DAY (24 * ZB_HOUR)

zb_time zb_now(void); /* wall clock; edges only */
/* "yyyy-MM-dd HH:mm:ss" (also '/' or 'T' between, also with .fff and +08:00 or Z). The whole string or nothing; calendar checked. */
ZB_MUST bool zb_time_parse(struct str s, zb_time *ret);
ZB_MUST bool zb_time_stamp_parse(struct str s, zb_time *ret); /* "yyyyMMddHHmmss" */
ZB_MUST bool zb_day_parse(struct str s, int32_t *ret);        /* "yyyy-MM-dd" */
#define ZB_TIME_CAP 32
char *zb_time_text(zb_time t, char out[ZB_TIME_CAP]);                                         /* "2026-03-01 00:00:30" */
char *zb_time_iso(zb_time t, char out[ZB_TIME_CAP]);                                          /* "2026-03-01T00:00:30+08:00", with .fff when not whole */
char *zb_time_stamp(zb_time t, char out[ZB_TIME_CAP]);                                        /* "20260301000030" */
char *zb_day_text(int32_t day, char out[ZB_TIME_CAP]);                                        /* "2026-03-01" */
zb_time zb_day_start(int32_t day);                                                            /* its first moment in Beijing */
int32_t zb_day_of(zb_time t);                                                                 /* Beijing day of a time */
enum zb_unit { ZB_MONTH_UNIT = 1, ZB_QUARTER_UNIT = 3, ZB_HALF_UNIT = 6, ZB_YEAR_UNIT = 12 }; /* months */
/* The first day of the calendar period that holds `day`, n periods on (n < 0: back). */
int32_t zb_period_start(enum zb_unit u, int32_t day, int n);
int32_t zb_months(int32_t day, int n); /* the same date n months on, the month's last day where it has none */
