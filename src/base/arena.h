/* Memory by lifetime: a batch, a request, a policy snapshot each own one arena and nothing in it is freed singly.
 * Has a maximum; beyond it arena_alloc returns NULL and arena_over() is true, so one input cannot take the machine. */
#pragma once
#include "base/str.h"

struct arena;
struct arena *arena_new(size_t max);
void arena_drop(struct arena **a); /* for ZB_AUTO; NULL is fine */
void arena_free(struct arena *a);
void arena_reset(struct arena *a);              /* keeps one block */
void *arena_alloc(struct arena *a, size_t n);   /* 16-aligned, zeroed; NULL over the maximum */
char *arena_str(struct arena *a, struct str s); /* NUL-ended copy; NULL over the maximum */
char *arena_printf(struct arena *a, const char *fmt, ...) ZB_PRINTF(2, 3);
bool arena_over(const struct arena *a);
size_t arena_used(const struct arena *a);
