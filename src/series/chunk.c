/* A chunk: flags, count, then three streams: times as runs of equal steps, values as differences of whole multiples of a power of ten,
 * states as runs. Numbers are varints, signed ones zigzag. Optionally zstd over the streams. */
#include "series/series.h"
#include <stdlib.h>
#include <zstd.h>

#define SAMPLES_MAX 100000
enum { F_SCALE = 7, F_SECONDS = 8, F_ZSTD = 16 };
#define NONE_BIT (1u << 31)

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
    static const int64_t TEN[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    for (int i = 0; i < n && scale; i++)
        while (scale && v[i].v != ZB_FIX_NONE && v[i].v % TEN[scale]) scale--;
    return scale;
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
    static const int64_t TEN[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    uint64_t before = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].v == ZB_FIX_NONE) continue;
        uint64_t x = (uint64_t)(v[i].v / TEN[scale]);
        put_i(b, (int64_t)(x - before)); /* wraps, and unwraps the same way */
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

int chunk_encode(const struct sample *v, int n, bool pack, struct buf *out, struct zb_err *e) {
    if (n < 1 || n > SAMPLES_MAX) return zb_fail(e, ZB_E_LIMIT, "a chunk of %d samples: 1 to %d are possible", n, SAMPLES_MAX);
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, (size_t)n * 40 + 64);
    int scale = scale_of(v, n);
    bool seconds = true;
    for (int i = 0; i < n && seconds; i++) seconds = v[i].t % 1000 == 0;
    states_put(&b, v, n);
    times_put(&b, v, n, seconds ? 1000 : 1);
    values_put(&b, v, n, scale);
    unsigned flags = (unsigned)scale | (seconds ? F_SECONDS : 0);
    struct str body = buf_str(&b);
    char *z = NULL;
    if (pack) {
        size_t cap = ZSTD_compressBound(b.n);
        z = xmalloc(cap);
        size_t zn = ZSTD_compress(z, cap, b.p, b.n, 3);
        if (!ZSTD_isError(zn) && zn < b.n) {
            body = (struct str){z, zn};
            flags |= F_ZSTD;
        }
    }
    buf_putc(out, (char)flags);
    put_u(out, (uint64_t)n);
    if (flags & F_ZSTD) put_u(out, b.n);
    buf_put(out, body.p, body.n);
    free(z);
    return out->over || b.over ? zb_fail(e, ZB_E_LIMIT, "a chunk does not fit its buffer") : ZB_OK;
}

static bool streams_get(struct in *r, struct sample *v, int n, int scale, int64_t unit) {
    static const int64_t TEN[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
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
    uint64_t count = get_u(&r), plain = flags & F_ZSTD ? get_u(&r) : 0;
    if (r.bad || !count || count > SAMPLES_MAX || (flags & F_SCALE) > 6 || plain > (uint64_t)SAMPLES_MAX * 40)
        return zb_fail(e, ZB_E_IO, "a chunk's head is damaged");
    char *p = NULL;
    if (flags & F_ZSTD) {
        p = xmalloc((size_t)plain + 1);
        if (ZSTD_decompress(p, (size_t)plain, r.p, (size_t)(r.end - r.p)) != plain) {
            free(p);
            return zb_fail(e, ZB_E_IO, "a chunk does not unpack");
        }
        r.p = (const unsigned char *)p;
        r.end = r.p + plain;
    }
    struct sample *v = xcalloc((size_t)count, sizeof *v);
    bool ok = streams_get(&r, v, (int)count, (int)(flags & F_SCALE), flags & F_SECONDS ? 1000 : 1);
    free(p);
    if (!ok) {
        free(v);
        return zb_fail(e, ZB_E_IO, "a chunk's streams are damaged");
    }
    *ret = v;
    *n = (int)count;
    return ZB_OK;
}
