/* Where the values of a paper come from. Each fills the sets its templates name (policy/letter.h). */
#pragma once
#include "ledger/ledger.h"
#include "op/fns.h"
#include "paper/fill.h"
#include <math.h>

struct paper_ask {
    struct op_call *c;
    const struct letter_rule *l; /* NULL: the one meant for the record, set by sets_of_record */
    char area[8];                /* "14", "1402", "140214" */
    int32_t asof, known;         /* days; INT32_MIN: now */
    struct sheaf *s;
};
/* The record `id` (number or id) of the template's ledger, what it refers to, its rows and the records linked to it: all as the actor may see it. */
ZB_MUST int sets_of_record(struct paper_ask *a, struct lcall *lc, struct str id, struct zb_err *e);
/* The plan of the area, as it was so at asof and known at known: PLAN_SETS. */
ZB_MUST int sets_of_plan(struct paper_ask *a, struct zb_err *e);
/* The link of the mine that `record` names, with its report of now or as it was accepted: LINK_SETS. */
ZB_MUST int sets_of_link(struct paper_ask *a, struct zb_err *e);
/* A list as a table: columns of the list (or all fields) of the records `where` gives, at most 10,000. */
ZB_MUST int paper_of_list(struct lcall *lc, struct str where, bool all, struct paper **ret, struct zb_err *e);
/* A value as people read it; words: 2026年3月1日, else 2026-03-01. *num: NONE when it is no number. rec: the object that holds it. */
struct str field_shown(const struct policy *p, struct arena *a, const struct ledger_field *f, const json_t *rec, bool words, zb_fix *num);
/* A member of a reply: "" and NONE when it is not there. */
static inline const char *member_text(const json_t *o, const char *key) {
    const char *z = json_string_value(json_object_get(o, key));
    return z ? z : "";
}
static inline zb_fix member_fix(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) && fabs(json_number_value(v)) < 9e11 ? (zb_fix)llround(json_number_value(v) * 1e6) : ZB_FIX_NONE;
}
