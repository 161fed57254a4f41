/* A chunk: flags, count, then states as runs, times as changes of their step, values as differences of whole multiples of a power of ten.
 * In memory and in open heads these are varints (signed ones zigzag); a sealed chunk has the same numbers through the range coder, and each value's
 * difference is to the one before or to a running mean, whichever is shorter for this chunk. */
#include "series/range.h"
#include "series/series.h"
#include <stdlib.h>

#define SAMPLES_MAX 100000
enum { F_SCALE = 7, F_SECONDS = 8, F_MEAN = 32, F_RANGE = 64 };
#define NONE_BIT (1u << 31)
static const int64_t TEN[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

static void put_u(struct buf *b, uint64_t v) {
    while (v >= 128) {
        buf_putc(b, (char)(v | 128));
        v >>= 7;
    }
    buf_putc(b, (char)v);
}
static void put_i(struct buf *b, int64_t v) { put_u(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63)); }

struct in {
    const unsigned char *p, *end;
    bool bad;
};
static uint64_t get_u(struct in *r) {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (r->p == r->end) break;
        unsigned char c = *r->p++;
        v |= (uint64_t)(c & 127) << shift;
        if (!(c & 128)) return v;
    }
    r->bad = true;
    return 0;
}
static int64_t get_i(struct in *r) {
    uint64_t v = get_u(r);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

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

static void times_put(struct buf *b, const struct sample *v, int n, int64_t unit) {
    put_i(b, v[0].t / unit);
    for (int i = 1; i < n;) {
        int64_t step = (int64_t)((uint64_t)(v[i].t / unit) - (uint64_t)(v[i - 1].t / unit));
        int run = 1;
        while (i + run < n && (int64_t)((uint64_t)(v[i + run].t / unit) - (uint64_t)(v[i + run - 1].t / unit)) == step) run++;
        put_i(b, step);
        put_u(b, (uint64_t)run);
        i += run;
    }
}

static void values_put(struct buf *b, const struct sample *v, int n, int scale) {
    uint64_t before = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].v == ZB_FIX_NONE) continue;
        uint64_t x = (uint64_t)(v[i].v / TEN[scale]);
        put_i(b, (int64_t)(x - before));
        before = x;
    }
}

static void states_put(struct buf *b, const struct sample *v, int n) {
    for (int i = 0; i < n;) {
        uint32_t s = v[i].state | (v[i].v == ZB_FIX_NONE ? NONE_BIT : 0);
        int run = 1;
        while (i + run < n && (v[i + run].state | (v[i + run].v == ZB_FIX_NONE ? NONE_BIT : 0)) == s) run++;
        put_u(b, s);
        put_u(b, (uint64_t)run);
        i += run;
    }
}

/* The same through the range coder. Times: how much a step differs from the one before it. */
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

int chunk_encode(const struct sample *v, int n, bool pack, struct buf *out, struct zb_err *e) {
    if (n < 1 || n > SAMPLES_MAX) return zb_fail(e, ZB_E_LIMIT, "a chunk of %d samples: 1 to %d are possible", n, SAMPLES_MAX);
    int scale = scale_of(v, n);
    bool seconds = true;
    for (int i = 0; i < n && seconds; i++) seconds = v[i].t % 1000 == 0;
    bool mean = pack && mean_is_shorter(v, n, scale);
    buf_putc(out, (char)(scale | (seconds ? F_SECONDS : 0) | (mean ? F_MEAN : 0) | (pack ? F_RANGE : 0)));
    put_u(out, (uint64_t)n);
    if (pack) {
        sealed_put(out, v, n, scale, seconds ? 1000 : 1, mean);
    } else {
        states_put(out, v, n);
        times_put(out, v, n, seconds ? 1000 : 1);
        values_put(out, v, n, scale);
    }
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

static bool streams_get(struct in *r, struct sample *v, int n, int scale, int64_t unit) {
    for (int i = 0; i < n;) {
        uint64_t s = get_u(r), run = get_u(r);
        if (r->bad || !run || run > (uint64_t)(n - i) || s > UINT32_MAX) return false;
        for (uint64_t k = 0; k < run; k++, i++) {
            v[i].state = (uint32_t)s & ~NONE_BIT;
            v[i].v = (uint32_t)s & NONE_BIT ? ZB_FIX_NONE : 0;
        }
    }
    uint64_t t = (uint64_t)get_i(r);
    v[0].t = (int64_t)(t * (uint64_t)unit);
    for (int i = 1; i < n;) {
        int64_t step = get_i(r);
        uint64_t run = get_u(r);
        if (r->bad || !run || run > (uint64_t)(n - i)) return false;
        for (uint64_t k = 0; k < run; k++, i++) {
            t += (uint64_t)step;
            v[i].t = (int64_t)(t * (uint64_t)unit);
        }
    }
    uint64_t x = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].v == ZB_FIX_NONE) continue;
        x += (uint64_t)get_i(r);
        v[i].v = (int64_t)(x * (uint64_t)TEN[scale]);
    }
    return !r->bad && r->p == r->end;
}

int chunk_decode(struct str bytes, struct sample **ret, int *n, struct zb_err *e) {
    struct in r = {(const unsigned char *)bytes.p, (const unsigned char *)bytes.p + bytes.n, false};
    *ret = NULL;
    *n = 0;
    unsigned flags = bytes.n ? *r.p++ : 0;
    uint64_t count = get_u(&r);
    int scale = (int)(flags & F_SCALE), unit = flags & F_SECONDS ? 1000 : 1;
    if (r.bad || !bytes.n || !count || count > SAMPLES_MAX || scale > 6) return zb_fail(e, ZB_E_IO, "a chunk's head is damaged");
    struct sample *v = xcalloc((size_t)count, sizeof *v);
    struct str rest = {(const char *)r.p, (size_t)(r.end - r.p)};
    if (!(flags & F_RANGE ? sealed_get(rest, v, (int)count, scale, unit, flags & F_MEAN) : streams_get(&r, v, (int)count, scale, unit))) {
        free(v);
        return zb_fail(e, ZB_E_IO, "a chunk's streams are damaged");
    }
    *ret = v;
    *n = (int)count;
    return ZB_OK;
}
