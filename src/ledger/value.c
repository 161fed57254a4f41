/* Values of fields: from text (a person, a cell), to and from JSON, to and from the database. */
#include "base/utf8.h"
#include "ledger/inside.h"
#include <stdio.h>
#include <stdlib.h>

static bool is_text(const struct ledger_field *f) { return f->type == LF_TEXT || f->type == LF_ENUM || f->type == LF_SET || f->type == LF_REGION; }

const char *sql_type(const struct ledger_field *f) {
    switch (f->type) {
    case LF_NUM: return "real";
    case LF_INT:
    case LF_BOOL:
    case LF_DAY:
    case LF_TIME:
    case LF_REF: return "integer";
    case LF_SEALED: return "blob";
    default: return "text";
    }
}

static int bad(const struct ledger_field *f, struct str t, struct zb_err *e, const char *want) {
    return zb_fail(e, ZB_E_INPUT, "%s %s: \"%.*s\": %s", f->key, f->zh, t.n > 60 ? 60 : (int)t.n, t.p, want);
}

static int number_parse(const struct ledger_field *f, struct str t, struct value *v, struct zb_err *e) {
    zb_fix x;
    char lo[ZB_FIX_CAP], hi[ZB_FIX_CAP];
    if (f->type == LF_INT ? !num_i64(t, -9007199254740991, 9007199254740991, &v->i) : !num_fix(t, &x))
        return bad(f, t, e, f->type == LF_INT ? "write a whole number" : "write a number such as 12.5");
    if (f->type == LF_INT) x = v->i > 9000000000000 || v->i < -9000000000000 ? v->i : v->i * ZB_FIX_ONE;
    if ((f->min != ZB_FIX_NONE && x < f->min) || (f->max != ZB_FIX_NONE && x > f->max))
        return zb_fail(e, ZB_E_INPUT, "%s %s: \"" STR_FMT "\": allowed %s to %s %s", f->key, f->zh, STR_ARG(t), zb_fix_text(f->min, lo),
                       zb_fix_text(f->max, hi), f->unit);
    v->r = zb_fix_double(x);
    return ZB_OK;
}

struct str item_text(struct arena *a, const struct list_item *it) {
    const struct list_edition *ed = it->edition;
    return str_of(ed && ed->key[0] ? arena_printf(a, "%s %s（%s%s）", it->key, it->zh, ed->zh, it->cite) : it->zh);
}

/* By key, by name (of two editions with the same words the one of today), or as item_text gives it. */
static int enum_parse(struct lcall *c, const struct ledger_field *f, struct str t, struct value *v, struct zb_err *e) {
    struct str rest, head = str_cut(t, ' ', &rest);
    const struct list_item *hit = list_find(f->list, t);
    if (!hit && f->list->editions && f->list->edition[0].key[0]) hit = list_find(f->list, head);
    for (int i = 0; i < f->list->items && !hit; i++) {
        const struct list_item *it = &f->list->item[i];
        if ((str_is(t, it->zh) || str_is(t, it->en)) && list_valid(f->list, str_of(it->key), zb_day_of(c->now), STR(""))) hit = it;
    }
    for (int i = 0; i < f->list->items && !hit; i++)
        if (str_is(t, f->list->item[i].zh) || str_is(t, f->list->item[i].en)) hit = &f->list->item[i];
    if (hit) {
        v->s = str_of(hit->key);
        return ZB_OK;
    }
    char all[200] = "";
    for (int i = 0; i < f->list->items && strlen(all) < 150; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s %s", i ? ", " : "", f->list->item[i].key, f->list->item[i].zh);
    return zb_fail(e, ZB_E_INPUT, "%s %s: \"%.*s\" is not one of %s", f->key, f->zh, t.n > 60 ? 60 : (int)t.n, t.p, all);
}

/* Members by key or Chinese name, separated by blanks, commas or 、; kept in the order of the list, each once. */
static int set_parse(struct lcall *c, const struct ledger_field *f, struct str t, struct value *v, struct zb_err *e) {
    static const char *const SEP[] = {",", ";", "|", "、", "，", "；", "\n"};
    ZB_AUTO(buf_done) struct buf b, out;
    bool has[256] = {false};
    buf_init(&b, 64 << 10);
    buf_init(&out, 64 << 10);
    for (size_t i = 0; i < t.n;) {
        size_t skip = 0;
        for (size_t k = 0; k < sizeof SEP / sizeof *SEP && !skip; k++)
            if (t.n - i >= strlen(SEP[k]) && !memcmp(t.p + i, SEP[k], strlen(SEP[k]))) skip = strlen(SEP[k]);
        buf_put(&b, skip ? " " : t.p + i, 1);
        i += skip ? skip : 1;
    }
    struct str rest = buf_str(&b);
    while (rest.p && rest.n) {
        struct value one;
        struct str w = str_cut(rest, ' ', &rest);
        if (!w.n) continue;
        if (enum_parse(c, f, w, &one, e) != ZB_OK) return e->rc;
        for (int i = 0; i < f->list->items && i < 256; i++) has[i] |= str_is(one.s, f->list->item[i].key);
    }
    for (int i = 0; i < f->list->items && i < 256; i++)
        if (has[i]) buf_printf(&out, "%s%s", out.n ? " " : "", f->list->item[i].key);
    v->s = (struct str){arena_str(c->arena, buf_str(&out)), out.n};
    v->null = !v->s.n;
    return b.over || out.over || !v->s.p ? zb_fail(e, ZB_E_LIMIT, "%s %s: too long", f->key, f->zh) : ZB_OK;
}

struct str ledger_set_text(struct arena *a, const struct ledger_field *f, struct str keys) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    while (keys.p && keys.n) {
        struct str w = str_cut(keys, ' ', &keys);
        const struct list_item *it = list_find(f->list, w);
        buf_puts(&b, b.n ? "、" : "");
        if (it)
            buf_puts(&b, it->zh);
        else
            buf_put(&b, w.p, w.n);
    }
    return (struct str){arena_str(a, buf_str(&b)), b.n};
}

