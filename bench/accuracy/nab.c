/* nab-sensor-faults: series with labelled faults, and clean ones. Every file is read row by row: each day is judged by the file's own past, no neighbour and no
 * regime being known. labels.json, where it is there, names the windows in which something is wrong; a file it lists without windows is clean. */
#include "accuracy.h"
#include "detect/integrity.h"
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { SPANS = 400, WINDOWS = 40 };
struct span {
    zb_time from, to;
    const char *detector;
};
struct file_found {
    int days, clues;
    struct span span[SPANS];
    int spans;
};

static bool nab_time(const char *text, zb_time *t) {
    char cut[32];
    str_copy(str_of(text), cut, sizeof cut);
    cut[strlen(cut) < 19 ? strlen(cut) : 19] = 0;
    return zb_time_parse(str_of(cut), t);
}

static int samples_of(const struct table *t, struct sample *s, struct zb_err *e) {
    int n = 0;
    for (int i = 0; i < t->rows; i++) {
        double v;
        struct str when = table_text(t, i, "timestamp");
        char text[40];
        str_copy(when, text, sizeof text);
        if (!nab_time(text, &s[n].t)) return zb_fail(e, ZB_E_INPUT, "data row %d, timestamp: \"" STR_FMT "\" is no time", i + 1, STR_ARG(when)), -1;
        if (table_num(t, i, "value", &v, e) != ZB_OK) return -1;
        s[n].v = isfinite(v) && fabs(v) < 9e12 ? (zb_fix)rint(v * 1e6) : ZB_FIX_NONE;
        s[n++].state = 0;
    }
    return n;
}

static int file_judge(const char *path, const struct policy *p, struct file_found *f, struct zb_err *e) {
    struct table t;
    if (table_load(path, "timestamp|value", &t, e) != ZB_OK) return e->rc;
    struct sample *s = xmalloc((size_t)t.rows * sizeof *s);
    int n = samples_of(&t, s, e);
    table_done(&t);
    zb_time step = n > 0 ? samples_period(s, n) : 0;
    for (zb_time day = n > 0 ? s[0].t + ZB_DAY : 0; n > 0 && step > 0 && day < s[n - 1].t; day += ZB_DAY, f->days++) {
        struct grid g;
        zb_time from = day - 30 * ZB_DAY > s[0].t ? day - 30 * ZB_DAY : s[0].t, to = day + ZB_DAY <= s[n - 1].t ? day + ZB_DAY : s[n - 1].t + step;
        grid_make(&g, s, n, from, day, to, step);
        struct sensor_day in = {
            .mine = STR("1"), .point = STR("1"), .location = STR(""), .g = &g, .limit = ZB_FIX_NONE, .range_hi = ZB_FIX_NONE, .steady = true};
        struct integrity_day d;
        struct clues c = {0};
        integrity_judge(&in, p, &d, &c);
        for (int i = 0; i < c.n; i++) {
            const char *key = "";
            for (int k = 0; k < DETECTORS_N; k++)
                if (!strcmp(c.c[i].detector, p->detect.who[k].key)) key = p->detect.who[k].key;
            if (f->spans < SPANS) f->span[f->spans++] = (struct span){c.c[i].from, c.c[i].to, key};
        }
        f->clues += c.n;
        clues_done(&c);
        grid_free(&g);
    }
    free(s);
    return n < 0 ? e->rc : ZB_OK;
}

/* Consecutive and overlapping spans are one finding for whoever reads them. */
static int outside(const struct file_found *f, const struct span *w, int windows, int *first) {
    int n = 0;
    zb_time until = INT64_MIN;
    *first = -1;
    for (int i = 0; i < f->spans; i++) {
        bool in = false;
        for (int k = 0; k < windows; k++) in = in || (f->span[i].from < w[k].to && w[k].from < f->span[i].to);
        if (in) continue;
        if (*first < 0) *first = i;
        n += f->span[i].from > until + ZB_DAY;
        if (f->span[i].to > until) until = f->span[i].to;
    }
    return n;
}

static void file_put(const char *name, const struct file_found *f, const json_t *label, struct json *out, int total[5]) {
    struct span w[WINDOWS];
    int windows = 0, found = 0, first;
    const json_t *list = json_object_get(label, "windows");
    for (size_t i = 0; i < json_array_size(list) && windows < WINDOWS; i++) {
        const json_t *pair = json_array_get(list, i);
        const char *a = json_string_value(json_array_get(pair, 0)), *b = json_string_value(json_array_get(pair, 1));
        if (a && b && nab_time(a, &w[windows].from) && nab_time(b, &w[windows].to)) windows++;
    }
    json_key(out, name);
    json_obj(out);
    json_key(out, "days"), json_i64(out, f->days);
    json_key(out, "windows"), json_i64(out, windows);
    json_key(out, "by"), json_arr(out);
    for (int k = 0; k < windows; k++) {
        const char *by = NULL;
        for (int i = 0; i < f->spans && !by; i++)
            if (f->span[i].from < w[k].to && w[k].from < f->span[i].to) by = f->span[i].detector;
        found += by != NULL;
        json_z(out, by);
    }
    json_arr_end(out);
    int stray = outside(f, w, windows, &first);
    json_key(out, "found"), json_i64(out, found);
    json_key(out, "false_clues"), json_i64(out, stray);
    json_key(out, "first_false"), json_z(out, first < 0 ? NULL : f->span[first].detector);
    json_end(out);
    total[0] += windows, total[1] += found, total[2] += stray, total[3] += f->days;
    total[4] += windows ? 0 : stray;
}

static int is_csv(const struct dirent *d) {
    size_t n = strlen(d->d_name);
    return n > 4 && !strcmp(d->d_name + n - 4, ".csv");
}

int run_nab(const struct accuracy *a, struct json *out, struct zb_err *e) {
    struct policy *p = NULL;
    struct dirent **list;
    char path[800];
    int total[5] = {0}, n = scandir(a->data, &list, is_csv, alphasort);
    if (n < 0) return zb_fail(e, ZB_E_INPUT, "cannot read folder %s", a->data);
    int rc = policy_load(a->policy, &p, e);
    struct policy q = {0};
    if (rc == ZB_OK) q = *p, q.detect.day.open_grade = 1; /* one series alone: a weak test is all there is, and all are shown */
    snprintf(path, sizeof path, "%s/labels.json", a->data);
    json_error_t je;
    json_t *labels = json_load_file(path, 0, &je);
    json_key(out, "judged_by"), json_z(out, "each file's own past");
    json_key(out, "labels"), json_bool(out, labels != NULL);
    json_key(out, "files"), json_obj(out);
    for (int i = 0; i < n; i++) {
        struct file_found f = {0};
        snprintf(path, sizeof path, "%s/%s", a->data, list[i]->d_name);
        if (rc == ZB_OK) rc = file_judge(path, &q, &f, e);
        if (rc == ZB_OK) file_put(list[i]->d_name, &f, json_object_get(labels, list[i]->d_name), out, total);
        free(list[i]);
    }
    free(list);
    json_end(out);
    json_key(out, "windows"), json_i64(out, total[0]);
    json_key(out, "windows_found"), json_i64(out, total[1]);
    json_key(out, "false_clues"), json_i64(out, total[2]);
    json_key(out, "clues_in_clean_files"), json_i64(out, total[4]);
    json_key(out, "days"), json_i64(out, total[3]);
    json_decref(labels);
    policy_unref(p);
    return rc;
}
