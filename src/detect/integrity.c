/* D11: the parts of a sensor's day put together. */
#include "detect/integrity.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double BY_GRADE[] = {0, 0.3, 0.6, 0.9};

static bool overlaps(const struct calib_span *c, int n, int from, int to) {
    for (int i = 0; i < n; i++)
        if (c[i].from < to && from < c[i].to) return true;
    return false;
}
static bool any_state(const struct grid *g, int from, int to, uint32_t bits) {
    for (int i = from < 0 ? 0 : from; i < to && i < g->n; i++)
        if (g->state[i] & bits) return true;
    return false;
}

static void part_add(struct integrity_day *d, const struct hit *h) {
    struct part *x = NULL;
    for (int i = 0; i < d->parts; i++)
        if (d->part[i].detector == h->detector) x = &d->part[i];
    if (!x) {
        x = &d->part[d->parts++];
        *x = (struct part){.detector = h->detector};
    }
    x->hits++;
    if (h->grade > x->grade) x->grade = h->grade;
    x->score = BY_GRADE[x->grade];
}

static void explain(const struct sensor_day *in, const struct integrity_day *d, const struct hit *h, struct clue *c) {
    clue_innocent(c, "已申报的停用、标校或检修", "a declared outage, calibration or repair", in->declared ? LOOKED_FOUND : LOOKED_ABSENT);
    clue_innocent(c, "标校（标志位或标准气体形态）", "calibration (flag or shape of a test gas)",
                  any_state(in->g, h->from, h->to, ST_CALIB) || overlaps(d->calib, d->calibs, h->from, h->to) ? LOOKED_FOUND : LOOKED_ABSENT);
    clue_innocent(c, "分站或传感器故障标志", "station or sensor marked faulty",
                  any_state(in->g, h->from, h->to, ST_STATION | ST_FAULT) ? LOOKED_FOUND : LOOKED_ABSENT);
    bool work = false;
    for (int i = h->from; in->g->work && i < h->to && i < in->g->n; i++) work = work || in->g->work[i] == REGIME_WORK;
    if (h->detector == DETECTOR_FLAT || h->detector == DETECTOR_SMOOTH)
        clue_innocent(c, "工作面停产，瓦斯自然平稳", "the face rests and gas stands still by itself",
                      !in->g->work ? LOOKED_NO
                      : work       ? LOOKED_ABSENT
                                   : LOOKED_FOUND);
}

/* What a test measures, in words an inspector reads: hit.seen and hit.expected times `scale` in `unit`. */
static const struct {
    const char *zh, *en, *unit;
    double scale;
} MEASURE[DETECTORS_N] = {
    [DETECTOR_FLAT] = {"连续相同的读数（应有：少见的长度）", "equal readings in a row (expected: a rare length)", "个", 1},
    [DETECTOR_REPLAY] = {"与先前一段相同的读数", "readings equal to an earlier stretch", "个", 1},
    [DETECTOR_NEAR] = {"与先前一段的差别（应有：别处最小的）", "difference from an earlier stretch (expected: closest other)", "个最小单位", 1},
    [DETECTOR_CLAMP] = {"停在最高值的读数（应有：平时最多）", "readings at the highest value (expected: usual most)", "%", 100},
    [DETECTOR_SMOOTH] = {"相邻读数的变化（应有：平时最低）", "movement between readings (expected: the least usual)", "个最小单位", 1},
};

/* more: further hits of the same test that day, told by the first; until: where the last of them ends. */
static void clue_of(const struct sensor_day *in, const struct policy *p, const struct integrity_day *d, const struct hit *h, int more, int until,
                    struct clues *out) {
    char from[ZB_TIME_CAP], to[ZB_TIME_CAP];
    zb_time a = h->to > h->from ? grid_time(in->g, h->from) : grid_time(in->g, in->g->day),
            b = h->to > h->from ? grid_time(in->g, h->to) : grid_time(in->g, in->g->n);
    if (h->detector == DETECTOR_LIMITS) a = 0; /* one clue while the setting stands, not one a day */
    struct clue *c = clue_new(out, p, h->detector, in->mine, in->point, a, b);
    const struct detector *w = &p->detect.who[h->detector];
    c->grade = h->grade;
    c->chance = h->chance;
    bool named = MEASURE[h->detector].zh != NULL;
    double scale = named ? MEASURE[h->detector].scale : 1;
    struct clue_factor *f = clue_factor(c, named ? MEASURE[h->detector].zh : w->zh, named ? MEASURE[h->detector].en : w->en,
                                        named ? MEASURE[h->detector].unit : "", scale * h->seen, scale * h->expected);
    snprintf(f->how_zh, sizeof f->how_zh, "本测点此前%d天的规律", (int)(in->g->day * in->g->step / ZB_DAY));
    snprintf(f->how_en, sizeof f->how_en, "this point's own habit over the %d days before", (int)(in->g->day * in->g->step / ZB_DAY));
    explain(in, d, h, c);
    zb_time_text(grid_time(in->g, h->from), from), zb_time_text(b, to);
    if (h->detector == DETECTOR_LIMITS) {
        snprintf(c->zh, sizeof c->zh, "%.*s（%.*s）限值设置宽于规定：%s。", STR_ARG(in->location), STR_ARG(in->point), h->zh);
        snprintf(c->en, sizeof c->en, "%.*s (%.*s): limits laxer than the regulation: %s.", STR_ARG(in->location), STR_ARG(in->point), h->en);
        c->from = grid_time(in->g, in->g->day);
    } else {
        snprintf(c->zh, sizeof c->zh, "%.*s（%.*s）%s至%s：%s。", STR_ARG(in->location), STR_ARG(in->point), from, to, h->zh);
        snprintf(c->en, sizeof c->en, "%.*s (%.*s), %s to %s: %s.", STR_ARG(in->location), STR_ARG(in->point), from, to, h->en);
    }
    if (h->source >= 0) {
        char src[ZB_TIME_CAP];
        zb_time_text(grid_time(in->g, h->source), src);
        snprintf(c->zh + strlen(c->zh), sizeof c->zh - strlen(c->zh), "原始时段自%s起。", src);
        snprintf(c->en + strlen(c->en), sizeof c->en - strlen(c->en), " The original begins at %s.", src);
    }
    if (more) {
        c->to = grid_time(in->g, until);
        snprintf(c->zh + strlen(c->zh), sizeof c->zh - strlen(c->zh), "当日另有%d处。", more);
        snprintf(c->en + strlen(c->en), sizeof c->en - strlen(c->en), " %d more that day.", more);
    }
    clue_seal(c);
}

