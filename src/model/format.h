/* One upload family's record layout and what its records mean, as read from policies/<p>/formats/. One table serves decoder, encoder
 * and meaning; a new type is a new table and no C. data-access.md. Immutable, owned by the policy snapshot. */
#pragma once
#include "base/num.h"
#include "base/time.h"

/* kind of a field: how its text is checked */
#define FIELD_KINDS(X) X(TEXT, "text") X(DEC, "dec") X(INT, "int") X(TIME, "time") X(DATE, "date") X(FLAG, "flag") X(CODE, "code")
enum field_kind {
#define X(id, key) FIELD_##id,
    FIELD_KINDS(X)
#undef X
        FIELD_KINDS_N
};

struct field {
    const char *name; /* snake_case, unique in its record */
    const char *zh;   /* 中文 */
    /* where an XML or JSON container has it: attribute, member, "a.b" for a member of a member, "child/x y" for attributes of child
     * elements, joined "x&y,x&y"; the name when not written */
    const char *at;
    enum field_kind kind;
    bool required;    /* empty is refused */
    bool number;      /* written to JSON without quotes; read either way */
    uint16_t max_len; /* bytes; 0: 400 */
    zb_fix min, max;  /* ZB_FIX_NONE: open */
};

#define FORMAT_FIELDS_MAX 40
struct record_layout {
    int n, min_fields; /* fewer fields than min: record refused; more than n: kept in ext */
    struct field f[FORMAT_FIELDS_MAX];
};

/* The container. records: fields `;`, records and file ended by marks, the first record is the header. lines: a record a line, no header, no mark.
 * raw: known by name only, kept as it came until its layout is known. */
#define SYNTAXES(X) X(RECORDS, "records") X(LINES, "lines") X(XML, "xml") X(JSON, "json") X(CSV, "csv") X(RAW, "raw")
enum syntax {
#define X(id, key) SYNTAX_##id,
    SYNTAXES(X)
#undef X
        SYNTAXES_N
};

/* What a record says. A fact fills slots from fields; kinds and their slots: bind_format.c. */
#define FACT_KINDS(X) X(DEFINE, "define") X(SAMPLE, "sample") X(STATION, "station") X(EVENT, "event")
enum fact_kind {
#define X(id, key) FACT_##id,
    FACT_KINDS(X)
#undef X
        FACT_KINDS_N
};
/* slot, its key, the field it is read from when the table does not say */
#define SLOTS(X)                                                                                                                                               \
    X(POINT, "point", "point_code")                                                                                                                            \
    X(ITEM, "item", "")                                                                                                                                        \
    X(VALUE, "value", "value")                                                                                                                                 \
    X(STATE, "state", "state")                                                                                                                                 \
    X(TIME, "time", "time")                                                                                                                                    \
    X(UNIT, "unit", "unit")                                                                                                                                    \
    X(SENSOR, "sensor", "sensor_type")                                                                                                                         \
    X(TYPE_NAME, "type_name", "type_name")                                                                                                                     \
    X(VALUE_TYPE, "value_type", "value_type")                                                                                                                  \
    X(STATION, "station", "station_code")                                                                                                                      \
    X(SYS, "sys", "sys_code")                                                                                                                                  \
    X(LOCATION, "location", "location")                                                                                                                        \
    X(CLASS, "class", "")                                                                                                                                      \
    X(RANGE_HIGH, "range_high", "range_high")                                                                                                                  \
    X(RANGE_LOW, "range_low", "range_low")                                                                                                                     \
    X(HI_ALARM, "hi_alarm", "hi_alarm")                                                                                                                        \
    X(HI_CLEAR, "hi_clear", "hi_clear")                                                                                                                        \
    X(LO_ALARM, "lo_alarm", "lo_alarm")                                                                                                                        \
    X(LO_CLEAR, "lo_clear", "lo_clear")                                                                                                                        \
    X(HI_CUT, "hi_cut", "hi_cut")                                                                                                                              \
    X(HI_RESTORE, "hi_restore", "hi_restore")                                                                                                                  \
    X(LO_CUT, "lo_cut", "lo_cut")                                                                                                                              \
    X(LO_RESTORE, "lo_restore", "lo_restore")                                                                                                                  \
    X(HI_YELLOW, "hi_yellow", "")                                                                                                                              \
    X(HI_ORANGE, "hi_orange", "")                                                                                                                              \
    X(HI_RED, "hi_red", "")                                                                                                                                    \
    X(LO_YELLOW, "lo_yellow", "")                                                                                                                              \
    X(LO_ORANGE, "lo_orange", "")                                                                                                                              \
    X(LO_RED, "lo_red", "")                                                                                                                                    \
    X(ON_DESC, "on_desc", "on_desc")                                                                                                                           \
    X(OFF_DESC, "off_desc", "off_desc")                                                                                                                        \
    X(X, "x", "x")                                                                                                                                             \
    X(Y, "y", "y")                                                                                                                                             \
    X(Z, "z", "z")                                                                                                                                             \
    X(RELATION, "relation", "relation")                                                                                                                        \
    X(RUN, "run", "run")                                                                                                                                       \
    X(KIND, "kind", "")                                                                                                                                        \
    X(SAME_AS, "same_as", "")                                                                                                                                  \
    X(CODE, "code", "")                                                                                                                                        \
    X(LEVEL, "level", "")                                                                                                                                      \
    X(START, "start", "start")                                                                                                                                 \
    X(END, "end", "end")                                                                                                                                       \
    X(PEAK, "peak", "max")                                                                                                                                     \
    X(SAY, "say", "")
