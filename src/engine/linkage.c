/* What officers decided about a mine's link. It comes as an input of the mine like any upload, line by line, so that a rebuild judges by the same words at the
 * same place of the log; the checkpoint keeps it as the same lines. */
#include "engine/inside.h"
#include <stdio.h>
#include <stdlib.h>

#define LINES_MAX ((size_t)256 << 10)

static struct str word(struct str *rest) { return rest->p ? str_cut(*rest, ' ', rest) : (struct str){"", 0}; }

static void key_of(char out[80], struct str family, struct str code) { snprintf(out, 80, STR_FMT "/" STR_FMT, STR_ARG(family), STR_ARG(code)); }

bool linkage_compares(const struct linkage *l, const char *family) { return l->compared[0] && word_in(l->compared, str_of(family)); }

void linkage_see(struct linkage *l, const char *family, struct str point) {
    static char there[] = "";
    char key[80];
    key_of(key, str_of(family), point);
    if (!map_get(&l->seen, str_of(key))) map_set(&l->seen, str_of(key), there);
}

static void family_compared(struct linkage *l, struct str family, bool compared) {
    char rest_of[sizeof l->compared] = "";
    size_t n = 0;
    for (struct str one, rest = str_of(l->compared); rest.p && rest.n;) {
        one = str_cut(rest, ' ', &rest);
        if (one.n && !str_eq(one, family)) n += (size_t)snprintf(rest_of + n, sizeof rest_of - n, "%s" STR_FMT, n ? " " : "", STR_ARG(one));
    }
    if (compared && n + family.n + 1 < sizeof rest_of) snprintf(rest_of + n, sizeof rest_of - n, "%s" STR_FMT, n ? " " : "", STR_ARG(family));
    memcpy(l->compared, rest_of, sizeof rest_of);
}

static void twin_set(struct linkage *l, struct str family, struct str code, struct str point) {
    char key[80];
    key_of(key, family, code);
    free(map_del(&l->twin, str_of(key)));
    if (!str_is(point, "-")) map_set(&l->twin, str_of(key), xstrndup(point.p, point.n));
}

/* Once live, only what is compared needs to be remembered. */
static void seen_prune(struct linkage *l) {
    struct map kept = {0};
    for (size_t i = 0; i < l->seen.cap; i++) {
        if (!l->seen.slot[i].key) continue;
        struct str key = {l->seen.slot[i].key, l->seen.slot[i].klen}, point, family = str_cut(key, '/', &point);
        char f[16];
        str_copy(family, f, sizeof f);
        if (linkage_compares(l, f)) map_set(&kept, key, l->seen.slot[i].val);
    }
    map_done(&l->seen);
    l->seen = kept;
}

/* A line that is not of these is of a later version, and left alone. */
static void line_take(struct linkage *l, struct str line) {
    struct str rest = line, verb = word(&rest), a = word(&rest), b = word(&rest), c = word(&rest);
    if (str_is(verb, "phase")) {
        l->trial = str_is(a, "trial");
        if (!l->trial) seen_prune(l);
    } else if (str_is(verb, "compare")) {
        family_compared(l, a, true);
    } else if (str_is(verb, "judge")) {
        family_compared(l, a, false);
    } else if (str_is(verb, "twin") && c.n) {
        twin_set(l, a, b, c);
    } else if (str_is(verb, "seen") && b.n) {
        char family[16];
        str_copy(a, family, sizeof family);
        linkage_see(l, family, b);
    }
}

static void alias_take(struct engine *en, struct mine *m, struct str line) {
    struct str rest = line, verb = word(&rest), code = word(&rest);
    bool set = str_is(verb, "alias");
    if (!code.n || (!set && !str_is(verb, "unalias"))) return;
    pthread_rwlock_wrlock(&en->mines_lock);
    if (set)
        map_set(&en->alias, code, m);
    else
        map_del(&en->alias, code);
    pthread_rwlock_unlock(&en->mines_lock);
}

#define EACH_LINE(line, text) for (struct str line, rest_ = (text); rest_.p && (line = str_cut(rest_, '\n', &rest_), true);)

void linkage_aliases(struct engine *en, struct mine *m, struct str lines) { EACH_LINE(line, lines) alias_take(en, m, line); }

void linkage_step(struct engine *en, struct mine *m, struct str lines, zb_time received) {
    bool was = m->linkage.trial;
    EACH_LINE(line, lines) {
        struct str rest = line, verb = word(&rest), point = word(&rest), cls = word(&rest);
        if (str_is(verb, "class"))
            mine_class(en->policy, m->state, point, str_is(cls, "-") ? STR("") : cls, received, &en->diffs);
        else
            line_take(&m->linkage, line);
    }
    if (was && !m->linkage.trial) mine_standing(m->state, &en->diffs);
}

