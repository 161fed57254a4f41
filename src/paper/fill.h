/* Named sets of values, and the paper a template makes of them. */
#pragma once
#include "paper/paper.h"
#include "policy/policy.h"

struct sheaf; /* named sets; at most 64 MiB */
struct sheaf *sheaf_new(void);
void sheaf_free(struct sheaf *s);
void sheaf_drop(struct sheaf **s); /* for ZB_AUTO */
/* Begins a set (columns space-separated), or goes on with one already begun by this key. */
void sheaf_set(struct sheaf *s, const char *key, const char *columns);
/* The next cell of the set begun last, in the order of its columns; a row ends by itself. num NONE: text alone. */
void sheaf_put(struct sheaf *s, struct str text, zb_fix num);
void sheaf_blank(struct sheaf *s, const char *text); /* what stands for the cell put last when it is empty: a date to be written by hand */
void sheaf_z(struct sheaf *s, const char *z);        /* NULL: empty */
void sheaf_fix(struct sheaf *s, zb_fix v);           /* NONE: empty */
void sheaf_i64(struct sheaf *s, int64_t v);
void sheaf_date(struct sheaf *s, int32_t day, bool words); /* 2026年3月1日, else 2026-03-01; INT32_MIN: empty */

/* Blocks of a template about a ledger whose sets are there in s. Empty fields of running text become a rule to write on, ＿＿＿＿. */
ZB_MUST int paper_fill(const struct letter_rule *l, const struct sheaf *s, int32_t day, struct paper **ret, struct zb_err *e);
