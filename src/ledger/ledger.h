/* Records 台账: a definition (policy/ledger.h) becomes tables, and every change of a record goes through one function, in one transaction with its history,
 * clocks, full text, effects and journal entry. Tables: l_<key> now, h_<key> every version with known-from/known-to, s_<key>_<sub> rows with stable numbers,
 * f_<key> full text; view v_<key> adds the derived fields; sub-table fields with `filter` have an index. p_list, p_edition, p_<table> hold the policy's lists and tables
 * (codes.c). Ids are not dense: a gap tells nothing. */
#pragma once
#include "access/access.h"
#include "base/json.h"
#include "rectify/rectify.h"
#include <jansson.h>
#include <stdio.h>

struct lcall { /* who does something on which ledger */
    struct db *db;
    const struct policy *policy;
    const struct actor *actor; /* NULL: a clock */
    const struct ledger *l;
    zb_time now;
    struct arena *arena;
    int depth;          /* of effects */
    enum zb_rc trouble; /* a name could not be read: what was to be written with it is not written */
    struct past *past;  /* a past is being taken over (past.c); NULL: live */
    const char *dir;    /* data directory: attached files, the key of sealed fields; NULL: without either */
};
/* An item of a list as people read it: its name; of a list with editions also its key, its document and the place there. */
struct str item_text(struct arena *a, const struct list_item *it);
/* Makes and changes tables until they are what the policy says; a change that would lose something is refused (ZB_E_CONFLICT). Prepares every SQL of the
 * policy (ZB_E_INPUT: file:line:column). */
ZB_MUST int ledger_migrate(struct db *db, const struct policy *p, zb_time now, struct zb_err *e);
/* What the ledger of mines (sites.yaml) says of one; ZB_E_ABSENT: it has none of this code. */
struct site_said {
    char name[96], gas[12]; /* "" not said */
    int level;              /* who supervises it, in digits of the area: 2 province, 4 city, 6 county; 0 not said */
};
ZB_MUST int ledger_site(struct lcall *c, struct str code, struct site_said *ret, struct zb_err *e);
struct str ledger_set_text(struct arena *a, const struct ledger_field *f, struct str keys); /* members of an LF_SET by their Chinese names, with 、 */
/* What the actor may: NULL when nothing at all. */
const struct ledger_access *ledger_access(const struct ledger *l, const struct actor *a);

struct lchange {
    int64_t id;      /* 0: new */
    int64_t rev;     /* of the record as the person saw it; 0 with new */
    const char *act; /* NULL: new or edit */
    json_t *values;  /* {field: value}, {sub: [{row, field: value …}]}; NULL none */
    struct str why;
    zb_time at;       /* when it was so (NONE: now); not in the future */
    bool password_ok; /* the password was given again just now */
};
/* Opens its own transaction. ZB_E_CONFLICT: somebody changed it meanwhile. *done false: a further officer must do the same act. Returns the id in *id. */
ZB_MUST int ledger_change(struct lcall *c, const struct lchange *ch, int64_t *id, bool *done, struct zb_err *e);
/* The same inside the caller's transaction. */
ZB_MUST int ledger_change_in(struct lcall *c, const struct lchange *ch, int64_t *id, bool *done, struct zb_err *e);
/* Definition as the actor sees it. */
void ledger_json(const struct lcall *c, struct json *j);
/* One record with its sub-tables, acts (each allowed or why not), clocks, files and links. asof, known: NONE now. */
ZB_MUST int ledger_show(struct lcall *c, int64_t id, zb_time asof, zb_time known, struct json *j, struct zb_err *e);
ZB_MUST int ledger_find(struct lcall *c, struct str id_or_no, int64_t *id, struct zb_err *e);
/* Its revision and state (index), for who is about to change it. */
ZB_MUST int ledger_head(struct lcall *c, int64_t id, int64_t *rev, int *state, struct zb_err *e);
/* Number and name of a record as the actor may see them; ZB_E_ABSENT when not. */
ZB_MUST int ledger_title(struct lcall *c, int64_t id, char no[64], char title[200], struct zb_err *e);
ZB_MUST int ledger_history(struct lcall *c, int64_t id, struct json *j, struct zb_err *e);
/* Derived fields are worked out for those the list shows (`columns`), or for all. */
struct lquery {
    struct str where, sort, search;
    int64_t after, limit;
    bool all;
};
/* {"records":[…],"total":n,"more_than_total":b,"next":offset}: total is counted to 2,000, next is there as long as records are. where: field=value;field>=value;field=a|b;field~text; state and due too. */
ZB_MUST int ledger_list(struct lcall *c, const struct lquery *q, struct json *j, struct zb_err *e);
ZB_MUST int ledger_count(struct lcall *c, struct str where, int64_t *ret, struct zb_err *e); /* how many records the filter gives */
/* A list of the policy with its editions' items. */
void list_json(const struct code_list *l, struct json *j);
/* Calls fn for every record the query gives, texts as shown; for exports. */
typedef int ledger_row_fn(void *arg, const struct ledger *l, const int *field, int fields, struct str *text, struct zb_err *e);

