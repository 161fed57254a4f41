/* An open head: samples rising by time, each coded against the one before as it comes. A varint a sample: where step, state and decimals are as before
 * its lowest bit is 0 and the rest the value's difference, so that a still sensor costs a byte; else it says what changed and the fields follow. */
#include "series/inside.h"
#include <stdlib.h>

enum { STEP = 1, STATE = 2, SCALE = 4, NONE = 8 }; /* what changed; NONE: no value */
enum { TOKEN_CAP = 5 * VARINT_MAX };

static uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }
static int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

/* Steps change by seconds mostly. */
static uint64_t time_code(int64_t ms) { return ms % 1000 ? zigzag(ms) << 1 | 1 : zigzag(ms / 1000) << 1; }
static int64_t time_of(uint64_t code) { return code & 1 ? unzigzag(code >> 1) : unzigzag(code >> 1) * 1000; }

static int tenfold(int scale) {
    static const int TEN[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    return TEN[scale];
}

static void room(struct head *h, uint32_t n) {
    if (h->n + n <= h->cap) return;
    h->cap = (h->n + n + 8 + 31) / 32 * 32 - 8; /* with the allocator's own word a multiple of 32 */
    h->p = xrealloc(h->p, h->cap);
}

void head_add(struct head *h, const struct sample *x) {
    unsigned char token[TOKEN_CAP];
    int n = 0;
    int64_t step = x->t - h->last.t;
    uint64_t value = 0;
    unsigned changed = (step != h->last.step ? STEP : 0u) | (x->state != h->last.state ? STATE : 0u) | (x->v == ZB_FIX_NONE ? NONE : 0u);
    if (!h->samples) h->last.scale = 6;
    if (x->v != ZB_FIX_NONE) {
        int scale = h->last.scale;
        while (x->v % tenfold(scale)) scale--;
        if (scale < h->last.scale) {
            changed |= SCALE;
            h->last.v = (int64_t)((uint64_t)h->last.v * (uint64_t)(tenfold(h->last.scale) / tenfold(scale)));
            h->last.scale = (uint8_t)scale;
        }
        int64_t v = x->v / tenfold(scale);
        value = zigzag((int64_t)((uint64_t)v - (uint64_t)h->last.v));
        h->last.v = v;
    }
    if (!changed && value < UINT64_MAX >> 1) {
        n = varint_put(token, value << 1);
    } else {
        n = varint_put(token, changed << 1 | 1);
        if (changed & STEP) n += varint_put(token + n, time_code(step - h->last.step));
        if (changed & STATE) n += varint_put(token + n, x->state);
        if (changed & SCALE) n += varint_put(token + n, h->last.scale);
        if (!(changed & NONE)) n += varint_put(token + n, value);
    }
    h->last.t = x->t;
    h->last.step = step;
    h->last.state = x->state;
    room(h, (uint32_t)n);
    memcpy(h->p + h->n, token, (size_t)n);
    h->n += (uint32_t)n;
    h->samples++;
}

void head_samples(const struct head *h, struct sample **v, int *n) {
    struct head_last last = {.scale = 6};
    struct sample *to = *v = xrealloc(*v, (size_t)(*n + h->samples + 1) * sizeof *to);
    const unsigned char *p = h->p, *end = h->p + h->n;
    bool bad = false; /* it is our own memory: never */
    for (int i = 0; i < h->samples; i++) {
        uint64_t first = varint_get(&p, end, &bad), value = first >> 1;
        unsigned changed = first & 1 ? (unsigned)value : 0;
        if (changed & STEP) last.step += time_of(varint_get(&p, end, &bad));
        if (changed & STATE) last.state = (uint32_t)varint_get(&p, end, &bad);
        if (changed & SCALE) {
            int scale = (int)varint_get(&p, end, &bad);
            last.v = (int64_t)((uint64_t)last.v * (uint64_t)(tenfold(last.scale) / tenfold(scale)));
            last.scale = (uint8_t)scale;
        }
        if (first & 1 && !(changed & NONE)) value = varint_get(&p, end, &bad);
        if (!(changed & NONE)) last.v = (int64_t)((uint64_t)last.v + (uint64_t)unzigzag(value));
        last.t += last.step;
        to[*n + i] = (struct sample){last.t, changed & NONE ? ZB_FIX_NONE : last.v * tenfold(last.scale), last.state};
    }
    *n += h->samples;
}

void head_done(struct head *h) {
    free(h->p);
    *h = (struct head){0};
}
