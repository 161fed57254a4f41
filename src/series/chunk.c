/* A chunk: flags, count, then states as runs, times as changes of their step, values as differences of whole multiples of a power of ten, all through the
 * range coder. Each value's difference is to the one before or to a running mean, whichever is shorter for this chunk. */
#include "series/inside.h"
#include "series/range.h"
#include <stdlib.h>

#define SAMPLES_MAX 100000
enum { F_SCALE = 7, F_SECONDS = 8, F_MEAN = 32, F_RANGE = 64 /* always */ };
#define NONE_BIT (1u << 31)
static const int64_t TEN[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

static int scale_of(const struct sample *v, int n) { /* how many decimal zeros all values share, at most 6 */
    int scale = 6;
    for (int i = 0; i < n && scale; i++)
        while (scale && v[i].v != ZB_FIX_NONE && v[i].v % TEN[scale]) scale--;
    return scale;
}

/* What the next value is expected to be: the last one, or a mean over the last eight or so. Arithmetic wraps, and unwraps the same way. */
struct guess {
    bool mean;
    uint64_t last;
    int64_t m; /* mean, in 256ths */
};
#define MEAN_MAX ((int64_t)1 << 46)
static inline uint64_t guess(const struct guess *g) { return g->mean ? (uint64_t)((g->m + 128) >> 8) : g->last; }
static inline void guess_take(struct guess *g, uint64_t x) {
    g->last = x;
    int64_t v = (int64_t)x;
    if (v > MEAN_MAX) v = MEAN_MAX;
    if (v < -MEAN_MAX) v = -MEAN_MAX;
    g->m += (v * 256 - g->m) / 8;
}
static bool mean_is_shorter(const struct sample *v, int n, int scale) {
    struct guess g = {.mean = true};
    int64_t gain = 0;
    bool first = true;
    for (int i = 0; i < n && i < 2000; i++) {
        if (v[i].v == ZB_FIX_NONE) continue;
        uint64_t x = (uint64_t)(v[i].v / TEN[scale]);
        if (first)
            g.m = (int64_t)x < MEAN_MAX && (int64_t)x > -MEAN_MAX ? (int64_t)x * 256 : 0;
        else
            gain += (64 - __builtin_clzll((x - g.last) * 2 | 1)) - (64 - __builtin_clzll((x - guess(&g)) * 2 | 1));
        first = false;
        guess_take(&g, x);
    }
    return gain > 0;
}

/* Times: how much a step differs from the one before it. */
struct models {
    struct rc_num state, run, time, value;
};
static void sealed_put(struct buf *b, const struct sample *v, int n, int scale, int64_t unit, bool mean) {
    struct models *m = xmalloc(sizeof *m);
    struct rc_out o;
    rc_num_init(&m->state), rc_num_init(&m->run), rc_num_init(&m->time), rc_num_init(&m->value);
    rc_out_init(&o, b);
    for (int i = 0, run; i < n; i += run) {
        int64_t s = v[i].state | (v[i].v == ZB_FIX_NONE ? NONE_BIT : 0);
        for (run = 1; i + run < n && (v[i + run].state | (v[i + run].v == ZB_FIX_NONE ? NONE_BIT : 0)) == s; run++) {}
        rc_num_put(&o, &m->state, s);
        rc_num_put(&o, &m->run, run);
    }
    uint64_t t = 0, step = 0;
    struct guess g = {.mean = mean};
    for (int i = 0; i < n; i++) {
        uint64_t now = (uint64_t)(v[i].t / unit), d = now - t;
        rc_num_put(&o, &m->time, (int64_t)(d - step));
        step = i ? d : 0;
        t = now;
        if (v[i].v == ZB_FIX_NONE) continue;
        uint64_t x = (uint64_t)(v[i].v / TEN[scale]);
        rc_num_put(&o, &m->value, (int64_t)(x - guess(&g)));
        guess_take(&g, x);
    }
    rc_out_done(&o);
    free(m);
}

int chunk_encode(const struct sample *v, int n, struct buf *out, struct zb_err *e) {
    if (n < 1 || n > SAMPLES_MAX) return zb_fail(e, ZB_E_LIMIT, "a chunk of %d samples: 1 to %d are possible", n, SAMPLES_MAX);
    int scale = scale_of(v, n);
    bool seconds = true;
    for (int i = 0; i < n && seconds; i++) seconds = v[i].t % 1000 == 0;
    bool mean = mean_is_shorter(v, n, scale);
    unsigned char count[VARINT_MAX];
    buf_putc(out, (char)(scale | (seconds ? F_SECONDS : 0) | (mean ? F_MEAN : 0) | F_RANGE));
    buf_put(out, count, (size_t)varint_put(count, (uint64_t)n));
    sealed_put(out, v, n, scale, seconds ? 1000 : 1, mean);
    return out->over ? zb_fail(e, ZB_E_LIMIT, "a chunk does not fit its buffer") : ZB_OK;
}

static bool sealed_get(struct str bytes, struct sample *v, int n, int scale, int64_t unit, bool mean) {
    struct models *m = xmalloc(sizeof *m);
    struct rc_in r;
    rc_num_init(&m->state), rc_num_init(&m->run), rc_num_init(&m->time), rc_num_init(&m->value);
    rc_in_init(&r, bytes);
    bool good = !r.bad;
    for (int i = 0; i < n && good;) {
        int64_t s = rc_num_get(&r, &m->state), run = rc_num_get(&r, &m->run);
        good = !r.bad && run > 0 && run <= n - i && s >= 0 && s <= UINT32_MAX;
        for (int64_t k = 0; good && k < run; k++, i++) {
            v[i].state = (uint32_t)s & ~NONE_BIT;
            v[i].v = (uint32_t)s & NONE_BIT ? ZB_FIX_NONE : 0;
        }
    }
    uint64_t t = 0, step = 0;
    struct guess g = {.mean = mean};
    for (int i = 0; i < n && good; i++) {
        uint64_t d = step + (uint64_t)rc_num_get(&r, &m->time);
        step = i ? d : 0;
        t += d;
        v[i].t = (int64_t)(t * (uint64_t)unit);
        if (v[i].v == ZB_FIX_NONE) continue;
        uint64_t x = guess(&g) + (uint64_t)rc_num_get(&r, &m->value);
        v[i].v = (int64_t)(x * (uint64_t)TEN[scale]);
        guess_take(&g, x);
        good = !r.bad;
    }
    good = good && !r.bad && r.p == r.end;
    free(m);
    return good;
}

int chunk_decode(struct str bytes, struct sample **ret, int *n, struct zb_err *e) {
    const unsigned char *p = (const unsigned char *)bytes.p, *end = p + bytes.n;
    bool bad = !bytes.n;
    *ret = NULL;
    *n = 0;
    unsigned flags = bytes.n ? *p++ : 0;
    uint64_t count = varint_get(&p, end, &bad);
    int scale = (int)(flags & F_SCALE), unit = flags & F_SECONDS ? 1000 : 1;
    if (bad || !count || count > SAMPLES_MAX || scale > 6 || !(flags & F_RANGE)) return zb_fail(e, ZB_E_IO, "a chunk's head is damaged");
    struct sample *v = xcalloc((size_t)count, sizeof *v);
    if (!sealed_get((struct str){(const char *)p, (size_t)(end - p)}, v, (int)count, scale, unit, flags & F_MEAN)) {
        free(v);
        return zb_fail(e, ZB_E_IO, "a chunk's streams are damaged");
    }
    *ret = v;
    *n = (int)count;
    return ZB_OK;
}
