#include "policy/policy.h"
#include "base/arena.h"
#include <stdlib.h>

struct policy *policy_ref(struct policy *p) {
    __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
    return p;
}

void policy_unref(struct policy *p) {
    if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0) return;
    arena_free(p->arena);
    free(p);
}

const struct region *policy_region(const struct policy *p, struct str code) {
    for (int i = 0; i < p->regions; i++)
        if (str_is(code, p->region[i].code)) return &p->region[i];
    return NULL;
}

const struct role_rule *policy_role(const struct policy *p, struct str key) {
    for (int i = 0; i < p->roles; i++)
        if (str_is(key, p->role[i].key)) return &p->role[i];
    return NULL;
}

static bool one_of(const char *words, char between, struct str w) {
    struct str rest = str_of(words);
    while (rest.p)
        if (str_eq(str_cut(rest, between, &rest), w)) return w.n > 0;
    return false;
}

const struct sensor_type *policy_sensor_coded(const struct policy *p, struct str code) {
    for (int i = 0; i < p->sensors; i++)
        if (str_is(code, p->sensor[i].code) || one_of(p->sensor[i].also, '|', code)) return &p->sensor[i];
    return NULL;
}

const struct sensor_type *policy_sensor(const struct policy *p, struct str zh, struct str unit) {
    const struct sensor_type *only = NULL;
    for (int i = 0; i < p->sensors; i++) {
        if (zh.n && (str_is(zh, p->sensor[i].zh) || one_of(p->sensor[i].also, '|', zh))) return &p->sensor[i];
        if (p->sensor[i].by_unit && unit.n && str_is(unit, p->sensor[i].unit)) only = &p->sensor[i];
    }
    return only;
}

const char *policy_unit(const struct policy *p, struct str unit, struct arena *a) {
    if (!unit.n) return "";
    for (int i = 0; i < p->units; i++)
        if (str_is(unit, p->unit[i].unit) || one_of(p->unit[i].also, ' ', unit)) return p->unit[i].unit;
    const char *s = arena_str(a, unit);
    return s ? s : "";
}

static bool words_in(const char *words, struct str text) {
    struct str rest = str_of(words);
    while (rest.p) {
        struct str w = str_cut(rest, ' ', &rest);
        if (w.n && (!text.p || !memmem(text.p, text.n, w.p, w.n))) return false;
    }
    return true;
}

const char *policy_loc_class(const struct policy *p, struct str location) {
    for (int i = 0; i < p->patterns; i++)
        if (words_in(p->pattern[i].words, location)) return p->pattern[i].loc_class;
    return "";
}

static bool word_of(const char *words, const char *w) {
    struct str rest = str_of(words);
    while (rest.p)
        if (str_is(str_cut(rest, ' ', &rest), w)) return true;
    return false;
}

static zb_fix lower(zb_fix a, zb_fix b) { return a == ZB_FIX_NONE ? b : b == ZB_FIX_NONE ? a : a < b ? a : b; }
static zb_fix upper(zb_fix a, zb_fix b) { return a == ZB_FIX_NONE ? b : b == ZB_FIX_NONE ? a : a > b ? a : b; }

static struct limits stricter(struct limits a, struct limits b) {
    return (struct limits){lower(a.hi_alarm, b.hi_alarm), lower(a.hi_clear, b.hi_clear),     upper(a.lo_alarm, b.lo_alarm), upper(a.lo_clear, b.lo_clear),
                           lower(a.hi_cut, b.hi_cut),     lower(a.hi_restore, b.hi_restore), upper(a.lo_cut, b.lo_cut),     upper(a.lo_restore, b.lo_restore)};
}

int policy_limit_rows(const struct policy *p, const char *loc_class, const char *sensor_type, const char *gas_class, int32_t day,
                      const struct limit_rule *ret[LIMIT_ROWS_MAX]) {
    int n = 0;
    /* rows of the point's class, of its gas class or any; without a class, or when none fits: the defaults, the strictest of them */
    for (int pass = 0; pass < 2 && !n; pass++)
        for (int i = 0; i < p->limits && n < LIMIT_ROWS_MAX; i++) {
            const struct limit_rule *l = &p->limit[i];
            if (day < l->from || day > l->to || !word_of(l->sensor_types, sensor_type)) continue;
            if (pass == 0 ? !loc_class[0] || strcmp(l->loc_class, loc_class) : !l->mine_default) continue;
            if (l->gas_class[0] && gas_class[0] && strcmp(l->gas_class, gas_class)) continue;
            ret[n++] = l;
        }
    return n;
}

struct limits policy_limits(const struct policy *p, const char *loc_class, const char *sensor_type, const char *gas_class, int32_t day, const char **source) {
    const struct limit_rule *row[LIMIT_ROWS_MAX];
    struct limits r = LIMITS_NONE;
    int n = policy_limit_rows(p, loc_class, sensor_type, gas_class, day, row);
    *source = n ? row[n - 1]->source : "";
    for (int i = 0; i < n; i++) r = stricter(r, row[i]->lim);
    return r;
}
