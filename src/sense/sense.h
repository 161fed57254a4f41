/* Table-driven decoders and encoders of the upload families (data-access.md 2.4 and the families' sections): file names, BOM and wrapping
 * quotes, containers (records, lines, XML, JSON, CSV), strict UTF-8 (GB18030 where the family allows), refusals per record and field;
 * and what decoded records mean. No file, clock, database or log inside. */
#pragma once
#include "base/arena.h"
#include "model/alarm.h"
#include "model/batch.h"
#include "policy/policy.h"

/* Takes a file name apart: "140214000123_CDSS_20260301000030.txt", and what writers make of it: no underscores, other order, a stamp with
 * blanks and colons, lower case. link: the mine whose token or folder it came by, "" an operator; stands in for a code the name lacks.
 * ZB_E_INPUT with the reason. format: those of this type, extension and code length; the header decides between several. */
#define UPLOAD_FORMATS_MAX 6
struct upload_name {
    struct str mine, type;
    zb_time time; /* ZB_TIME_NONE: none in the name */
    const struct format *format[UPLOAD_FORMATS_MAX];
    int formats;
};
ZB_MUST int upload_name_parse(const struct policy *p, struct str name, struct str link, struct upload_name *ret, struct zb_err *e);

/* Decodes bytes (kept alive by the caller as long as the batch) into *ret in arena a. now: receive time, for the future check.
 * ZB_E_INPUT: the whole file is refused (e and ret->why[0] say why): unknown type, truncated (no END), not UTF-8, header wrong,
 * three different mines, header time > now + future_max, more than bad_record_percent bad. ZB_E_LIMIT: too large. ZB_OK: decoded,
 * bad records left out and listed. "truncated" can be told apart: *truncated true. */
ZB_MUST int batch_decode(const struct policy *p, struct str name, struct str link, struct str bytes, zb_time now, struct arena *a, struct batch *ret,
                         bool *truncated, struct zb_err *e);
/* Writes a file of this format. header and cells in layout order. Refuses (ZB_E_INPUT) a cell containing a separator. */
ZB_MUST int batch_encode(const struct format *f, const struct str *header, const struct str *const *rows, int n, struct buf *out, struct zb_err *e);
int format_field(const struct record_layout *l, const char *name); /* index or -1 */

/* ---- meaning: what record i of a decoded batch says, by its format's facts. Each returns how many, at most FACTS_MAX. ---- */
int samples_of(const struct policy *p, const struct batch *b, int i, struct arena *a, struct observation *ret);
int points_of(const struct policy *p, const struct batch *b, int i, struct arena *a, struct point_def *ret);
/* What a sample itself says of its point: for points nobody has defined. from: of the observation. */
bool sample_point(const struct policy *p, const struct batch *b, uint32_t from, struct arena *a, struct point_def *ret);
/* Adds what the policy's conversions make of the raw values among o[0..n), at most to cap; returns how many there are then. Room: n more for each
 * conversion the mine has. */
int conversions_of(const struct policy *p, struct str mine);
int observations_convert(const struct policy *p, struct str mine, struct observation *o, int n, int cap, struct arena *a);
bool conversion_value(const struct conversion *c, double x, double temperature, double barometer, double *ret); /* false: no number comes of it */
int events_of(const struct policy *p, const struct batch *b, int i, struct arena *a, struct event *ret);
struct station_state {
    struct str station;
    int run; /* 0 normal, 1 broken, 2 fault, 9 unknown */
    zb_time t;
};
int stations_of(const struct policy *p, const struct batch *b, int i, struct arena *a, struct station_state *ret);