static int ref_parse(struct lcall *c, const struct ledger_field *f, struct str t, struct value *v, struct zb_err *e) {
    struct lcall to = *c;
    to.l = &c->policy->ledger[f->to_ledger];
    int rc = ledger_find(&to, t, &v->i, e);
    return rc == ZB_E_ABSENT ? zb_fail(e, ZB_E_INPUT, "%s %s: \"%.*s\" is not a record of %s", f->key, f->zh, t.n > 60 ? 60 : (int)t.n, t.p, to.l->zh) : rc;
}

static int bool_parse(const struct ledger_field *f, struct str t, struct value *v, struct zb_err *e) {
    static const char *const YES[] = {"true", "1", "是", "有", "yes"}, *const NO[] = {"false", "0", "否", "无", "no"};
    for (int i = 0; i < 5; i++)
        if (str_is(t, YES[i]) || str_is(t, NO[i])) {
            v->i = str_is(t, YES[i]);
            return ZB_OK;
        }
    return bad(f, t, e, "write 是 or 否 (true or false)");
}

/* By its code or name of today, or its code of before. */
static bool region_is(const struct region *g, struct str t) {
    if (str_is(t, g->code) || str_is(t, g->name)) return true;
    for (struct str w, rest = str_of(g->was); rest.p && rest.n;) {
        w = str_cut(rest, '|', &rest);
        if (str_eq(w, t)) return true;
    }
    return false;
}

int value_parse(struct lcall *c, const struct ledger_field *f, struct str t, struct value *v, struct zb_err *e) {
    int32_t day;
    *v = (struct value){.null = true};
    t = str_trim(t);
    if (!t.n) return ZB_OK;
    v->null = false;
    switch (f->type) {
    case LF_NUM:
    case LF_INT: return number_parse(f, t, v, e);
    case LF_BOOL: return bool_parse(f, t, v, e);
    case LF_ENUM: return enum_parse(c, f, t, v, e);
    case LF_SET: return set_parse(c, f, t, v, e);
    case LF_REF: return ref_parse(c, f, t, v, e);
    case LF_DAY:
        if (!zb_day_parse(t, &day)) return bad(f, t, e, "write a day such as 2026-03-01");
        v->i = day;
        return ZB_OK;
    case LF_TIME: return zb_time_parse(t, &v->i) ? ZB_OK : bad(f, t, e, "write a time such as 2026-03-01 08:30:00 (Beijing)");
    case LF_REGION:
        for (int i = 0; i < c->policy->regions; i++)
            if (region_is(&c->policy->region[i], t)) {
                v->s = str_of(c->policy->region[i].code);
                return ZB_OK;
            }
        return bad(f, t, e, "write a division's code (six digits) or its full name");
    default:
        if (!utf8_valid(t) || memchr(t.p, 0, t.n)) return zb_fail(e, ZB_E_INPUT, "%s %s: not valid UTF-8", f->key, f->zh);
        if (t.n > (size_t)f->max_bytes) return zb_fail(e, ZB_E_INPUT, "%s %s has %zu bytes: at most %d", f->key, f->zh, t.n, f->max_bytes);
        v->s = (struct str){arena_str(c->arena, t), t.n};
        return v->s.p ? ZB_OK : zb_fail(e, ZB_E_LIMIT, "the request is too large");
    }
}

