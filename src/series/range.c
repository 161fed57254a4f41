#include "series/range.h"

#define TOP (1u << 24)
#define QUICK 4
#define SLOW 7

static inline uint32_t chance(const struct rc_bit *b) { /* of a 0, of 32768; never sure */
    uint32_t p = ((uint32_t)b->quick + b->slow) >> 2;
    return p < 24 ? 24 : p > 32768 - 24 ? 32768 - 24 : p;
}
static inline void learn(struct rc_bit *b, int bit) {
    if (bit) {
        b->quick = (uint16_t)(b->quick - (b->quick >> QUICK));
        b->slow = (uint16_t)(b->slow - (b->slow >> SLOW));
    } else {
        b->quick = (uint16_t)(b->quick + ((65535 - b->quick) >> QUICK));
        b->slow = (uint16_t)(b->slow + ((65535 - b->slow) >> SLOW));
    }
}

void rc_out_init(struct rc_out *o, struct buf *b) { *o = (struct rc_out){.b = b, .range = UINT32_MAX, .held = 0}; }

static void shift_low(struct rc_out *o) {
    if ((uint32_t)o->low < 0xff000000u || (o->low >> 32)) {
        unsigned char carry = (unsigned char)(o->low >> 32);
        buf_putc(o->b, (char)(o->cache + carry)); /* the first byte is always 0; the reader skips it */
        for (; o->held; o->held--) buf_putc(o->b, (char)(0xff + carry));
        o->cache = (unsigned char)(o->low >> 24);
    } else {
        o->held++;
    }
    o->low = (o->low & 0x00ffffffu) << 8;
}

static inline void bit_put(struct rc_out *o, struct rc_bit *b, int bit) {
    uint32_t split = (o->range >> 15) * chance(b);
    if (bit) {
        o->low += split;
        o->range -= split;
    } else {
        o->range = split;
    }
    learn(b, bit);
    while (o->range < TOP) {
        o->range <<= 8;
        shift_low(o);
    }
}
static inline void even_put(struct rc_out *o, int bit) {
    o->range >>= 1;
    if (bit) o->low += o->range;
    while (o->range < TOP) {
        o->range <<= 8;
        shift_low(o);
    }
}
void rc_out_done(struct rc_out *o) {
    for (int i = 0; i < 5; i++) shift_low(o);
}

static inline unsigned char next(struct rc_in *r) {
    if (r->p < r->end) return *r->p++;
    r->bad = true;
    return 0;
}
void rc_in_init(struct rc_in *r, struct str bytes) {
    *r = (struct rc_in){(const unsigned char *)bytes.p, (const unsigned char *)bytes.p + bytes.n, UINT32_MAX, 0, false};
    for (int i = 0; i < 5; i++) r->code = r->code << 8 | next(r);
}
static inline int bit_get(struct rc_in *r, struct rc_bit *b) {
    uint32_t split = (r->range >> 15) * chance(b);
    int bit = r->code >= split;
    if (bit) {
        r->code -= split;
        r->range -= split;
    } else {
        r->range = split;
    }
    learn(b, bit);
    while (r->range < TOP) {
        r->range <<= 8;
        r->code = r->code << 8 | next(r);
    }
    return bit;
}
static inline int even_get(struct rc_in *r) {
    r->range >>= 1;
    int bit = r->code >= r->range;
    if (bit) r->code -= r->range;
    while (r->range < TOP) {
        r->range <<= 8;
        r->code = r->code << 8 | next(r);
    }
    return bit;
}

void rc_num_init(struct rc_num *m) {
    struct rc_bit *b = m->zero[0];
    for (size_t i = 0; i < (sizeof m->zero + sizeof m->sign + sizeof m->size + sizeof m->high) / sizeof *b; i++) b[i] = (struct rc_bit){32768, 32768};
    m->before = m->older = m->side = 0;
}

static inline void seen(struct rc_num *m, int size, int side) {
    m->older = m->before;
    m->before = size < RC_BEFORE ? size : RC_BEFORE - 1;
    m->side = side;
}
static inline int older(const struct rc_num *m) { return m->older < 2 ? m->older : 2; }

/* Zero or not, sign, bits of the magnitude one by one, then its digits: the two highest by their own chances, the rest even. */
void rc_num_put(struct rc_out *o, struct rc_num *m, int64_t v) {
    int before = m->before;
    bit_put(o, &m->zero[before][older(m)], v != 0);
    if (!v) {
        seen(m, 0, 0);
        return;
    }
    bit_put(o, &m->sign[m->side], v < 0);
    uint64_t u = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;
    int bits = 63 - __builtin_clzll(u);
    for (int i = 0; i < bits; i++) bit_put(o, &m->size[before][i], 1);
    if (bits < 63) bit_put(o, &m->size[before][bits], 0);
    for (int i = bits - 1, node = 1; i >= 0; i--) {
        int bit = (int)(u >> i & 1);
        if (node < 4) {
            bit_put(o, &m->high[bits][node], bit);
            node = 2 * node + bit;
        } else {
            even_put(o, bit);
        }
    }
    seen(m, bits + 1, v < 0 ? 2 : 1);
}

int64_t rc_num_get(struct rc_in *r, struct rc_num *m) {
    int before = m->before;
    if (!bit_get(r, &m->zero[before][older(m)])) {
        seen(m, 0, 0);
        return 0;
    }
    int less = bit_get(r, &m->sign[m->side]), bits = 0;
    while (bits < 63 && bit_get(r, &m->size[before][bits])) bits++;
    uint64_t u = 1;
    for (int i = bits - 1, node = 1; i >= 0; i--) {
        int bit;
        if (node < 4) {
            bit = bit_get(r, &m->high[bits][node]);
            node = 2 * node + bit;
        } else {
            bit = even_get(r);
        }
        u = u << 1 | (uint64_t)bit;
    }
    seen(m, bits + 1, less ? 2 : 1);
    return (int64_t)(less ? (uint64_t)0 - u : u);
}
