/* Separators 64 bytes at a time. SSE2 is part of every amd64; elsewhere a plain loop does the same. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* One step over 64 bytes (fewer at the end): bits where a or b stands; *odd: bits where 0xEF may begin a full-width separator. */
#ifdef __SSE2__
#include <emmintrin.h>
static inline uint64_t scan_equal(const __m128i *v, char c) {
    __m128i w = _mm_set1_epi8(c);
    uint64_t m = 0;
    for (int i = 0; i < 4; i++) m |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], w)) << (16 * i);
    return m;
}
static inline uint64_t scan_block(const char *p, size_t n, char a, char b, uint64_t *odd) {
    char rest[64];
    if (n < 64) {
        memset(rest, ' ', sizeof rest);
        memcpy(rest, p, n);
        p = rest;
    }
    __m128i v[4];
    for (int i = 0; i < 4; i++) v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    *odd = scan_equal(v, (char)0xEF);
    return scan_equal(v, a) | scan_equal(v, b);
}
#else
static inline uint64_t scan_block(const char *p, size_t n, char a, char b, uint64_t *odd) {
    uint64_t m = 0, o = 0;
    for (size_t i = 0; i < n && i < 64; i++) {
        m |= (uint64_t)(p[i] == a || p[i] == b) << i;
        o |= (uint64_t)(p[i] == (char)0xEF) << i;
    }
    *odd = o;
    return m;
}
#endif
