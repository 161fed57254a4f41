/* A ledger 台账 as its definition says: fields, states, acts, clocks, who may. Everything is bound from ledgers/<name>.yaml; the engine knows none by name.
 * Text that must be shown has zh and en. SQL in derive, guard and effects is over the ledger's view `v_<key>`, named r (DESIGN section 3); in guards and
 * effects :area and :user are those of who acts ("" and auto for a clock). */
#pragma once
#include "policy/tree.h"

#define LFIELD_TYPES(X)                                                                                                                                        \
    X(TEXT, "text")                                                                                                                                            \
    X(NUM, "num")                                                                                                                                              \
    X(INT, "int") X(BOOL, "bool") X(DAY, "date") X(TIME, "time") X(ENUM, "enum") X(SET, "set") X(REF, "ref") X(REGION, "region") X(SEALED, "sealed")
enum lfield_type {
#define X(id, key) LF_##id,
    LFIELD_TYPES(X)
#undef X
        LFIELD_TYPES_N
};
extern const char *const LFIELD_TYPE_KEY[];

struct list_edition {     /* one file of a list: a document with the time it was in force */
    const char *key, *id; /* key "": the list has no editions; id: its number in the plan, such as C01; "" none */
    const char *zh, *en, *source;
    const char *kinds;    /* what its items are for, space-separated values of a field (list_of); "" everything */
    const char *document; /* what must be got before its items can be entered; "" when it is loaded */
    int32_t from, to;     /* days, INT32_MIN and INT32_MAX open */
};
struct list_item {
    const char *key, *zh, *en;
    int32_t from, to;
    const char *cite;       /* article and item */
    const char *heading;    /* what it stands under, in Chinese */
    const char *detect;     /* A live data, B two sources, C papers and dates, D inspection only; "A B" */
    const char *sources;    /* codes of the data it shows in */
    const char *thresholds; /* numbers in the document's own units, for people */
    const char *kinds;      /* as the edition's; "" those */
    const char *root;       /* key of the oldest item it takes the place of, through all editions; its own when it is new */
    const struct list_edition *edition;
    const struct node *at;
};
struct code_list {
    const char *key, *id, *zh, *en, *source;
    struct list_item *item;
    int items;
    struct list_edition *edition; /* [0] is there always, but for lists that stand in a field */
    int editions;
};

/* A table of numbers of law with columns of its own, for SQL as p_<key>. */
struct table_column {
    const char *key, *zh, *en, *unit;
    enum lfield_type type;        /* TEXT NUM INT BOOL DAY */
    const char *of;               /* of a statistic: "ledger.field" or "ledger.sub.field" whose words its values are; "" none */
    const struct code_list *list; /* those words; NULL: its values are shown as they are */
};
struct code_table {
    const char *key, *id, *zh, *en, *source;
    const char *document; /* what must be got before it has rows; "" when it is loaded */
    struct table_column *column;
    const char **cell; /* rows × columns, read by their types; "" null */
    int columns, rows;
};

struct ledger_field {
    const char *key, *zh, *en, *unit, *help_zh, *help_en;
    enum lfield_type type;
    const char *to;                  /* LF_REF: ledger key */
    int to_ledger;                   /* its index */
    const struct code_list *list;    /* LF_ENUM; LF_SET: several members, stored as their keys in the order of the list, blank between */
    const char *list_day;            /* date field whose day says which items were in force; "" the day of the change; "any": items of whatever day */
    const char *list_of;             /* "site.kind": field of what a reference points at, which says what the items must be for; "" */
    int day_field, of_ref, of_field; /* their indexes; -1 */
    bool required, filter;           /* filter: has an index */
    zb_fix min, max;                 /* LF_NUM, LF_INT; NONE open */
    int max_bytes;                   /* LF_TEXT, LF_SEALED */
    const char *derive;              /* SQL: not stored, not written */
    const char *also;                /* other headings in imported files, separated by | */
    const struct node *at;
};
struct ledger_sub {
    const char *key, *zh, *en;
    struct ledger_field *field;
    int fields;
};
struct ledger_state {
    const char *key, *zh, *en;
    bool open, hidden_number;
    const struct node *at;
};

