/* Between the decoders of this folder. */
#pragma once
#include "base/map.h"
#include "sense/sense.h"
void refusal_add(struct batch *b, struct arena *a, int record, const char *field, const char *fmt, ...) ZB_PRINTF(5, 6);
const char *cell_check(const struct policy *p, const struct batch *b, const struct field *f, struct str *s);
bool batch_time(const struct batch *b, struct str s, zb_time *ret);
int duplicates_drop(struct batch *b, struct arena *a);
/* Fill header, rec, n, refused. */
int text_split(const struct policy *p, struct str bytes, struct arena *a, struct batch *b, bool *truncated, struct zb_err *e);
int csv_split(const struct policy *p, struct str bytes, struct arena *a, struct batch *b, struct zb_err *e);
