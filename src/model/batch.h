/* A decoded upload: what one file says, nothing judged yet. Lives in the batch's arena; cells are views into the uploaded bytes. */
#pragma once
#include "model/format.h"

struct record {
    const struct str *cell; /* layout->n cells; an absent trailing one has n == 0 */
    struct str ext;         /* surplus fields, joined as sent */
    int no;                 /* 1-based number in the file */
};

struct refusal { /* one record or the whole file (record 0); field "" when not one field */
    int record;
    const char *field;
    char reason[200]; /* with the value, and what is expected */
};

struct batch {
    const struct format *format;
    struct str mine;         /* code in the header, in the name, or whose link it came by */
    zb_time name_time, time; /* stamp in the name; header's upload time (ZB_TIME_NONE if the layout has none) */
    struct str header[FORMAT_FIELDS_MAX];
    bool timeless; /* the header leaves its time out: the name's stands for it */
    bool repaired; /* raw < or & in XML attributes were mended */
    struct record *rec;
    int n, accepted, refused, warned;
    struct str memo_text; /* the last time read and its value: in most files every record has the same */
    zb_time memo_time, memo_midnight;
    struct refusal *why; /* at most BATCH_REASONS_MAX, the counts are complete */
    int whys;
};
#define BATCH_REASONS_MAX 50