struct ledger_set {
    const char *field, *sql;
    const struct node *at;
};
struct ledger_effect {        /* on linked records, in the same transaction, by the same actor */
    const char *ledger, *act; /* act "new" makes a record */
    int to_ledger, to_act;    /* to_act -1: new */
    const char *on;           /* SQL giving the ids of the records to act on, ?1 is this record's id; NULL with "new" */
    const char *when;         /* SQL over r; NULL always */
    struct ledger_set *set;
    int sets; /* values, SQL over r (this record) */
    const struct node *at;
};
struct ledger_act {
    const char *key, *zh, *en;
    uint64_t from;            /* states */
    int to;                   /* -1: stays */
    const char *roles;        /* space-separated keys; "auto": only a clock */
    const char *needs, *asks; /* fields that must be filled; that the form offers */
    const char *not_by;       /* acts whose doer on this record may not do this one; "new" too 四眼 */
    const char *guard, *guard_zh, *guard_en;
    bool is_signed, why; /* password again; a reason */
    bool supervisor;     /* only the level that supervises the site, or above 分级监管 */
    int officers;        /* so many different persons */
    struct ledger_effect *effect;
    int effects;
    const struct node *at;
};
enum step_kind { STEP_NOTICE, STEP_ACT };
struct ladder_step {
    int percent;    /* of start → due; -1: offset */
    zb_time offset; /* from due; negative before */
    enum step_kind kind;
    const char *act; /* STEP_ACT: key of an act of the ledger with roles "auto" */
    const char *zh, *en;
    bool urgent;
    const struct node *at;
};
struct ladder {
    const char *key, *zh, *en;
    struct ladder_step *step;
    int steps;
};
struct ledger_clock {
    const char *key, *zh, *en;
    uint64_t during;   /* runs in these states, starts on coming in, stops on leaving them */
    const char *field; /* due at the end of this day; NULL: after `after` */
    zb_time after;     /* from the start, or from field `from` */
    const char *from_field;
    int work_days; /* instead of after: working days of the calendar */
    bool every;    /* starts again when it is due: each period */
    const struct ladder *ladder;
    const struct node *at;
};
enum see_kind { SEE_NONE, SEE_OWN, SEE_AREA, SEE_LINKED }; /* linked: those `where` gives, wherever they lie */
struct ledger_access {
    const char *roles;
    enum see_kind see;
    bool create, import, unseal;
    uint64_t edit;       /* states in which fields may be changed */
    uint64_t not_states; /* records in these are not there for these roles */
    const char *hide;    /* fields */
    const char *where;   /* SQL over r of l_<key>: only these records are there; :area and :user are the actor's. "" all. The role's own where holds as well */
    const struct node *at;
};
struct ledger {
    const char *key, *id, *zh, *en, *source, *master, *file;
    const char *title;   /* field shown as a reference's name */
    const char *scope;   /* fields that give the area, the first filled one does: a region field, or a reference whose record gives it */
    const char *mine;    /* field that holds a mine's code; NULL: the scope's record gives it */
    const char *number;  /* {key}{yyyy}{n4}; NULL none */
    const char *unique;  /* field; NULL */
    const char *search;  /* fields in the full text */
    const char *columns; /* of the list */
    const char *view;    /* SQL of records kept elsewhere (alarms, clues): read only */
    uint64_t start;      /* states a new record may begin in; the first one unless `state` is given */
    bool log_reads;
    struct ledger_field *field;
    int fields;
    struct ledger_sub *sub;
    int subs;
    struct ledger_state *state;
    int states;
    struct ledger_effect *effect; /* of a new record */
    int effects;
    const char *guard, *guard_zh, *guard_en; /* of a new record */
    struct ledger_act *act;
    int acts;
    struct ledger_clock *clock;
    int clocks;
    struct ledger_access *access;
    int accesses;
    const struct node *at;
};
struct import_column {
    const char *from, *to, *as;
    bool comma;
    zb_fix scale;
    const char *map; /* "高瓦斯=high|低瓦斯=low" */
    const char *drop;
    const struct node *at;
};
struct import_profile {
    const char *key, *ledger, *zh, *en;
    int to_ledger;
    struct import_column *column;
    int columns;
    const char *constant; /* "kind=coal_ug" */
};
struct calendar_day {
    int32_t day;
    bool work;
};
struct site_rule {
    const char *ledger, *code, *level, *name, *gas;
    int at;
}; /* which ledger knows the mines */

int lfield_find(const struct ledger_field *f, int n, struct str key); /* -1 */
int lstate_find(const struct ledger *l, struct str key);              /* -1 */
int lact_find(const struct ledger *l, struct str key);                /* -1 */
const struct list_item *list_find(const struct code_list *l, struct str key);
/* The item in force on a day for a kind ("" any); NULL: none of that key is. */
const struct list_item *list_valid(const struct code_list *l, struct str key, int32_t day, struct str kind);
bool list_item_for(const struct list_item *it, struct str kind);
bool word_in(const char *words, struct str w); /* space-separated */