void linkage_freeze(struct engine *en, const struct mine *m, struct buf *out) {
    const struct linkage *l = &m->linkage;
    if (l->trial) buf_puts(out, "phase trial\n");
    for (struct str one, rest = str_of(l->compared); rest.p && rest.n;) {
        one = str_cut(rest, ' ', &rest);
        if (one.n) buf_printf(out, "compare " STR_FMT "\n", STR_ARG(one));
    }
    for (size_t i = 0; i < en->alias.cap; i++)
        if (en->alias.slot[i].key && en->alias.slot[i].val == m) buf_printf(out, "alias %s\n", en->alias.slot[i].key);
    const struct map *maps[] = {&l->twin, &l->seen};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < maps[k]->cap; i++) {
            if (!maps[k]->slot[i].key) continue;
            struct str code, family = str_cut(str_of(maps[k]->slot[i].key), '/', &code);
            if (k)
                buf_printf(out, "seen " STR_FMT " " STR_FMT "\n", STR_ARG(family), STR_ARG(code));
            else
                buf_printf(out, "twin " STR_FMT " " STR_FMT " %s\n", STR_ARG(family), STR_ARG(code), (const char *)maps[k]->slot[i].val);
        }
}

int linkage_thaw(struct engine *en, struct mine *m, struct str lines, struct str clock, struct zb_err *e) {
    linkage_aliases(en, m, lines);
    EACH_LINE(line, lines) line_take(&m->linkage, line);
    return skew_thaw(clock, &m->linkage.clock) ? ZB_OK : zb_fail(e, ZB_E_IO, "checkpoint of mine %s: its clock's measure is damaged", m->code);
}

void linkage_done(struct linkage *l) {
    for (size_t i = 0; i < l->twin.cap; i++)
        if (l->twin.slot[i].key) free(l->twin.slot[i].val);
    map_done(&l->twin);
    map_done(&l->seen);
}

/* Samples of a family that is only compared lie under a name of their own: the judged point's, and whose word it is. */
int linkage_rename(const struct linkage *l, struct job *j, struct zb_err *e) {
    const char *family = j->batch.format->family;
    struct str last = {NULL, 0}, name = {NULL, 0};
    for (int i = 0; i < j->nobs; i++) {
        struct str code = j->obs[i].point;
        if (!last.p || !str_eq(code, last)) {
            char key[80];
            key_of(key, str_of(family), code);
            const char *twin = map_get(&l->twin, str_of(key));
            char *z = twin ? arena_printf(j->arena, "%s@%s", twin, family) : arena_printf(j->arena, STR_FMT "@%s", STR_ARG(code), family);
            if (!z) return zb_fail(e, ZB_E_LIMIT, "%s: its names need more memory than one upload may take", j->name);
            last = code;
            name = str_of(z);
        }
        j->obs[i].point = name;
    }
    return ZB_OK;
}

struct mine *mine_resolve(struct engine *en, struct str code) {
    pthread_rwlock_rdlock(&en->mines_lock);
    struct mine *m = map_get(&en->alias, code);
    pthread_rwlock_unlock(&en->mines_lock);
    return m ? m : mine_get(en, code);
}

bool engine_alias_of(struct engine *en, struct str code, struct str mine) {
    pthread_rwlock_rdlock(&en->mines_lock);
    const struct mine *m = map_get(&en->alias, code);
    bool same = m && str_is(mine, m->code);
    pthread_rwlock_unlock(&en->mines_lock);
    return same;
}

int engine_aliases(struct engine *en, struct str mine, void (*fn)(void *arg, const char *code), void *arg) {
    int n = 0;
    pthread_rwlock_rdlock(&en->mines_lock);
    for (size_t i = 0; i < en->alias.cap; i++) {
        const struct mine *m = en->alias.slot[i].key ? en->alias.slot[i].val : NULL;
        if (!m || !str_is(mine, m->code)) continue;
        if (fn) fn(arg, en->alias.slot[i].key);
        n++;
    }
    pthread_rwlock_unlock(&en->mines_lock);
    return n;
}

int engine_link_set(struct engine *en, struct str who, struct str mine, struct str lines, struct zb_err *e) {
    if (mine.n < 8 || mine.n >= sizeof((struct mine *)0)->code)
        return zb_fail(e, ZB_E_INPUT, "mine \"" STR_FMT "\": a mine's code has 12 digits", STR_ARG(mine));
    if (lines.n > LINES_MAX) return zb_fail(e, ZB_E_LIMIT, "more than %zu bytes at once: set fewer", LINES_MAX);
    return facts_admit(en, who, mine, STR("link"), lines, e);
}
