/* Which items of a list a record may take: those in force on its day, and for what it is about. */
#include "ledger/inside.h"
#include <stdio.h>

/* What the record is of, as its reference's field says ("coal_ug"); "" when the list does not ask. */
static int kind_of(struct lcall *c, const struct ledger_field *f, const struct value *now, char kind[44], struct zb_err *e) {
    kind[0] = 0;
    if (f->of_ref < 0 || now[f->of_ref].null) return ZB_OK;
    const struct ledger *to = &c->policy->ledger[c->l->field[f->of_ref].to_ledger];
    char sql[160];
    snprintf(sql, sizeof sql, "select \"%s\" from l_%s where id=?1", to->field[f->of_field].key, to->key);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, now[f->of_ref].i);
    int r = stmt_row(q, e);
    if (r == 1) str_copy(stmt_col_text(q, 0), kind, 44);
    return r < 0 ? r : ZB_OK;
}

static int item_refused(const struct ledger_field *f, struct str key, int32_t day, const char *kind, struct zb_err *e) {
    const struct list_item *it = list_find(f->list, key);
    const struct list_edition *ed = it && it->edition ? it->edition : NULL, *right = NULL;
    char d[ZB_TIME_CAP], a[ZB_TIME_CAP], b[ZB_TIME_CAP];
    zb_day_text(day, d);
    if (it && it->from <= day && day <= it->to)
        return zb_fail(e, ZB_E_INPUT, "%s %s: “%s”属于《%s》，不适用于该对象（%s）; %s is of %s, which is not for %s", f->key, f->zh, it->key, ed ? ed->zh : "",
                       kind, it->key, ed ? ed->en : "", kind);
    for (int i = 0; i < f->list->editions; i++) {
        const struct list_edition *o = &f->list->edition[i];
        if (o->from <= day && day <= o->to && (!o->kinds[0] || !kind[0] || word_in(o->kinds, str_of(kind)))) right = o;
    }
    return zb_fail(e, ZB_E_INPUT, "%s %s: “" STR_FMT "”属于《%s》（%s至%s），%s应按《%s》%s判定; " STR_FMT " is of %s; on %s %s was in force%s", f->key, f->zh,
                   STR_ARG(key), ed ? ed->zh : "", it && it->from > INT32_MIN ? zb_day_text(it->from, a) : "…",
                   it && it->to < INT32_MAX ? zb_day_text(it->to, b) : "今", d, right ? right->zh : "…", right && right->document[0] ? "（尚未录入）" : "",
                   STR_ARG(key), ed ? ed->en : "a list", d, right ? right->en : "nothing that is known",
                   right && right->document[0] ? ", which is to be loaded" : "");
}

int items_check(struct lcall *c, const struct value *old, const struct value *now, int32_t today, struct zb_err *e) {
    for (int i = 0; i < c->l->fields; i++) {
        const struct ledger_field *f = &c->l->field[i];
        const struct value *v = &now[i];
        int on[] = {i, f->day_field, f->of_ref};
        bool changed = !old;
        char kind[44];
        if ((f->type != LF_ENUM && f->type != LF_SET) || f->derive[0] || v->null || !strcmp(f->list_day, "any")) continue;
        for (int k = 0; k < 3 && !changed; k++) changed = on[k] >= 0 && !value_same(&c->l->field[on[k]], &old[on[k]], &now[on[k]]);
        if (!changed) continue;
        int32_t day = f->day_field >= 0 && !now[f->day_field].null ? (int32_t)now[f->day_field].i : today;
        if (kind_of(c, f, now, kind, e) != ZB_OK) return e->rc;
        for (struct str w, rest = v->s; rest.p && rest.n;) {
            w = str_cut(rest, ' ', &rest);
            if (w.n && !list_valid(f->list, w, day, str_of(kind))) return item_refused(f, w, day, kind, e);
        }
    }
    return ZB_OK;
}
