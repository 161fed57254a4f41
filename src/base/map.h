/* Hash map from text to pointer, open addressing; keys are copied and owned by the map. Iterate slots 0..cap-1 where key != NULL. */
#pragma once
#include "base/str.h"
#include <stdint.h>
struct map_slot {
    char *key;
    uint32_t klen, hash;
    void *val;
};
struct map {
    struct map_slot *slot;
    size_t cap, n;
};
void map_done(struct map *m);                                  /* values are the caller's */
void *map_get(const struct map *m, struct str key);            /* NULL: absent */
const char *map_set(struct map *m, struct str key, void *val); /* val not NULL; returns the map's copy of the key, NUL after it, which stays until map_del */
void *map_del(struct map *m, struct str key);                  /* returns the value that was there */
uint32_t map_hash(struct str s);
