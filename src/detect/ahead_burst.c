/* Rock burst live: events are counted by shift; a shift that is over is judged for the next. A quiet shift is known as such only when a later event comes: no
 * event and no upload look alike. */
#include "detect/ahead.h"
#include <math.h>
#include <stdlib.h>

#define BEIJING (8 * ZB_HOUR)
#define GRACE (10 * ZB_MINUTE) /* events of a shift that is over may still be coming, file by file */

struct burst_ahead *burst_ahead_new(void) {
    struct burst_ahead *b = xcalloc(1, sizeof *b);
    b->open = INT64_MIN;
    return b;
}
void burst_ahead_free(struct burst_ahead *b) { free(b); }

static zb_time length_of(const struct policy *p) { return (zb_time)(p->detect.burst.shift_h * ZB_HOUR); }

/* Coal is taken to be won when a switch of work says so, or when there is none. */
static bool works(const struct step *s, zb_time from) {
    bool any = false;
    for (int i = 0; i < s->m->n; i++) {
        const struct pt *pt = s->m->pt[i];
        if (pt->last.t == ZB_TIME_NONE || pt->last.t < from - ZB_DAY || !word_in(s->p->detect.work_types, str_of(pt->def.sensor_type))) continue;
        if (pt->last.v > 0) return true;
        any = true;
    }
    return !any;
}

static void keep(struct burst_ahead *b, const struct burst_shift *one) {
    if (b->n == BURST_KEPT) {
        memmove(b->shift, b->shift + 1, sizeof b->shift - sizeof *b->shift);
        memmove(b->score, b->score + 1, sizeof b->score - sizeof *b->score);
        b->n--;
    }
    b->shift[b->n] = *one;
    b->score[b->n++] = NAN;
}

static void judge(struct step *s, zb_time end) {
    struct burst_ahead *b = s->m->burst;
    const struct detect_burst *r = &s->p->detect.burst;
    int now = b->n - 1, k = 0, before = (int)r->before;
    double past[BURST_KEPT], energy[BURST_KEPT];
    struct warn_facts f;
    if (!b->fitted) return;
    for (int i = 0; i < now; i++)
        if (isfinite(b->score[i])) past[k++] = b->score[i];
    double score = b->score[now] = burst_score(r, &b->model, b->shift, now);
    int from = now - before > 0 ? now - before : 0;
    for (int i = from; i < now; i++) energy[i - from] = b->shift[i].energy;
    warn_facts_clear(&f);
    warn_fact(s->p, &f, "burst_flag", score > burst_cut(r, &b->model, past, k));
    warn_fact(s->p, &f, "burst_deviation", deviation_percent(b->shift[now].energy, energy, now - from));
    warn_fact(s->p, &f, "burst_chance", logistic(score));
    warn_fact(s->p, &f, "burst_hours", r->shift_h);
    ahead_warn(s, "", DETECTOR_BURST, &f, end);
}

/* Closes the open shift, and those without any event after it, up to the shift `to`. */
static void close_until(struct step *s, int64_t to) {
    struct burst_ahead *b = s->m->burst;
    zb_time length = length_of(s->p);
    for (int left = BURST_KEPT; b->open < to; b->open++) {
        if (to - b->open > BURST_KEPT) b->open = to - BURST_KEPT; /* a silence longer than what is kept */
        zb_time begin = b->open * length - BEIJING;
        b->now.working = works(s, begin);
        keep(b, &b->now);
        b->now = (struct burst_shift){0};
        judge(s, begin + length);
        if (--left < 0) return;
    }
}

/* When the open shift is to be closed without a later event. */
static zb_time due_of(const struct step *s) {
    const struct burst_ahead *b = s->m->burst;
    zb_time end = (b->open + 1) * length_of(s->p) - BEIJING;
    return end > b->received + GRACE ? end : b->received + GRACE;
}

void burst_ahead_sample(struct step *s, struct pt *pt, const struct sample *x) {
    const struct detect_burst *r = &s->p->detect.burst;
    int64_t shift = (x->t + BEIJING) / length_of(s->p);
    double joule = zb_fix_double(x->v);
    if (!s->m->burst) s->m->burst = burst_ahead_new();
    struct burst_ahead *b = s->m->burst;
    if (b->open == INT64_MIN) b->open = shift;
    if (shift < b->open) return; /* of a shift that is judged already */
    close_until(s, shift);
    if (pt->ahead->what == FORECAST_ACOUSTIC) {
        b->now.acoustic += joule;
    } else {
        b->now.events++;
        b->now.strong += joule >= r->strong;
        b->now.energy += joule;
    }
    b->received = s->now;
    if (due_of(s) < s->m->due) s->m->due = due_of(s);
}

zb_time burst_tick(struct step *s) {
    struct burst_ahead *b = s->m->burst;
    bool counted = b->open != INT64_MIN && (b->now.events > 0 || b->now.acoustic > 0);
    if (!counted) return INT64_MAX;
    if (due_of(s) > s->now) return due_of(s);
    close_until(s, b->open + 1);
    return INT64_MAX;
}
