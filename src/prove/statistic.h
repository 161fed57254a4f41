/* Tables counted over the ledgers (statistics.yaml), kept to one area and what lies in it. */
#pragma once
#include "prove/prove.h"

/* area as six digits; "140000" is the whole province. Row by row: columns of q are area, rec (null when it names no record), then s->column in order. */
typedef int statistic_fn(void *arg, struct stmt *q, struct zb_err *e);
#define STATISTIC_ROWS_MAX 5000
ZB_MUST int statistic_rows(struct db *db, const struct policy *p, const struct statistic *s, const char *area, statistic_fn *fn, void *arg, struct zb_err *e);
ZB_MUST int statistic_check(struct db *db, const struct policy *p, const struct statistic *s, struct zb_err *e); /* ZB_E_INPUT: file:line:column */
