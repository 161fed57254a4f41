/* Between the decoders of this folder. */
#pragma once
#include "base/map.h"
#include "sense/sense.h"
/* check.c */
void refusal_add(struct batch *b, struct arena *a, int record, const char *field, const char *fmt, ...) ZB_PRINTF(5, 6);
const char *cell_check(const struct policy *p, const struct batch *b, const struct field *f, struct str *s);
bool batch_time(const struct batch *b, struct str s, zb_time *ret);
/* Checks the record's cells and adds it to the batch, or its refusal. */
void record_take(const struct policy *p, struct str *cell, int no, struct str ext, struct arena *a, struct batch *b);
/* Room for as many records; ZB_E_LIMIT. Cells of record i stand at ret + i * body.n. */
ZB_MUST int records_room(struct batch *b, size_t most, struct arena *a, struct str **ret, struct zb_err *e);

/* Fill header, rec, n, refused. Where several formats may be meant (u->formats), they choose by what the header is. */
struct decode {
    const struct policy *p;
    const struct upload_name *u;
    struct arena *a;
    bool truncated;
};
int text_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e);
int lines_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e);
int csv_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e);
int xml_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e);
int json_split(struct decode *d, struct str bytes, struct batch *b, struct zb_err *e);

/* convert.c: observations that come from no record are marked so */
#define CONVERTED 0xFF000000u
bool converted_point(const struct policy *p, uint32_t from, struct point_def *d);
