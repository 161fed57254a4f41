#include "detect/complete.h"
#include <string.h>

const char *const POINT_MARK_KEY[] = {
#define X(id, key, zh) key,
    POINT_MARKS(X)
#undef X
};
const char *const POINT_MARK_ZH[] = {
#define X(id, key, zh) zh,
    POINT_MARKS(X)
#undef X
};

static void mark(struct point_feed *p, enum point_mark m) { p->marks |= 1u << m; }

/* A point that began within the window owes nothing before its first sample, and of that hour only what came; one that ended owes to the end. */
static void count(struct point_feed *p, int hours, zb_time last_part) {
    p->first = p->last = p->renamed = -1;
    p->expected = p->received = 0;
    p->masked = p->calibrated = 0;
    p->marks = 0;
    for (int h = 0; h < hours; h++) {
        const struct point_hour *x = &p->hour[h];
        if (x->n && p->first < 0) p->first = h;
        if (x->n) p->last = h;
        p->masked += x->n && (x->states & (ST_NOT_POLLED | ST_PAUSED));
        p->calibrated += x->n && (x->states & ST_CALIB);
    }
    for (int h = p->before || p->first < 0 ? 0 : p->first; h < hours && p->per_hour; h++) {
        int64_t due = h == hours - 1 ? p->per_hour * last_part / ZB_HOUR : p->per_hour;
        if (h == p->first && !p->before && p->hour[h].n < due) due = p->hour[h].n;
        p->expected += due;
        p->received += p->hour[h].n < due ? p->hour[h].n : due;
    }
    if (p->masked) mark(p, MARK_MASKED);
    if (p->calibrated) mark(p, MARK_CALIBRATED);
}

static bool same_sensor(const struct point_def *a, const struct point_def *b) {
    return a->location[0] && !strcmp(a->location, b->location) && !strcmp(a->sensor_type, b->sensor_type);
}

/* It ended, and within the time after which it would count as gone another code began at the same place with the same kind of sensor. */
static void renamed_find(const struct complete_rule *r, struct point_feed *p, int n, int i, int hours) {
    if (p[i].last < 0 || p[i].last >= hours - 2) return;
    for (int k = 0; k < n; k++) {
        bool follows = p[k].first >= p[i].last && p[k].first <= p[i].last + r->vanish_hours;
        if (k == i || p[k].before || !follows || !same_sensor(p[i].def, p[k].def)) continue;
        p[i].renamed = k;
        mark(&p[i], MARK_RENAMED);
        return;
    }
}

static void bulk_find(const struct complete_rule *r, struct point_feed *p, int n, int h, int *bulk) {
    int sent = 0, calibrated = 0;
    *bulk = 0;
    for (int i = 0; i < n; i++) {
        sent += p[i].hour[h].n > 0;
        calibrated += p[i].hour[h].n && (p[i].hour[h].states & ST_CALIB);
    }
    if (calibrated < r->bulk_points || calibrated * 100 < r->bulk_percent * sent) return;
    *bulk = calibrated;
    for (int i = 0; i < n; i++)
        if (p[i].hour[h].n && (p[i].hour[h].states & ST_CALIB)) mark(&p[i], MARK_BULK);
}

void complete_judge(const struct complete_rule *r, struct point_feed *p, int n, int hours, zb_time last_part, int *bulk) {
    int alive = -1; /* last hour in which the mine sent anything */
    for (int i = 0; i < n; i++) {
        count(&p[i], hours, last_part);
        if (p[i].last > alive) alive = p[i].last;
    }
    for (int i = 0; i < n; i++) {
        if (p[i].last < 0 && !p[i].before) mark(&p[i], MARK_NEVER);
        if (p[i].first > 0 && !p[i].before) mark(&p[i], MARK_FRESH);
        bool had = p[i].last >= 0 || p[i].before;
        if (had && alive - p[i].last >= r->vanish_hours) mark(&p[i], MARK_VANISHED);
        renamed_find(r, p, n, i, hours);
    }
    for (int h = 0; h < hours; h++) bulk_find(r, p, n, h, &bulk[h]);
}
