#include "engine/inside.h"
#include <stdio.h>
#include <stdlib.h>

/* A mine's code begins with its county's; the short ones of a province's own families with two digits of its city. */
static void region_of(const struct policy *p, struct str code, char ret[8]) {
    char city[8];
    struct str county = {code.p, code.n < 6 ? code.n : 6};
    str_copy(county, ret, 8);
    if (!p || code.n != 9 || !p->short_code_province[0] || policy_region(p, county)) return;
    snprintf(city, sizeof city, "%.2s%.2s00", p->short_code_province, code.p);
    if (policy_region(p, str_of(city))) str_copy(str_of(city), ret, 8);
}

static struct mine *mine_make(const struct policy *p, struct str code) {
    struct mine *m = xcalloc(1, sizeof *m);
    str_copy(code, m->code, sizeof m->code);
    str_copy(code, m->facts.code, sizeof m->facts.code);
    str_copy(code, m->facts.name, sizeof m->facts.name);
    region_of(p, code, m->facts.region);
    m->state = mine_new(&m->facts);
    m->link.last_received = m->link.delay = m->quota.waited = ZB_TIME_NONE;
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->door, NULL);
    return m;
}

struct mine *mine_get(struct engine *en, struct str code) {
    pthread_rwlock_rdlock(&en->mines_lock);
    struct mine *m = map_get(&en->mines, code);
    pthread_rwlock_unlock(&en->mines_lock);
    if (m) return m;
    pthread_rwlock_wrlock(&en->mines_lock);
    m = map_get(&en->mines, code);
    if (!m) {
        m = mine_make(en->policy, code);
        map_set(&en->mines, code, m);
    }
    pthread_rwlock_unlock(&en->mines_lock);
    return m;
}

void mines_free(struct engine *en) {
    for (size_t i = 0; i < en->mines.cap; i++) {
        if (!en->mines.slot[i].key) continue;
        struct mine *m = en->mines.slot[i].val;
        mine_free(m->state);
        track_book_free(m->book);
        linkage_done(&m->linkage);
        pthread_mutex_destroy(&m->lock);
        pthread_mutex_destroy(&m->door);
        free(m);
    }
    map_done(&en->mines);
    map_done(&en->alias);
}

static int by_code(const void *a, const void *b) { return strcmp((*(struct mine *const *)a)->code, (*(struct mine *const *)b)->code); }

int engine_mines(struct engine *en, struct str mine, int (*fn)(void *, const struct mine_view *), void *arg) {
    pthread_rwlock_rdlock(&en->mines_lock);
    struct mine **all = xmalloc((en->mines.n + 1) * sizeof *all);
    int n = 0;
    for (size_t i = 0; i < en->mines.cap; i++)
        if (en->mines.slot[i].key && (!mine.n || str_is(mine, en->mines.slot[i].key))) all[n++] = en->mines.slot[i].val;
    pthread_rwlock_unlock(&en->mines_lock);
    qsort(all, (size_t)n, sizeof *all, by_code);
    int seen = 0, stop = 0;
    for (int i = 0; i < n && !stop; i++, seen++) {
        struct mine *m = all[i];
        pthread_mutex_lock(&en->q_lock);
        struct link_wait quota = {m->quota.held, m->quota.waits, m->quota.waited};
        pthread_mutex_unlock(&en->q_lock);
        pthread_mutex_lock(&m->lock);
        struct mine_view v = {m->code, m->facts.name, m->facts.region, m->facts.gas_class, &m->link, &m->linkage, quota, mine_last_heard(m->state), m->state};
        stop = fn(arg, &v);
        pthread_mutex_unlock(&m->lock);
    }
    free(all);
    return seen;
}