enum slot {
#define X(id, key, field) SLOT_##id,
    SLOTS(X)
#undef X
        SLOTS_N
};

struct source {           /* where a slot's text comes from */
    const char *constant; /* written "=text"; NULL: from fields */
    const char *map;      /* "from=to …", "*=to" for all others; NULL: as it is */
    int field[3], fields;
    bool first; /* written a|b: the first that is not empty; else a+b: joined */
};

#define FACTS_MAX 16
struct fact {
    enum fact_kind kind;
    struct source slot[SLOTS_N];
    int when; /* only for records whose field is (or is not) one of the words; -1 always */
    bool when_not;
    const char *when_words;
    zb_time every;                   /* define: samples are expected this often and watched; 0 not watched */
    bool instant;                    /* event: a moment, not a span that ends by a later record */
    bool unset_zero, unset_negative; /* define: how the family writes "no limit set" */
    bool quiet;                      /* sample: kept, but neither judged nor a point of its own: statistics beside the readings */
    bool plain;                      /* sample: point, value, time and state are each one field as it stands */
};

struct format {
    const char *family;  /* "F4" */
    const char *type;    /* "CDSS": as in the file name */
    const char *zh;      /* 测点实时 */
    const char *assumed; /* "" seen; else what of it is assumed */
    enum syntax syntax;
    const char *ext;      /* extensions its files have, space-separated; "-" none */
    const char *mine_len; /* lengths of the mine's code, space-separated */
    bool gb18030;         /* taken when the bytes are no UTF-8 */
    struct {
        char rec;         /* '~' */
        const char *file; /* "||" */
    } end[2];             /* the first is written, both are read */
    int ends;
    char head_end;                         /* what ends the header, when not a record's end; 0 */
    const char *root, *code, *head, *list; /* XML: root element, its code, header element, record element. JSON: list, "" the array is the file */
    struct record_layout header, body;
    int head_mine, head_time; /* index in the header, -1 none */
    int key[4], keys;         /* indexes of body fields that identify a record within a file (later one wins) */
    struct fact *fact;
    int facts;
    unsigned has;     /* 1 << fact_kind */
    const char *keep; /* the mine's last file of this kind stays at hand whole, under this name; "" no */
    int period_s;     /* expected upload period, 0: on event */
    bool link;        /* says that the mine's link is alive */
    size_t max_bytes; /* 20 MiB */
};
