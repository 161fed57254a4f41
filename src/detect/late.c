/* Late data: the merged past of a mine is judged anew in a state of its own, as if every sample had come in time, and what then stands is taken over. */
#include "detect/state.h"
#include <stdlib.h>

/* What samples alone decide; silence, stations and reports have their own clocks and inputs. */
#define KINDS                                                                                                                                                  \
    (1u << ALARM_OVER_HI | 1u << ALARM_OVER_LO | 1u << ALARM_CUT | 1u << ALARM_OVER_RANGE | 1u << ALARM_FEED | 1u << ALARM_CALIB | 1u << ALARM_MASKED |        \
     1u << ALARM_FAULT | 1u << ALARM_STATE)

void late_note(struct step *s, zb_time t) {
    const struct silence_rule *r = &s->p->silence;
    struct mine_state *m = s->m;
    if (t < s->now - r->late_window) return; /* too old to be judged again; it is kept */
    if (t < m->late_from) m->late_from = t;
    if (m->late_by == INT64_MAX) m->late_by = s->now + r->late_at_most;
    m->late_due = s->now + r->late_settle < m->late_by ? s->now + r->late_settle : m->late_by;
}

zb_time mine_late(const struct mine_state *m, zb_time *from) {
    *from = m->late_from;
    return m->late_due;
}

bool alarm_of_samples(enum alarm_kind k) { return KINDS >> k & 1; }

struct next {
    zb_time t;
    int past, at;
};
static int by_time(const void *a, const void *b) {
    const struct next *x = a, *y = b;
    return x->t != y->t ? (x->t < y->t ? -1 : 1) : x->past - y->past;
}

static struct mine_state *state_like(struct mine_state *m) {
    struct mine_state *s = mine_new(&m->f);
    s->past = true;
    for (int i = 0; i < m->n; i++) {
        struct point_def d = m->pt[i]->def;
        d.relation = str_of(m->pt[i]->relation ? m->pt[i]->relation : "");
        struct pt *pt = pt_make(s, &d);
        if (!pt) break; /* there is room for as many as m has */
        pt->defined = m->pt[i]->defined;
        pt->confirmed = m->pt[i]->confirmed;
    }
    for (int i = 0; i < s->n; i++) links_make(s, s->pt[i]);
    return s;
}

/* The last word on each alarm. An alarm that stood before the window began is not told: its beginning is not seen. */
static void last_words(const struct alarm_diffs *all, const struct past *past, int n, bool cut, struct alarm_diffs *out) {
    struct map seen = {0};
    for (int i = all->n - 1; i >= 0; i--) {
        const struct alarm *a = &all->a[i];
        bool first = false;
        if (!alarm_of_samples(a->kind) || map_get(&seen, str_of(a->id))) continue;
        map_set(&seen, str_of(a->id), out);
        for (int k = 0; cut && k < n && !first; k++) first = past[k].n && str_is(past[k].point, a->point) && past[k].v[0].t == a->raised;
        if (!first) alarm_tell(out, a);
    }
    map_done(&seen);
}

void mine_rejudge(const struct policy *p, struct mine_state *m, const struct past *past, int n, bool cut, struct alarm_diffs *out) {
    struct mine_state *s = state_like(m);
    struct alarm_diffs all = {0};
    size_t total = 0, k = 0;
    for (int i = 0; i < n; i++) total += (size_t)past[i].n;
    struct next *order = xmalloc((total + 1) * sizeof *order);
    for (int i = 0; i < n; i++)
        for (int at = 0; at < past[i].n; at++) order[k++] = (struct next){past[i].v[at].t, i, at};
    qsort(order, total, sizeof *order, by_time);
    for (k = 0; k < total; k++) {
        const struct sample *x = &past[order[k].past].v[order[k].at];
        (void)mine_sample(p, s, past[order[k].past].point, x, x->t, &all);
    }
    last_words(&all, past, n, cut, out);
    for (int i = 0; i < m->n; i++) {
        struct pt *to = m->pt[i], *from = s->pt[i];
        if (from->last.t == ZB_TIME_NONE || from->last.t != to->last.t) continue;
        if (!cut || !from->live) lives_move(m, to, from, KINDS);
        memcpy(to->valid, from->valid, sizeof to->valid);
        to->lost_at = from->lost_at;
        if (to->live) m->due = INT64_MIN; /* its timers are looked at on the next tick */
    }
    m->late_from = m->late_due = m->late_by = INT64_MAX;
    alarm_diffs_done(&all);
    free(order);
    mine_free(s);
}
