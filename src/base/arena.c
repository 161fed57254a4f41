#include "base/arena.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct block {
    struct block *next;
    size_t cap, n;
    _Alignas(16) char mem[];
};
struct arena {
    struct block *head;
    size_t max, used;
    bool over;
};
enum { BLOCK = 64 * 1024 };

struct arena *arena_new(size_t max) {
    struct arena *a = xcalloc(1, sizeof *a);
    a->max = max;
    return a;
}
void arena_free(struct arena *a) {
    if (!a) return;
    for (struct block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}
void arena_drop(struct arena **a) {
    arena_free(*a);
    *a = NULL;
}
void arena_reset(struct arena *a) {
    struct block *keep = NULL;
    for (struct block *b = a->head, *next; b; b = next) {
        next = b->next;
        if (!keep && b->cap == BLOCK)
            keep = b;
        else
            free(b);
    }
    if (keep) keep->next = NULL, keep->n = 0;
    a->head = keep;
    a->used = 0;
    a->over = false;
}
void *arena_alloc(struct arena *a, size_t n) {
    if (n > SIZE_MAX - 15 || a->over) return NULL;
    n = (n + 15) & ~(size_t)15;
    if (n > a->max || a->used > a->max - n) {
        a->over = true;
        return NULL;
    }
    if (!a->head || a->head->cap - a->head->n < n) {
        size_t cap = n > BLOCK ? n : BLOCK;
        struct block *b = xmalloc(sizeof *b + cap);
        *b = (struct block){.next = a->head, .cap = cap};
        a->head = b;
    }
    void *p = a->head->mem + a->head->n;
    a->head->n += n;
    a->used += n;
    return memset(p, 0, n);
}
char *arena_str(struct arena *a, struct str s) {
    char *z = arena_alloc(a, s.n + 1);
    if (z && s.n) memcpy(z, s.p, s.n);
    return z;
}
char *arena_printf(struct arena *a, const char *fmt, ...) {
    va_list ap, aq;
    va_start(ap, fmt);
    va_copy(aq, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *z = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
    if (z) vsnprintf(z, (size_t)n + 1, fmt, aq);
    va_end(aq);
    return z;
}
bool arena_over(const struct arena *a) { return a->over; }
size_t arena_used(const struct arena *a) { return a->used; }
