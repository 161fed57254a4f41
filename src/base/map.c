#include "base/map.h"
#include <stdlib.h>
#include <sys/random.h>

static uint64_t seed = 0x9E3779B97F4A7C15u;
/* Keys come from outside: a seed of this process keeps anybody from choosing ones that collide. */
__attribute__((constructor)) static void seed_make(void) {
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) seed ^= (uint64_t)(uintptr_t)&seed;
}

uint32_t map_hash(struct str s) {
    uint64_t h = seed ^ s.n * 0xD6E8FEB86659FD93u, w;
    const char *p = s.p;
    size_t n = s.n;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&w, p, 8);
        h = (h ^ w) * 0x9FB21C651E98DF25u;
        h ^= h >> 32;
    }
    w = 0;
    if (n) memcpy(&w, p, n);
    h = (h ^ w) * 0x9FB21C651E98DF25u;
    return (uint32_t)(h ^ (h >> 29));
}
static size_t slot_of(const struct map *m, struct str k, uint32_t h) {
    size_t i = h & (m->cap - 1);
    while (m->slot[i].key && !(m->slot[i].hash == h && m->slot[i].klen == k.n && memcmp(m->slot[i].key, k.p, k.n) == 0)) i = (i + 1) & (m->cap - 1);
    return i;
}
void *map_get(const struct map *m, struct str key) { return m->cap ? m->slot[slot_of(m, key, map_hash(key))].val : NULL; }
const char *map_set(struct map *m, struct str key, void *val) {
    if (!val) ZB_BUG("NULL value for map key " STR_FMT, STR_ARG(key));
    if ((m->n + 1) * 4 > m->cap * 3) {
        struct map_slot *old = m->slot;
        size_t cap = m->cap;
        m->cap = cap ? cap * 2 : 16;
        m->slot = xcalloc(m->cap, sizeof *m->slot);
        for (size_t i = 0; i < cap; i++)
            if (old[i].key) m->slot[slot_of(m, (struct str){old[i].key, old[i].klen}, old[i].hash)] = old[i];
        free(old);
    }
    uint32_t h = map_hash(key);
    struct map_slot *s = &m->slot[slot_of(m, key, h)];
    if (!s->key) *s = (struct map_slot){xstrndup(key.p, key.n), (uint32_t)key.n, h, NULL}, m->n++;
    s->val = val;
    return s->key;
}
void *map_del(struct map *m, struct str key) {
    if (!m->cap) return NULL;
    size_t i = slot_of(m, key, map_hash(key));
    void *val = m->slot[i].val;
    if (!m->slot[i].key) return NULL;
    free(m->slot[i].key);
    m->slot[i] = (struct map_slot){0};
    m->n--;
    for (size_t k = (i + 1) & (m->cap - 1); m->slot[k].key; k = (k + 1) & (m->cap - 1)) { /* close the gap */
        struct map_slot s = m->slot[k];
        m->slot[k] = (struct map_slot){0};
        m->slot[slot_of(m, (struct str){s.key, s.klen}, s.hash)] = s;
    }
    return val;
}
void map_done(struct map *m) {
    for (size_t i = 0; i < m->cap; i++) free(m->slot[i].key);
    free(m->slot);
    *m = (struct map){0};
}
