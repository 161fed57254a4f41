/* D9: does the upload agree with itself? Exact, cheap, and the most convincing evidence, because nothing statistical is needed. */
#include "detect/integrity.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool beyond(zb_fix a, zb_fix b, double tolerance) { return fabs((double)a - (double)b) > tolerance; }

void upload_find(const struct grid *g, const struct sample *s, int n, const struct five *f, int nf, const struct policy *p, struct hits *out) {
    const struct detect_upload *c = &p->detect.upload;
    double tolerance = c->tolerance_steps * (double)g->unit + 0.5;
    int breaks = 0, judged = 0, k = 0, first = -1, last = -1;
    zb_fix claimed = ZB_FIX_NONE, real = ZB_FIX_NONE;
    for (int i = 0; i < nf; i++) {
        if (f[i].start == ZB_TIME_NONE || f[i].end == ZB_TIME_NONE || !cell_value(f[i].max)) continue;
        /* whether the reading at either end counts is the vendor's choice: neither is asked, nor what its state speaks against */
        while (k > 0 && s[k - 1].t > f[i].start) k--;
        while (k < n && s[k].t <= f[i].start) k++;
        zb_fix hi = INT64_MIN, lo = INT64_MAX;
        int in = 0;
        for (int j = k; j < n && s[j].t < f[i].end; j++) {
            if (!cell_value(s[j].v) || (s[j].state & (ST_CALIB | ST_NOT_POLLED | ST_PAUSED | ST_FAULT | ST_NO_VALUE))) continue;
            in++;
            if (s[j].v > hi) hi = s[j].v;
            if (s[j].v < lo) lo = s[j].v;
        }
        if (in < c->min_samples) continue;
        judged++;
        /* a statistic may have seen more than the readings sent, never less: its maximum below theirs or its minimum above is a contradiction */
        bool less = f[i].max < hi && beyond(f[i].max, hi, tolerance);
        bool more = cell_value(f[i].min) && f[i].min > lo && beyond(f[i].min, lo, tolerance);
        bool mean = cell_value(f[i].avg) && (f[i].avg > f[i].max + (zb_fix)tolerance || (cell_value(f[i].min) && f[i].avg < f[i].min - (zb_fix)tolerance));
        if (!less && !more && !mean) continue;
        if (!breaks++) claimed = less ? f[i].max : more ? f[i].min : f[i].avg, real = less ? hi : more ? lo : f[i].max;
        int at = (int)((f[i].start - g->t0) / g->step);
        if (first < 0) first = at;
        last = at + 1;
    }
    if (breaks < c->min_breaks || first < 0) return;
    struct hit *h = hit_new(out, p, DETECTOR_UPLOAD, first, last);
    char x[ZB_FIX_CAP], y[ZB_FIX_CAP];
    zb_fix_text(claimed, x), zb_fix_text(real, y);
    h->seen = breaks, h->expected = 0;
    snprintf(h->zh, sizeof h->zh, "%d个五分钟统计中%d个与实时值矛盾，例如统计为%s而实时为%s", judged, breaks, x, y);
    snprintf(h->en, sizeof h->en, "%d of %d five-minute statistics contradict the readings, for example %s against %s", breaks, judged, x, y);
}

static bool laxer_hi(zb_fix own, zb_fix law, double t) { return law != ZB_FIX_NONE && own != ZB_FIX_NONE && (double)own > (double)law + t; }
static bool laxer_lo(zb_fix own, zb_fix law, double t) { return law != ZB_FIX_NONE && own != ZB_FIX_NONE && (double)own < (double)law - t; }

void limits_find(const struct limits *own, const struct limits *law, const struct policy *p, struct hits *out) {
    double t = p->detect.limits.tolerance * (double)ZB_FIX_ONE;
    static const struct { const char *zh, *en; } NAME[] = {{"报警值", "alarm"}, {"断电值", "cut"}, {"复电值", "restore"}, {"低报警值", "low alarm"}};
    const zb_fix pair[][2] = {{own->hi_alarm, law->hi_alarm}, {own->hi_cut, law->hi_cut}, {own->hi_restore, law->hi_restore}, {own->lo_alarm, law->lo_alarm}};
    for (int i = 0; i < 4; i++) {
        bool lax = i < 3 ? laxer_hi(pair[i][0], pair[i][1], t) : laxer_lo(pair[i][0], pair[i][1], t);
        if (!lax) continue;
        struct hit *h = hit_new(out, p, DETECTOR_LIMITS, 0, 0);
        h->seen = zb_fix_double(pair[i][0]), h->expected = zb_fix_double(pair[i][1]);
        snprintf(h->zh, sizeof h->zh, "%s设为%g，规定%g", NAME[i].zh, h->seen, h->expected);
        snprintf(h->en, sizeof h->en, "%s set to %g where the regulation has %g", NAME[i].en, h->seen, h->expected);
    }
}
