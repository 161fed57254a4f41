/* Raw engineering values to what they measure, by the conversions of the policy. The raw samples stay; what comes of them is a point of its own.
 * Temperature and pressure of air are taken at the same time from the same file, so that a file means the same whenever it is read. */
#include "sense/inside.h"
#include <math.h>
#include <stdlib.h>

struct reading {
    zb_time t;
    double v;
};
struct readings {
    struct reading *r;
    int n;
};

static int by_time(const void *a, const void *b) {
    const struct reading *x = a, *y = b;
    return (x->t > y->t) - (x->t < y->t);
}

static struct readings readings_of(const char *point, const struct observation *o, int n, struct arena *a) {
    struct readings all = {0};
    int many = 0;
    for (int i = 0; point[0] && i < n; i++) many += str_is(o[i].point, point);
    all.r = many ? arena_alloc(a, (size_t)many * sizeof *all.r) : NULL;
    for (int i = 0; all.r && i < n; i++)
        if (str_is(o[i].point, point) && o[i].s.v != ZB_FIX_NONE) all.r[all.n++] = (struct reading){o[i].s.t, zb_fix_double(o[i].s.v)};
    if (all.n) qsort(all.r, (size_t)all.n, sizeof *all.r, by_time);
    return all;
}

static bool reading_at(const struct readings *all, zb_time t, double *ret) {
    struct reading key = {t, 0};
    const struct reading *r = all->n ? bsearch(&key, all->r, (size_t)all->n, sizeof key, by_time) : NULL;
    if (r) *ret = r->v;
    return r != NULL;
}

bool conversion_value(const struct conversion *c, double x, double temperature, double barometer, double *ret) {
    double v = 0;
    switch (c->formula) {
    case FORMULA_LINEAR: v = c->a * x + c->b; break;
    case FORMULA_THERMISTOR: {
        if (x <= 0) return false;
        double l = log(x), inverse = c->a + c->b * l + c->c * l * l * l;
        if (inverse <= 0) return false;
        v = 1 / inverse - 273.15 + c->offset;
        break;
    }
    case FORMULA_VIBRATING_WIRE:
        v = c->a * x * x + c->b * x + c->c + (c->t0 - temperature) * c->k + c->d - (barometer - c->ref);
        v = v * c->scale + c->offset;
        break;
    }
    *ret = v;
    return isfinite(v) && fabs(v) < 9e12;
}

int observations_convert(const struct policy *p, struct str mine, struct observation *o, int n, int cap, struct arena *a) {
    int raw = n;
    for (int k = 0; k < p->conversions; k++) {
        const struct conversion *c = &p->conversion[k];
        if (!str_is(mine, c->mine)) continue;
        struct readings temperature = readings_of(c->temperature, o, n, a), barometer = readings_of(c->barometer, o, n, a);
        for (int i = 0, known = n; i < known && n < cap; i++) {
            double t = c->t0, air = c->ref, v;
            if (o[i].s.v == ZB_FIX_NONE || !str_is(o[i].point, c->point)) continue;
            if ((c->temperature[0] && !reading_at(&temperature, o[i].s.t, &t)) || (c->barometer[0] && !reading_at(&barometer, o[i].s.t, &air))) continue;
            if (!conversion_value(c, zb_fix_double(o[i].s.v), t, air, &v)) continue;
            o[n++] = (struct observation){str_of(c->to), {o[i].s.t, (zb_fix)llround(v * (double)ZB_FIX_ONE), o[i].s.state}, CONVERTED + (uint32_t)k, false};
        }
    }
    return n > raw ? n : raw;
}

int conversions_of(const struct policy *p, struct str mine) {
    int n = 0;
    for (int k = 0; k < p->conversions; k++) n += str_is(mine, p->conversion[k].mine);
    return n;
}

bool converted_point(const struct policy *p, uint32_t from, struct point_def *d) {
    if (from < CONVERTED || from - CONVERTED >= (uint32_t)p->conversions) return false;
    const struct conversion *c = &p->conversion[from - CONVERTED];
    const struct sensor_type *t = policy_sensor_coded(p, str_of(c->sensor));
    *d = (struct point_def){.vt = VALUE_MN, POINT_PLAIN};
    str_copy(str_of(c->to), d->code, sizeof d->code);
    str_copy(str_of(c->sensor), d->sensor_type, sizeof d->sensor_type);
    str_copy(str_of(t ? t->zh : ""), d->type_name, sizeof d->type_name);
    str_copy(str_of(c->unit), d->unit, sizeof d->unit);
    str_copy(str_of(c->location), d->location, sizeof d->location);
    str_copy(str_of(policy_loc_class(p, str_of(c->location))), d->loc_class, sizeof d->loc_class);
    return true;
}
