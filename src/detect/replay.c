/* D2: a stretch of the past shown again. What is hashed are differences, so that a constant added to the copy hides nothing. */
#include "detect/integrity.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define P61 ((1ull << 61) - 1)
#define BASE 911382323ull
static uint64_t mul(uint64_t a, uint64_t b) {
    unsigned __int128 t = (unsigned __int128)a * b;
    uint64_t r = (uint64_t)(t & P61) + (uint64_t)(t >> 61);
    return r >= P61 ? r - P61 : r;
}
static uint64_t add(uint64_t a, uint64_t b) {
    uint64_t r = a + b;
    return r >= P61 ? r - P61 : r;
}
static uint64_t letter(zb_fix d) { return (uint64_t)(d + (INT64_C(1) << 60)) % P61; }

/* Rolling over windows of w differences: diff k is v[k+1] - v[k]; the window at i covers values i .. i+w. */
struct roll {
    const zb_fix *v;
    int n, w, at, changes;
    uint64_t hash, top; /* top: BASE^(w-1) */
};
static bool roll_start(struct roll *r, const zb_fix *v, int n, int w, int from) {
    *r = (struct roll){.v = v, .n = n, .w = w, .at = from, .top = 1};
    if (from + w >= n) return false;
    for (int i = 1; i < w; i++) r->top = mul(r->top, BASE);
    for (int i = from; i < from + w; i++) {
        r->hash = add(mul(r->hash, BASE), letter(v[i + 1] - v[i]));
        r->changes += v[i + 1] != v[i];
    }
    return true;
}
static bool roll_next(struct roll *r) {
    int i = r->at, e = i + r->w;
    if (e + 1 >= r->n) return false;
    zb_fix gone = r->v[i + 1] - r->v[i], come = r->v[e + 1] - r->v[e];
    r->hash = add(mul(add(r->hash, P61 - mul(letter(gone), r->top)), BASE), letter(come));
    r->changes += (come != 0) - (gone != 0);
    r->at++;
    return true;
}

struct table { /* hash → first place; open addressing */
    uint64_t *hash;
    int *at;
    size_t cap;
};
static int *slot(struct table *t, uint64_t hash) {
    size_t i = (size_t)(hash * 0x9E3779B97F4A7C15ull) & (t->cap - 1);
    while (t->at[i] >= 0 && t->hash[i] != hash) i = (i + 1) & (t->cap - 1);
    t->hash[i] = hash;
    return &t->at[i];
}

static bool same(const zb_fix *v, int a, int b, int w) {
    for (int k = 0; k < w; k++)
        if (v[a + k + 1] - v[a + k] != v[b + k + 1] - v[b + k]) return false;
    return true;
}

int replay_extent(const zb_fix *a, int na, int i, const zb_fix *b, int nb, int j, int *from_a, int *from_b, zb_fix *offset) {
    *offset = a[i] - b[j];
    int back = 0, ahead = 1;
    while (i - back > 0 && j - back > 0 && a[i - back - 1] - b[j - back - 1] == *offset) back++;
    while (i + ahead < na && j + ahead < nb && a[i + ahead] - b[j + ahead] == *offset) ahead++;
    *from_a = i - back, *from_b = j - back;
    return back + ahead;
}

static void copy_found(const zb_fix *v, int n, int day, int at, int source, const struct policy *p, struct hits *out, int *end) {
    int from, src;
    zb_fix offset;
    int length = replay_extent(v, n, at, v, n, source, &from, &src, &offset), changes = 0;
    if (src + length > from) length = from - src; /* a series cannot be the copy of itself beyond its own beginning */
    if (from < day) src += day - from, length -= day - from, from = day;
    for (int i = from + 1; i < from + length; i++) changes += v[i] != v[i - 1];
    struct hit *h = hit_new(out, p, DETECTOR_REPLAY, from, from + length);
    h->source = src;
    h->seen = length;
    h->expected = 0;
    char by[ZB_FIX_CAP];
    zb_fix_text(offset, by);
    *end = from + length;
    if (!offset) {
        snprintf(h->zh, sizeof h->zh, "%d个读数与先前一段逐一相同，其间变化%d次", length, changes);
        snprintf(h->en, sizeof h->en, "%d readings equal to an earlier stretch one by one, with %d changes among them", length, changes);
    } else {
        snprintf(h->zh, sizeof h->zh, "%d个读数与先前一段逐一相差%s，其间变化%d次", length, by, changes);
        snprintf(h->en, sizeof h->en, "%d readings differ from an earlier stretch by %s one by one, with %d changes among them", length, by, changes);
    }
}

void replay_find(const zb_fix *v, int n, int day, const struct policy *p, struct hits *out) {
    const struct detect_replay *c = &p->detect.replay;
    int w = (int)c->window;
    struct roll r;
    if (!roll_start(&r, v, n, w, 0)) return;
    struct table t = {.cap = 64};
    while (t.cap < 2 * (size_t)n) t.cap *= 2;
    t.hash = xmalloc(t.cap * sizeof *t.hash);
    t.at = xmalloc(t.cap * sizeof *t.at);
    memset(t.at, 0xff, t.cap * sizeof *t.at);
    int lively = 0, again = 0, end = 0;
    bool natural = false;
    do { /* before the day: how much of itself does it repeat anyway? In the day: what was there before? */
        bool today = r.at + w >= day;
        if (today && lively && again > c->own_share * lively) natural = true;
        if (natural) break;
        if (r.changes < c->changes) continue;
        int *first = slot(&t, r.hash);
        bool found = *first >= 0 && *first + w < r.at && same(v, *first, r.at, w);
        if (!today) lively++, again += found;
        if (today && found && r.at >= end) copy_found(v, n, day, r.at, *first, p, out, &end);
        if (*first < 0) *first = r.at;
    } while (roll_next(&r));
    free(t.hash), free(t.at);
}

int replay_fingerprints(const zb_fix *v, int n, int day, const struct detect_replay *c, struct fingerprint *out, int cap) {
    struct roll r;
    int k = 0;
    if (!roll_start(&r, v, n, (int)c->window, day)) return 0;
    do {
        if (r.changes >= c->changes && (r.hash >> 7) % 32 == 0 && k < cap) out[k++] = (struct fingerprint){r.hash, r.at};
    } while (roll_next(&r));
    return k;
}
