/* The machine's half of an alarm's life: raise, merge within the off-delay, clear. The event's time decides, the receive time only drives the timers. */
#include "detect/state.h"
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

void alarm_diffs_done(struct alarm_diffs *d) {
    free(d->a);
    *d = (struct alarm_diffs){0};
}

void alarm_tell(struct alarm_diffs *d, const struct alarm *a) {
    if (d->n == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 32;
        d->a = xrealloc(d->a, (size_t)d->cap * sizeof *d->a);
    }
    d->a[d->n++] = *a;
}

static bool told(enum alarm_kind k) { /* by the mine, not judged from samples, or a warning, one a hazard: several may stand for one subject */
    switch (k) {
    case ALARM_REPORTED:
    case ALARM_WARNING:
    case ALARM_OVER_TIME:
    case ALARM_OVER_PEOPLE:
    case ALARM_RESTRICTED:
    case ALARM_CALL:
    case ALARM_SEAL:
    case ALARM_VIDEO:
    case ALARM_VEHICLE: return true;
    default: return false;
    }
}
static void emit(struct step *s, const struct alarm *a) { alarm_tell(s->out, a); }

static void id_make(struct alarm *a) {
    char text[240];
    unsigned char h[32];
    int n = snprintf(text, sizeof text, "%s|%s|%s|%lld%s", a->mine, a->point, ALARM_KIND_KEY[a->kind], (long long)a->raised, told(a->kind) ? a->group : "");
    SHA256((const unsigned char *)text, (size_t)n, h);
    for (int i = 0; i < 12; i++) snprintf(a->id + 2 * i, 3, "%02x", h[i]);
}

static struct live **list_of(struct mine_state *m, struct pt *pt) { return pt ? &pt->live : &m->own; }

/* What mines tell of one point differs by what and since when: that is its group. */
static struct live *find(struct mine_state *m, struct pt *pt, const char *point, enum alarm_kind k, const char *group) {
    for (struct live *l = *list_of(m, pt); l; l = l->next)
        if (l->a.kind == k && (pt || !strcmp(l->a.point, point)) && (!told(k) || !strcmp(l->a.group, group))) return l;
    return NULL;
}

struct live *alarm_find(struct mine_state *m, struct pt *pt, const char *point, enum alarm_kind k) {
    return find(m, pt, point, k, "");
}

bool told_stands(struct mine_state *m, const char *point, enum alarm_kind k, const char *group) { return find(m, NULL, point, k, group) != NULL; }

bool alarm_stands(struct mine_state *m, struct pt *pt, enum alarm_kind k) {
    const struct live *l = alarm_find(m, pt, "", k);
    return l && l->on && l->off_from == ZB_TIME_NONE;
}

enum alarm_level point_level(const struct pt *pt) {
    enum alarm_level top = LEVEL_NONE;
    for (const struct live *l = pt->live; l; l = l->next)
        if (l->on && l->a.level > top) top = l->a.level;
    return top;
}

static void drop(struct mine_state *m, struct pt *pt, struct live *l) {
    for (struct live **p = list_of(m, pt); *p; p = &(*p)->next)
        if (*p == l) {
            *p = l->next;
            free(l);
            return;
        }
}

static void clear(struct step *s, struct pt *pt, struct live *l) {
    l->a.cleared = l->off_from;
    emit(s, &l->a);
    drop(s->m, pt, l);
}

static void words_of(struct alarm *a, const struct cond *c) {
    str_copy(str_of(c->note), a->note, sizeof a->note);
    str_copy(str_of(c->note_en), a->note_en, sizeof a->note_en);
    str_copy(str_of(c->why), a->why, sizeof a->why);
}

static struct live *begin(struct step *s, const struct cond *c) {
    struct live *l = xcalloc(1, sizeof *l);
    struct alarm *a = &l->a;
    a->kind = c->kind;
    a->level = c->level;
    a->raised = a->last = c->t;
    a->cleared = l->off_from = ZB_TIME_NONE;
    a->peak = c->v;
    a->limit = c->limit;
    a->labels = c->labels;
    a->count = 1;
    str_copy(str_of(s->m->f.code), a->mine, sizeof a->mine);
    str_copy(str_of(c->pt ? c->pt->def.code : c->point), a->point, sizeof a->point);
    str_copy(str_of(c->group), a->group, sizeof a->group);
    words_of(a, c);
    id_make(a);
    struct live **list = list_of(s->m, c->pt);
    l->next = *list;
    *list = l;
    return l;
}

