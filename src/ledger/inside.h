/* What the files of src/ledger/ share. */
#pragma once
#include "audit/audit.h"
#include "ledger/ledger.h"

struct value {
    bool null;
    int64_t i;
    double r;
    struct str s;
}; /* i: int, bool, date, time, ref; r: num; s: text, enum, region, sealed (blob) */
struct record {
    int64_t id, rev, created, updated, state_at, due, due_first;
    int state;
    char no[64], area[24], mine[24], created_by[64], updated_by[64];
    struct value *v; /* by field; derived ones null unless read from the view */
};

/* past.c: while a past is taken over, entries of the journal go into one digest a batch, and reminders up to the horizon are not given. */
struct past {
    zb_time horizon, from, to;
    int64_t n;
    struct evp_md_ctx_st *md;
};
int past_entry(struct lcall *c, const char *who, const char *what, const char *subject, struct str body, struct zb_err *e);

/* value.c */
int value_parse(struct lcall *c, const struct ledger_field *f, struct str text, struct value *ret, struct zb_err *e);
int value_json_in(struct lcall *c, const struct ledger_field *f, json_t *in, struct value *ret, struct zb_err *e);
void value_bind(struct stmt *q, int i, const struct ledger_field *f, const struct value *v);
void value_read(struct stmt *q, int col, const struct ledger_field *f, struct arena *a, struct value *v);
void value_json(struct json *j, const struct ledger_field *f, const struct value *v);        /* sealed: "***" */
struct str value_text(struct lcall *c, const struct ledger_field *f, const struct value *v); /* as a person reads it; references by name */
bool value_same(const struct ledger_field *f, const struct value *a, const struct value *b);
const char *sql_type(const struct ledger_field *f);

/* item.c: an item of a list is taken when it was in force on the day that the field's list_day tells (today: without one), and for what the record is about.
 * old: NULL of a new record; what is not changed is not judged again. */
int items_check(struct lcall *c, const struct value *old, const struct value *now, int32_t today, struct zb_err *e);

/* codes.c: lists and tables of the policy as p_list, p_edition, p_<table> */
int codes_put(struct db *db, const struct policy *p, struct zb_err *e);

/* record.c */
bool access_sees(const struct lcall *c, const struct record *r, const struct ledger_access **ret);
/* What is seen by `linked` beyond an officer's area is there to be read and referred to, not to be changed. */
bool access_writes(const struct lcall *c, const struct record *r, const struct ledger_access *acc);
int record_load(struct lcall *c, int64_t id, bool derived, struct record *r, struct zb_err *e); /* ZB_E_ABSENT also when it may not be seen */
struct str ref_title(struct lcall *c, int ledger, int64_t id);                                  /* "" when absent */
int done_by(struct lcall *c, int64_t id, const char **ret, struct zb_err *e);
int sup_level(struct lcall *c, const struct record *r, int *ret, struct zb_err *e);
int facts_of(struct lcall *c, const struct record *r, struct rectify_facts *ret, struct zb_err *e); /* also who did what on it */
/* SQL of the policy with :area and :user as parameters of these numbers. */
void actor_sql(struct buf *b, const char *sql, int area, int user);
int actor_level(const struct actor *a);
/* Adds "(…)" that keeps what the actor may see; false: nothing. Values are bound from *n on by scope_bind. */
bool scope_sql(const struct lcall *c, struct buf *sql, int *n, bool no_index); /* no_index: another condition has the better index (SQLite) */
void scope_bind(const struct lcall *c, struct stmt *q, int *n);

/* clock.c */
int clocks_set(struct lcall *c, const struct record *r, bool entered,
               struct zb_err *e);                                        /* starts, moves and stops what the new state and values ask; sets due of the record */
int clocks_past(struct lcall *c, zb_time t, int *did, struct zb_err *e); /* within the caller's transaction, each at its time, up to t */
/* search.c */
enum bigram_use { STORE, ASK_FTS5, ASK_TSQUERY };
void bigrams(struct buf *out, struct str text, enum bigram_use use); /* what is stored and what is asked for, alike */
int search_put(struct lcall *c, const struct record *r, struct zb_err *e);
/* seal.c */
int seal_put(struct lcall *c, int64_t id, struct str plain, struct str *ret, struct zb_err *e);
int seal_get(struct lcall *c, int64_t id, struct str sealed, struct str *ret, struct zb_err *e);
/* schema.c */
int64_t id_make(zb_time now);