/* Two different weak tests of one day agree: together a clue. */
static void weak_together(const struct sensor_day *in, const struct policy *p, struct integrity_day *d, const struct hits *all, struct clues *out) {
    int kinds = 0;
    for (int i = 0; i < d->parts; i++) kinds += d->part[i].grade == 1;
    if (d->grade > 1 || kinds < 2) return;
    d->grade = 2;
    struct clue *c = clue_new(out, p, DETECTOR_DAY, in->mine, in->point, grid_time(in->g, in->g->day), grid_time(in->g, in->g->n));
    c->grade = 2;
    char *zh = c->zh, *en = c->en;
    snprintf(zh, sizeof c->zh, "%.*s（%.*s）一天内%d种方法均提示异常：", STR_ARG(in->location), STR_ARG(in->point), kinds);
    snprintf(en, sizeof c->en, "%.*s (%.*s): %d kinds of test agree on one day:", STR_ARG(in->location), STR_ARG(in->point), kinds);
    for (int i = 0; i < all->n; i++) {
        const struct hit *h = &all->h[i];
        clue_factor(c, p->detect.who[h->detector].zh, p->detect.who[h->detector].en, "", h->seen, h->expected);
        snprintf(zh + strlen(zh), sizeof c->zh - strlen(zh), "%s；", h->zh);
        snprintf(en + strlen(en), sizeof c->en - strlen(en), " %s;", h->en);
    }
    if (all->n) explain(in, d, &all->h[0], c);
    clue_seal(c);
}

/* Values without gaps, and the cell of each. */
static int packed(const struct grid *g, zb_fix **v, int **cell, int *day) {
    int n = 0;
    *v = xmalloc((size_t)(g->n + 1) * sizeof **v);
    *cell = xmalloc((size_t)(g->n + 1) * sizeof **cell);
    *day = 0;
    for (int i = 0; i < g->n; i++) {
        if (i == g->day) *day = n;
        if (g->v[i] != CELL_NONE) (*v)[n] = g->v[i], (*cell)[n++] = i;
    }
    return n;
}

static void copies(const struct grid *g, const struct integrity_day *d, const struct policy *p, struct hits *all) {
    zb_fix *v;
    int *cell, day, n = packed(g, &v, &cell, &day), first = all->n;
    replay_find(v, n, day, p, all);
    for (int i = first; i < all->n; i++) {
        struct hit *h = &all->h[i];
        h->to = cell[h->to - 1] + 1, h->from = cell[h->from], h->source = cell[h->source];
    }
    free(v), free(cell);
    int exact = all->n;
    near_find(g, d->calib, d->calibs, p, all);
    if (exact > first) all->n = exact; /* a day with exact copies is told by them */
}

void integrity_judge(const struct sensor_day *in, const struct policy *p, struct integrity_day *d, struct clues *out) {
    struct hits all = {0};
    *d = (struct integrity_day){0};
    d->calibs = calib_find(in->g, in->beside, &p->detect.calib, d->calib, 8);
    struct flat_norm norm = flat_learn(in->g, &p->detect.flat);
    flat_find(in->g, in->beside, &norm, p, &all);
    copies(in->g, d, p, &all);
    clamp_find(in->g, in->limit, in->range_hi, p, &all);
    smooth_find(in->g, p, &all);
    if (in->steady) level_find(in->g, p, &all);
    coincide_find(in->g, in->limit, &in->events, p, &all);
    if (in->fan_stops) react_find(in->g, in->fan_stop, in->fan_stops, "风机停止", "the fan stopped", p, &all);
    if (!in->steady) test_gas_find(in->g, in->limit, p, &all);
    if (in->fives) upload_find(in->g, in->s, in->n, in->five, in->fives, p, &all);
    if (in->own && in->law) limits_find(in->own, in->law, p, &all);
    double open = 1;
    for (int i = 0; i < all.n; i++) {
        part_add(d, &all.h[i]);
        if (all.h[i].grade > d->grade) d->grade = all.h[i].grade;
    }
    for (int i = 0; i < all.n; i++) {
        bool first = all.h[i].grade >= p->detect.day.open_grade;
        int more = 0, until = all.h[i].to;
        for (int k = 0; k < all.n; k++) {
            if (all.h[k].detector != all.h[i].detector || all.h[k].grade < p->detect.day.open_grade) continue;
            first = first && k >= i;
            more += k > i;
            if (all.h[k].to > until) until = all.h[k].to;
        }
        if (first) clue_of(in, p, d, &all.h[i], more, until, out);
    }
    weak_together(in, p, d, &all, out);
    for (int i = 0; i < d->parts; i++) open *= 1 - d->part[i].score;
    d->score = 1 - open;
    hits_done(&all);
}