/* What is past its due date, counted by area and mine, as far as the actor may see it. area: how its code begins; mine "": every. */
struct loverdue {
    char area[24], mine[24];
    int64_t n;
    zb_time oldest;
};
typedef int ledger_overdue_fn(void *arg, const struct ledger *l, const struct loverdue *o, struct zb_err *e);
ZB_MUST int ledger_overdue(struct lcall *c, struct str area, struct str mine, ledger_overdue_fn *fn, void *arg, struct zb_err *e);

/* Steps clocks that are due: at most `most`; each in a transaction of its own. tell: for notices, inside that transaction (NULL: none). */
struct lnotice {
    const char *ledger;
    int64_t id;
    const char *no, *title, *area, *mine, *zh, *en, *dedup;
    bool urgent;
};
typedef int ledger_tell_fn(void *arg, struct db *db, const struct lnotice *n, zb_time now, struct zb_err *e);
ZB_MUST int ledger_clocks(struct db *db, const struct policy *p, const char *dir, zb_time now, int most, ledger_tell_fn *tell, void *arg, int *did,
                          struct zb_err *e);

/* Takes over a past told in files: FOLDER/<ledger>.jsonl, one change a line,
 *   {"n":7,"at":"2024-01-05 09:00:00","id":"k1","who":"principal boss 140214900001","act":"submit","v":{…},"why":"…"}
 * n rises over all files and at with it; act new, edit or an act; "@key" refers to a record of the files. Every change passes rights, guards, effects and
 * clocks as it would have on that day, up to `until`; versions are known from their `at`. Steps of ladders that only remind are passed over. One transaction
 * and one journal entry (count, times, digest) for some thousand changes; ZB_E_INPUT names file, line and reason, what was committed before stays. */
struct past_result {
    int64_t changes, clocks;
};
ZB_MUST int ledger_past_load(struct db *db, const struct policy *p, const char *dir, const char *folder, zb_time until, FILE *progress, struct past_result *ret,
                             struct zb_err *e);

/* Attachments: bytes by digest below dir/files. Kind by content: PDF, PNG, JPEG, XLSX/DOCX/ZIP, plain text; 20 MiB. */
ZB_MUST int ledger_attach(struct lcall *c, int64_t id, struct str name, struct str bytes, struct json *j, struct zb_err *e);
ZB_MUST int ledger_file(struct lcall *c, int64_t file, struct buf *bytes, char name[200], const char **kind, struct zb_err *e);
/* Sealed fields: the key of a record can be erased, and with it what it sealed. */
ZB_MUST int ledger_unseal(struct lcall *c, int64_t id, struct str field, struct str why, struct json *j, struct zb_err *e);
ZB_MUST int ledger_erase(struct lcall *c, int64_t id, struct str why, struct zb_err *e);

/* Import: rows of texts under headings, by an import profile or by the ledger's own names. Dry: nothing is kept. Each refused cell is told by line and column. */
struct limport {
    const struct import_profile *profile;
    bool dry;
    const char *sheet;
    int rows, cols;
    struct str *cell; /* [row*cols+col], row 0 headings */
    const int *line;
};
ZB_MUST int ledger_import(struct lcall *c, const struct limport *im, struct json *j, struct zb_err *e);
