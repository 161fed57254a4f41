/* One upload family's record layout, as read from policies/<p>/formats/<file>.yaml. One table serves decoder and encoder.
 * data-access.md sections 2-5. Immutable, owned by the policy snapshot. */
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
    enum field_kind kind;
    bool required;    /* empty is refused */
    uint16_t max_len; /* bytes; 0: 400 */
    zb_fix min, max;  /* ZB_FIX_NONE: open */
};

#define FORMAT_FIELDS_MAX 40
struct record_layout {
    int n, min_fields; /* fewer fields than min: record refused; more than n: kept in ext */
    struct field f[FORMAT_FIELDS_MAX];
};

struct format {
    const char *family;   /* "F4" */
    const char *type;     /* "CDSS": as in the file name */
    const char *zh;       /* 测点实时 */
    char rec_end;         /* '~' */
    const char *file_end; /* "||" */
    struct record_layout header, body;
    int key[4], keys;              /* indexes of body fields that identify a record within a file (later one wins) */
    int point, value, state, time; /* indexes of the body fields of that meaning, -1 none: looked up once, used per sample */
    bool snapshot;                 /* the whole truth at its time (RYSS) */
    int period_s;                  /* expected upload period, 0: on event */
    size_t max_bytes;              /* 20 MiB */
};