int value_json_in(struct lcall *c, const struct ledger_field *f, json_t *in, struct value *v, struct zb_err *e) {
    struct str t = {"", 0};
    if (json_is_string(in))
        t = (struct str){json_string_value(in), json_string_length(in)};
    else if (json_is_integer(in))
        t = str_of(arena_printf(c->arena, "%lld", (long long)json_integer_value(in)));
    else if (json_is_real(in))
        t = str_of(arena_printf(c->arena, "%.15g", json_real_value(in)));
    else if (json_is_boolean(in))
        t = json_is_true(in) ? STR("true") : STR("false");
    else if (!json_is_null(in))
        return zb_fail(e, ZB_E_INPUT, "%s %s: a text, number, true, false or null is expected", f->key, f->zh);
    return value_parse(c, f, t, v, e);
}

void value_bind(struct stmt *q, int i, const struct ledger_field *f, const struct value *v) {
    if (v->null)
        stmt_null(q, i);
    else if (f->type == LF_NUM)
        stmt_real(q, i, v->r);
    else if (f->type == LF_SEALED)
        stmt_blob(q, i, v->s);
    else if (is_text(f))
        stmt_text(q, i, v->s);
    else
        stmt_i64(q, i, v->i);
}

void value_read(struct stmt *q, int col, const struct ledger_field *f, struct arena *a, struct value *v) {
    *v = (struct value){.null = stmt_col_null(q, col)};
    if (v->null) return;
    if (f->type == LF_NUM) {
        v->r = stmt_col_real(q, col);
    } else if (is_text(f) || f->type == LF_SEALED) {
        struct str s = f->type == LF_SEALED ? stmt_col_blob(q, col) : stmt_col_text(q, col);
        v->s = (struct str){arena_str(a, s), s.n};
        if (!v->s.p) *v = (struct value){.null = true};
    } else {
        v->i = stmt_col_i64(q, col);
    }
}

static zb_fix fix_of(double r) { return (zb_fix)(r * 1e6 + (r < 0 ? -0.5 : 0.5)); }

void value_json(struct json *j, const struct ledger_field *f, const struct value *v) {
    char day[ZB_TIME_CAP];
    if (v->null)
        json_none(j);
    else if (f->type == LF_SEALED)
        json_z(j, "***");
    else if (f->type == LF_NUM)
        json_fix(j, fix_of(v->r));
    else if (f->type == LF_BOOL)
        json_bool(j, v->i != 0);
    else if (f->type == LF_DAY)
        json_z(j, zb_day_text((int32_t)v->i, day));
    else if (f->type == LF_TIME)
        json_time(j, v->i);
    else if (f->type == LF_INT || f->type == LF_REF)
        json_i64(j, v->i);
    else
        json_str(j, v->s);
}

struct str value_text(struct lcall *c, const struct ledger_field *f, const struct value *v) {
    char t[ZB_TIME_CAP > ZB_FIX_CAP ? ZB_TIME_CAP : ZB_FIX_CAP];
    if (v->null) return STR("");
    switch (f->type) {
    case LF_NUM: return str_of(arena_str(c->arena, str_of(zb_fix_text(fix_of(v->r), t))));
    case LF_INT: return str_of(arena_printf(c->arena, "%lld", (long long)v->i));
    case LF_BOOL: return v->i ? STR("是") : STR("否");
    case LF_DAY: return str_of(arena_str(c->arena, str_of(zb_day_text((int32_t)v->i, t))));
    case LF_TIME: return str_of(arena_str(c->arena, str_of(zb_time_text(v->i, t))));
    case LF_REF: return ref_title(c, f->to_ledger, v->i);
    case LF_SEALED: return STR("***");
    case LF_ENUM: {
        const struct list_item *it = list_find(f->list, v->s);
        return it ? item_text(c->arena, it) : v->s;
    }
    case LF_SET: return ledger_set_text(c->arena, f, v->s);
    case LF_REGION: {
        const struct region *g = policy_region(c->policy, v->s);
        return g ? str_of(g->name) : v->s;
    }
    default: return v->s;
    }
}

bool value_same(const struct ledger_field *f, const struct value *a, const struct value *b) {
    if (a->null || b->null) return a->null == b->null;
    if (f->type == LF_NUM) return fix_of(a->r) == fix_of(b->r);
    if (is_text(f) || f->type == LF_SEALED) return str_eq(a->s, b->s);
    return a->i == b->i;
}
