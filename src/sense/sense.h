/* Table-driven decoders and encoders of the text families (data-access.md 2.4): BOM and wrapping quotes, separators, END mark,
 * strict UTF-8 (GB18030 only where the family allows), refusals per record and field, the rules 1-10 of section 2.4 that need no memory of other files.
 * No file, clock, database or log inside. */
#pragma once
#include "base/arena.h"
#include "model/batch.h"
#include "policy/policy.h"

/* Takes a file name apart: "140214000123_CDSS_20260301000030.txt". ZB_E_INPUT with the reason.
 * Also "<mine>_CSV_<stamp>.csv": plain CSV (point,time,value[,state[,unit[,location]]] with a header line), type "CSV". */
struct upload_name {
    struct str mine, type;
    zb_time time;
};
ZB_MUST int upload_name_parse(struct str name, struct upload_name *ret, struct zb_err *e);

/* Decodes bytes (kept alive by the caller as long as the batch) into *ret in arena a. now: receive time, for the future check.
 * ZB_E_INPUT: the whole file is refused (e and ret->why[0] say why): unknown type, truncated (no END), not UTF-8, header wrong,
 * three different mines, header time > now + future_max, more than bad_record_percent bad. ZB_E_LIMIT: too large. ZB_OK: decoded,
 * bad records left out and listed. "truncated" can be told apart: *truncated true. */
ZB_MUST int batch_decode(const struct policy *p, struct str name, struct str bytes, zb_time now, struct arena *a, struct batch *ret, bool *truncated,
                         struct zb_err *e);
/* Writes a file of this format. header and cells in layout order. Refuses (ZB_E_INPUT) a cell containing a separator. */
ZB_MUST int batch_encode(const struct format *f, const struct str *header, const struct str *const *rows, int n, struct buf *out, struct zb_err *e);
int format_field(const struct record_layout *l, const char *name); /* index or -1 */

/* Meaning of a decoded CDSS or CSV record, of a CDDY record. false: leave it (the decoder checked kinds already). */
bool sample_of(const struct policy *p, const struct batch *b, const struct record *r, struct str *point, struct sample *ret);
bool point_of(const struct policy *p, const struct batch *b, const struct record *r, struct point_def *ret);
