/* From cells to a sample and to a point's definition. */
#include "sense/inside.h"

bool sample_of(const struct policy *p, const struct batch *b, const struct record *r, struct str *point, struct sample *ret) {
    (void)p;
    const struct format *f = b->format;
    if (f->point < 0 || f->value < 0 || f->time < 0 || !batch_time(b, r->cell[f->time], &ret->t)) return false;
    struct str v = r->cell[f->value];
    int64_t bits = 0;
    if (f->state >= 0 && r->cell[f->state].n && !num_i64(r->cell[f->state], 0, 255, &bits)) return false;
    ret->state = (uint32_t)bits;
    if (!v.n || !num_fix(v, &ret->v)) {
        ret->v = ZB_FIX_NONE;
        ret->state |= ST_NO_VALUE;
    }
    *point = r->cell[f->point];
    return true;
}

static struct str text(const struct batch *b, const struct record *r, const char *name) {
    int i = format_field(&b->format->body, name);
    return i < 0 ? (struct str){"", 0} : r->cell[i];
}
static zb_fix fix(const struct batch *b, const struct record *r, const char *name) {
    zb_fix v;
    return num_fix(text(b, r, name), &v) ? v : ZB_FIX_NONE;
}

/* Gauss-Krueger: X is the northing (7 whole digits), Y the easting with its zone (8). Vendors swap them. */
static void swap_xy(struct point_def *d) {
    const zb_fix ten_million = 10000000 * ZB_FIX_ONE;
    if (d->x == ZB_FIX_NONE || d->y == ZB_FIX_NONE || d->x < ten_million || d->y >= ten_million) return;
    zb_fix x = d->x;
    d->x = d->y;
    d->y = x;
}

static enum value_type value_type_of(struct str s) {
    for (int i = 0; i < VALUE_TYPES_N; i++)
        if (str_is(s, VALUE_TYPE_KEY[i])) return (enum value_type)i;
    return VALUE_MN;
}

bool point_of(const struct policy *p, const struct batch *b, const struct record *r, struct point_def *d) {
    struct str unit = text(b, r, "unit"), type_name = text(b, r, "type_name"), sensor = text(b, r, "sensor_type");
    *d = (struct point_def){.range_hi = fix(b, r, "range_high"),
                            .range_lo = fix(b, r, "range_low"),
                            .x = fix(b, r, "x"),
                            .y = fix(b, r, "y"),
                            .z = fix(b, r, "z"),
                            .own = {fix(b, r, "hi_alarm"), fix(b, r, "hi_clear"), fix(b, r, "lo_alarm"), fix(b, r, "lo_clear"), fix(b, r, "hi_cut"),
                                    fix(b, r, "hi_restore"), fix(b, r, "lo_cut"), fix(b, r, "lo_restore")}};
    str_copy(text(b, r, "point_code"), d->code, sizeof d->code);
    if (!d->code[0]) return false;
    d->vt = value_type_of(text(b, r, "value_type"));
    swap_xy(d);
    str_copy(text(b, r, "station_code"), d->station, sizeof d->station);
    str_copy(text(b, r, "sys_code"), d->sys, sizeof d->sys);
    str_copy(unit, d->unit, sizeof d->unit);
    str_copy(text(b, r, "location"), d->location, sizeof d->location);
    str_copy(text(b, r, "on_desc"), d->on_desc, sizeof d->on_desc);
    str_copy(text(b, r, "off_desc"), d->off_desc, sizeof d->off_desc);
    str_copy(text(b, r, "relation"), d->relation, sizeof d->relation);
    /* a family without the code of the sensor type names it, or at least its unit */
    const struct sensor_type *t = NULL;
    for (int i = 0; sensor.n && i < p->sensors && !t; i++)
        if (str_is(sensor, p->sensor[i].code)) t = &p->sensor[i];
    if (!sensor.n) t = policy_sensor(p, type_name, unit);
    str_copy(sensor.n ? sensor : str_of(t ? t->code : ""), d->sensor_type, sizeof d->sensor_type);
    str_copy(type_name.n ? type_name : str_of(t ? t->zh : ""), d->type_name, sizeof d->type_name);
    str_copy(str_of(policy_loc_class(p, str_of(d->location))), d->loc_class, sizeof d->loc_class);
    return true;
}