static bool low_kind(enum alarm_kind k) { return k == ALARM_OVER_LO; }

static bool worse(enum alarm_kind k, zb_fix v, zb_fix peak) {
    if (v == ZB_FIX_NONE) return false;
    return peak == ZB_FIX_NONE || (low_kind(k) ? v < peak : v > peak);
}

void alarm_hold(struct step *s, const struct cond *c) {
    const struct kind_rule *r = &s->p->kind[c->kind];
    struct live *l = find(s->m, c->pt, c->point, c->kind, c->group);
    if (l && l->off_from != ZB_TIME_NONE && c->t >= l->off_from + r->off_delay) {
        clear(s, c->pt, l);
        l = NULL;
    }
    bool news = false;
    if (!l) l = begin(s, c);
    if (!l->on && c->t >= l->a.raised + r->on_delay) news = l->on = true;
    if (l->off_from != ZB_TIME_NONE) { /* came back within the off-delay: the same alarm, once more */
        l->off_from = ZB_TIME_NONE;
        l->a.count++;
        news = true;
    }
    if (worse(c->kind, c->v, l->a.peak)) {
        l->a.peak = c->v;
        news = true;
    }
    if (c->level > l->a.level || (l->a.labels | c->labels) != l->a.labels) {
        if (c->level > l->a.level) words_of(&l->a, c);
        l->a.level = c->level > l->a.level ? c->level : l->a.level;
        l->a.labels |= c->labels;
        news = true;
    }
    l->a.last = c->t;
    if (news && l->on) emit(s, &l->a);
}

void alarm_release(struct step *s, struct pt *pt, const char *point, enum alarm_kind k, zb_time t) { told_release(s, pt, point, k, "", t); }

void told_release(struct step *s, struct pt *pt, const char *point, enum alarm_kind k, const char *group, zb_time t) {
    struct live *l = find(s->m, pt, point, k, group);
    if (!l) return;
    if (!l->on) { /* did not last as long as its on-delay */
        drop(s->m, pt, l);
        return;
    }
    if (l->off_from == ZB_TIME_NONE) {
        l->off_from = t > l->a.raised ? t : l->a.raised;
        l->off_due = (l->off_from > s->now ? l->off_from : s->now) + s->p->kind[k].off_delay;
    }
    if (t >= l->off_from + s->p->kind[k].off_delay) clear(s, pt, l);
}

void alarm_rest(struct step *s, struct pt *pt, enum alarm_kind k) {
    struct live *l = alarm_find(s->m, pt, "", k);
    if (l) l->off_from = ZB_TIME_NONE;
}

static zb_time list_tick(struct step *s, struct pt *pt) {
    zb_time next = INT64_MAX;
    for (struct live *l = *list_of(s->m, pt), *after; l; l = after) {
        after = l->next;
        if (l->off_from == ZB_TIME_NONE) continue;
        if (l->off_due <= s->now)
            clear(s, pt, l);
        else if (l->off_due < next)
            next = l->off_due;
    }
    return next;
}

zb_time alarms_tick(struct step *s) {
    zb_time next = list_tick(s, NULL);
    for (int i = 0; i < s->m->n; i++) {
        if (!s->m->pt[i]->live) continue;
        zb_time t = list_tick(s, s->m->pt[i]);
        if (t < next) next = t;
    }
    return next;
}

void lives_move(struct mine_state *m, struct pt *pt, struct pt *from, uint32_t kinds) {
    for (struct live *l = pt->live, *next; l; l = next) {
        next = l->next;
        if (kinds & 1u << l->a.kind) drop(m, pt, l);
    }
    for (struct live **at = &from->live; *at;) {
        struct live *l = *at;
        if (!(kinds & 1u << l->a.kind)) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        l->next = pt->live;
        pt->live = l;
    }
}
