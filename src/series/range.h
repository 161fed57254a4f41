/* Adaptive binary range coder (carry by cache, as in LZMA) and a model of whole numbers over it: a sealed chunk costs close to the entropy of its
 * differences. Each bit's probability is the mean of a quick and a slow estimate. Numbers are signed 64 bit; any input decodes to something, never
 * past its end: `bad` tells. */
#pragma once
#include "base/str.h"
#include <stdint.h>

struct rc_bit {
    uint16_t quick, slow; /* chance of a 0, of 65536 */
};
struct rc_out {
    struct buf *b;
    uint64_t low, held;
    uint32_t range;
    unsigned char cache;
};
struct rc_in {
    const unsigned char *p, *end;
    uint32_t range, code;
    bool bad; /* read past the end */
};
#define RC_BEFORE 7 /* sizes of the number before that are told apart */
struct rc_num {
    struct rc_bit zero[RC_BEFORE][3], sign[3], size[RC_BEFORE][64], high[64][4];
    int before, older, side; /* size of the last number and the one before it, its sign */
};
void rc_out_init(struct rc_out *o, struct buf *b);
void rc_out_done(struct rc_out *o);
void rc_in_init(struct rc_in *r, struct str bytes);
void rc_num_init(struct rc_num *m);
void rc_num_put(struct rc_out *o, struct rc_num *m, int64_t v);
int64_t rc_num_get(struct rc_in *r, struct rc_num *m);
