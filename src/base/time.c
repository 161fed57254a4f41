#include "base/time.h"
#include <stdio.h>
#include <time.h>

enum { BEIJING_MS = 8 * 3600 * 1000 };

zb_time zb_now(void) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (zb_time)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Civil date <-> days, after the well-known era arithmetic (400-year eras starting in March). */
static int64_t days_of(int64_t y, int m, int d) {
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}
static void civil_of(int64_t z, int *y, int *m, int *d) {
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = (int)(yoe + era * 400 + (*m <= 2));
}
static bool digits(const char *p, int n, int *ret) {
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return false;
        v = v * 10 + (p[i] - '0');
    }
    *ret = v;
    return true;
}
static bool calendar(int y, int m, int d) {
    static const int len[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (y < 1900 || y > 2200 || m < 1 || m > 12 || d < 1) return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return d <= len[m - 1] + (m == 2 && leap);
}
static bool assemble(int y, int mo, int d, int h, int mi, int s, int ms, int64_t offset_ms, zb_time *ret) {
    if (!calendar(y, mo, d) || h > 23 || mi > 59 || s > 59) return false;
    *ret = ((days_of(y, mo, d) * 24 + h) * 60 + mi) * ZB_MINUTE + s * ZB_SECOND + ms - offset_ms;
    return true;
}

bool zb_time_parse(struct str s, zb_time *ret) {
    int y, mo, d, h, mi, sec, ms = 0;
    int64_t off = BEIJING_MS;
    if (s.n < 19 || s.p[4] != '-' || s.p[7] != '-' || !(s.p[10] == ' ' || s.p[10] == 'T' || s.p[10] == '/') || s.p[13] != ':' || s.p[16] != ':') return false;
    if (!digits(s.p, 4, &y) || !digits(s.p + 5, 2, &mo) || !digits(s.p + 8, 2, &d) || !digits(s.p + 11, 2, &h) || !digits(s.p + 14, 2, &mi) ||
        !digits(s.p + 17, 2, &sec))
        return false;
    struct str rest = {s.p + 19, s.n - 19};
    if (rest.n && rest.p[0] == '.') {
        int k = 0, v;
        while ((size_t)k + 1 < rest.n && digits(rest.p + 1 + k, 1, &v)) {
            static const int weight[] = {100, 10, 1};
            if (k < 3) ms += v * weight[k];
            k++;
        }
        if (k == 0 || k > 9) return false;
        rest.p += k + 1, rest.n -= (size_t)k + 1;
    }
    if (rest.n == 1 && rest.p[0] == 'Z') {
        off = 0;
    } else if (rest.n == 6 && (rest.p[0] == '+' || rest.p[0] == '-') && rest.p[3] == ':') {
        int oh, om;
        if (!digits(rest.p + 1, 2, &oh) || !digits(rest.p + 4, 2, &om) || oh > 14 || om > 59) return false;
        off = (oh * 60 + om) * ZB_MINUTE * (rest.p[0] == '-' ? -1 : 1);
    } else if (rest.n) {
        return false;
    }
    return assemble(y, mo, d, h, mi, sec, ms, off, ret);
}

bool zb_time_stamp_parse(struct str s, zb_time *ret) {
    int y, mo, d, h, mi, sec;
    return s.n == 14 && digits(s.p, 4, &y) && digits(s.p + 4, 2, &mo) && digits(s.p + 6, 2, &d) && digits(s.p + 8, 2, &h) && digits(s.p + 10, 2, &mi) &&
           digits(s.p + 12, 2, &sec) && assemble(y, mo, d, h, mi, sec, 0, BEIJING_MS, ret);
}

bool zb_day_parse(struct str s, int32_t *ret) {
    int y, m, d;
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !digits(s.p, 4, &y) || !digits(s.p + 5, 2, &m) || !digits(s.p + 8, 2, &d) || !calendar(y, m, d))
        return false;
    *ret = (int32_t)days_of(y, m, d);
    return true;
}

struct broken {
    int y, mo, d, h, mi, s, ms;
};
static struct broken broken_of(zb_time t) {
    struct broken b;
    int64_t u = t + BEIJING_MS, day = u / ZB_DAY - (u % ZB_DAY < 0), ms = u - day * ZB_DAY;
    civil_of(day, &b.y, &b.mo, &b.d);
    b.h = (int)(ms / ZB_HOUR), b.mi = (int)(ms / ZB_MINUTE % 60), b.s = (int)(ms / 1000 % 60), b.ms = (int)(ms % 1000);
    return b;
}
static bool printable(zb_time t) { return t > -2000000000000LL * 2 && t < 8000000000000LL; }

/* n digits and what stands behind them: lists are full of days and times, printf would be most of their cost. */
static char *put(char *to, int v, int n, char after) {
    for (int i = n; i--; v /= 10) to[i] = (char)('0' + v % 10);
    to[n] = after;
    return to + n + 1;
}
static char *day_put(char *to, int y, int mo, int d, char after) {
    y %= 10000;
    to = put(to, y < 0 ? y + 10000 : y, 4, '-');
    return put(put(to, mo, 2, '-'), d, 2, after);
}
static char *clock_put(char *to, const struct broken *b, char after) { return put(put(put(to, b->h, 2, ':'), b->mi, 2, ':'), b->s, 2, after); }

char *zb_time_text(zb_time t, char out[ZB_TIME_CAP]) {
    out[0] = '\0';
    if (!printable(t)) return out;
    struct broken b = broken_of(t);
    clock_put(day_put(out, b.y, b.mo, b.d, ' '), &b, '\0');
    return out;
}
char *zb_time_iso(zb_time t, char out[ZB_TIME_CAP]) {
    out[0] = '\0';
    if (!printable(t)) return out;
    struct broken b = broken_of(t);
    char *at = clock_put(day_put(out, b.y, b.mo, b.d, 'T'), &b, b.ms ? '.' : '+');
    if (b.ms) at = put(at, b.ms, 3, '+');
    memcpy(at, "08:00", sizeof "08:00");
    return out;
}
char *zb_time_stamp(zb_time t, char out[ZB_TIME_CAP]) {
    char text[ZB_TIME_CAP], *to = out;
    for (const char *p = zb_time_text(t, text); *p; p++)
        if (*p >= '0' && *p <= '9') *to++ = *p;
    *to = '\0';
    return out;
}
char *zb_day_text(int32_t day, char out[ZB_TIME_CAP]) {
    int y, m, d;
    civil_of(day, &y, &m, &d);
    day_put(out, y, m, d, '\0');
    return out;
}
zb_time zb_day_start(int32_t day) { return (zb_time)day * ZB_DAY - BEIJING_MS; }
int32_t zb_day_of(zb_time t) {
    int64_t u = t + BEIJING_MS;
    return (int32_t)(u / ZB_DAY - (u % ZB_DAY < 0));
}

int32_t zb_period_start(enum zb_unit u, int32_t day, int n) {
    int y, m, d, size = (int)u;
    civil_of(day, &y, &m, &d);
    int64_t month = (int64_t)y * 12 + m - 1;
    month = month / size * size + (int64_t)n * size;
    return (int32_t)days_of(month / 12, (int)(month % 12) + 1, 1);
}
int32_t zb_months(int32_t day, int n) {
    int y, m, d;
    civil_of(day, &y, &m, &d);
    int64_t month = (int64_t)y * 12 + m - 1 + n;
    int32_t first = (int32_t)days_of(month / 12, (int)(month % 12) + 1, 1), next = zb_period_start(ZB_MONTH_UNIT, first, 1);
    return first + d - 1 < next ? first + d - 1 : next - 1;
}
