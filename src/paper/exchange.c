/* The tree as JSON and back. The reader makes it by the same calls everybody uses, so the same maxima and cleaning hold. */
#include "paper/inside.h"
#include <jansson.h>
#include <math.h>

static void style_json(const struct page_style *s, struct json *j) {
    const struct {
        const char *key;
        double v;
    } N[] = {{"width", s->width},           {"height", s->height},         {"top", s->top},
             {"right", s->right},           {"bottom", s->bottom},         {"left", s->left},
             {"body_size", s->body_size},   {"line_step", s->line_step},   {"title_size", s->title_size},
             {"title_step", s->title_step}, {"table_size", s->table_size}, {"note_size", s->note_size},
             {"foot_size", s->foot_size},   {"line_chars", s->line_chars}, {"outer_numbers", s->outer_numbers}};
    json_obj(j);
    json_key(j, "key");
    json_z(j, s->key);
    for (size_t i = 0; i < sizeof N / sizeof *N; i++) {
        json_key(j, N[i].key);
        json_fix(j, (zb_fix)llround(N[i].v * 1e6));
    }
    for (int i = 0; i < PAGE_FACES_N; i++) {
        json_key(j, PAGE_FACE_KEY[i]);
        json_z(j, s->face[i]);
    }
    json_end(j);
}

static void table_json(const struct table *t, struct json *j) {
    json_obj(j);
    json_key(j, "caption");
    json_z(j, t->caption);
    json_key(j, "head");
    json_i64(j, t->head);
    json_key(j, "cols");
    json_arr(j);
    for (int i = 0; i < t->cols; i++) json_fix(j, (zb_fix)llround(t->width[i] * 1e6));
    json_arr_end(j);
    json_key(j, "rows");
    json_arr(j);
    for (const struct row *r = t->first; r; r = r->next) {
        json_obj(j);
        if (r->min > 0) {
            json_key(j, "min");
            json_fix(j, (zb_fix)llround(r->min * 1e6));
        }
        json_key(j, "cells");
        json_arr(j);
        for (int i = 0; i < r->cells; i++) {
            const struct cell *c = &r->cell[i];
            json_obj(j);
            json_key(j, "t");
            json_z(j, c->text);
            if (c->num != ZB_FIX_NONE) {
                json_key(j, "n");
                json_fix(j, c->num);
            }
            const struct {
                const char *key;
                int v, absent;
            } N[] = {{"a", c->align, 0}, {"c", c->cols, 1}, {"r", c->rows, 1}, {"l", c->label, 0}};
            for (int k = 0; k < 4; k++)
                if (N[k].v != N[k].absent) {
                    json_key(j, N[k].key);
                    json_i64(j, N[k].v);
                }
            json_end(j);
        }
        json_arr_end(j);
        json_end(j);
    }
    json_arr_end(j);
    json_end(j);
}

static void chart_json(const struct chart *c, struct json *j) {
    json_obj(j);
    json_key(j, "kind");
    json_z(j, c->kind == CHART_BAR ? "bar" : "line");
    json_key(j, "caption");
    json_z(j, c->caption);
    json_key(j, "unit");
    json_z(j, c->unit);
    json_key(j, "series");
    json_arr(j);
    for (int i = 0; i < c->series; i++) json_z(j, c->name[i]);
    json_arr_end(j);
    json_key(j, "points");
    json_arr(j);
    for (int i = 0; i < c->points; i++) {
        json_obj(j);
        json_key(j, "label");
        json_z(j, c->label[i]);
        json_key(j, "values");
        json_arr(j);
        for (int s = 0; s < c->series; s++) json_fix(j, c->value[s][i]);
        json_arr_end(j);
        json_key(j, "target");
        json_fix(j, c->target[i]);
        json_end(j);
    }
    json_arr_end(j);
    json_end(j);
}

static void para_json(const struct block *b, struct json *j) {
    json_key(j, "style");
    json_z(j, PARA_STYLE_KEY[b->style]);
    json_key(j, "runs");
    json_arr(j);
    for (const struct run *r = b->run; r; r = r->next) {
        json_obj(j);
        json_key(j, "t");
        json_z(j, r->text);
        if (r->bold) {
            json_key(j, "b");
            json_bool(j, true);
        }
        json_end(j);
    }
    json_arr_end(j);
}

void paper_json(const struct paper *p, struct json *j) {
    char day[ZB_TIME_CAP];
    json_obj(j);
    json_key(j, "page");
    style_json(&p->style, j);
    json_key(j, "title");
    json_z(j, p->title);
    json_key(j, "day");
    json_z(j, zb_day_text(p->day, day));
    json_key(j, "blocks");
    json_arr(j);
    for (const struct block *b = p->first; b; b = b->next) {
        json_obj(j);
        switch (b->kind) {
        case BLOCK_PARA: para_json(b, j); break;
        case BLOCK_TABLE:
            json_key(j, "table");
            table_json(b->table, j);
            break;
        case BLOCK_CHART:
            json_key(j, "chart");
            chart_json(b->chart, j);
            break;
        case BLOCK_SPACE:
            json_key(j, "space");
            json_i64(j, b->lines);
            break;
        case BLOCK_BREAK:
            json_key(j, "break");
            json_bool(j, true);
            break;
        }
        json_end(j);
    }
    json_arr_end(j);
    json_end(j);
}

/* ---- reading ---- */
static struct str text_of(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : STR("");
}
static zb_fix fix_of(const json_t *v) {
    return json_is_number(v) && fabs(json_number_value(v)) < 9e12 ? (zb_fix)llround(json_number_value(v) * 1e6) : ZB_FIX_NONE;
}
static int int_of(const json_t *o, const char *key, int absent, int max) {
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= max ? (int)json_integer_value(v) : absent;
}

static int style_read(const json_t *o, struct page_style *s, struct zb_err *e) {
    struct {
        const char *key;
        double *v, min, max;
    } N[] = {{"width", &s->width, 50, 900},         {"height", &s->height, 50, 900},       {"top", &s->top, 0, 200},
             {"right", &s->right, 0, 200},          {"bottom", &s->bottom, 0, 200},        {"left", &s->left, 0, 200},
             {"body_size", &s->body_size, 5, 40},   {"line_step", &s->line_step, 6, 80},   {"title_size", &s->title_size, 5, 60},
             {"title_step", &s->title_step, 6, 99}, {"table_size", &s->table_size, 5, 30}, {"note_size", &s->note_size, 5, 30},
             {"foot_size", &s->foot_size, 5, 30}};
    for (size_t i = 0; i < sizeof N / sizeof *N; i++) {
        const json_t *v = json_object_get(o, N[i].key);
        *N[i].v = json_number_value(v);
        if (!json_is_number(v) || !(*N[i].v >= N[i].min && *N[i].v <= N[i].max))
            return zb_fail(e, ZB_E_INPUT, "page.%s: a number from %g to %g is expected", N[i].key, N[i].min, N[i].max);
    }
    if (s->width - s->left - s->right < 60 || s->height - s->top - s->bottom < 60) return zb_fail(e, ZB_E_INPUT, "page: the margins leave less than 60 mm");
    s->line_chars = int_of(o, "line_chars", 0, 200);
    s->outer_numbers = int_of(o, "outer_numbers", 0, 1) == 1;
    for (int i = 0; i < PAGE_FACES_N; i++) {
        s->face[i] = json_string_value(json_object_get(o, PAGE_FACE_KEY[i]));
        if (!s->face[i] || strlen(s->face[i]) > 400) return zb_fail(e, ZB_E_INPUT, "page.%s: names of faces are expected", PAGE_FACE_KEY[i]);
    }
    s->key = json_string_value(json_object_get(o, "key"));
    if (!s->key) s->key = "";
    return ZB_OK;
}

static void table_read(struct paper *p, const json_t *o) {
    double width[PAPER_COLS + 1] = {0};
    json_t *cols = json_object_get(o, "cols"), *rows = json_object_get(o, "rows"), *r, *c;
    size_t i, k;
    int n = (int)json_array_size(cols);
    for (i = 0; i < json_array_size(cols) && i <= PAPER_COLS; i++) width[i] = json_number_value(json_array_get(cols, i));
    if (!n) return;
    paper_table(p, text_of(o, "caption"), n, width, int_of(o, "head", 0, 8));
    json_array_foreach(rows, i, r) {
        json_array_foreach(json_object_get(r, "cells"), k, c) {
            json_t *num = json_object_get(c, "n");
            int cs = int_of(c, "c", 1, PAPER_COLS), rs = int_of(c, "r", 1, 200), align = int_of(c, "a", CELL_CENTER, CELL_TOP);
            if (num)
                paper_number(p, fix_of(num), text_of(c, "t"));
            else
                paper_cell(p, text_of(c, "t"), (enum cell_align)align);
            if (cs > 1 || rs > 1) paper_span(p, cs, rs);
            if (int_of(c, "l", 0, 1)) paper_label(p);
        }
        paper_row(p, json_number_value(json_object_get(r, "min")));
    }
}

static int chart_read(struct paper *p, const json_t *o, struct zb_err *e) {
    json_t *names = json_object_get(o, "series"), *points = json_object_get(o, "points"), *q;
    struct str name[CHART_SERIES];
    size_t n = json_array_size(names), i;
    if (n < 1 || n > CHART_SERIES) return zb_fail(e, ZB_E_INPUT, "chart: 1 to %d series are expected", CHART_SERIES);
    for (i = 0; i < n; i++) name[i] = str_of(json_string_value(json_array_get(names, i)));
    paper_chart(p, str_is(text_of(o, "kind"), "line") ? CHART_LINE : CHART_BAR, text_of(o, "caption"), text_of(o, "unit"), (int)n, name);
    json_array_foreach(points, i, q) {
        zb_fix v[CHART_SERIES];
        for (size_t s = 0; s < n; s++) v[s] = fix_of(json_array_get(json_object_get(q, "values"), s));
        paper_point(p, text_of(q, "label"), v, fix_of(json_object_get(q, "target")));
    }
    return ZB_OK;
}

static int para_read(struct paper *p, const json_t *o, struct zb_err *e) {
    struct str style = text_of(o, "style");
    json_t *r;
    size_t i;
    int at = -1;
    for (int k = 0; k < PARA_STYLES_N; k++)
        if (str_is(style, PARA_STYLE_KEY[k])) at = k;
    if (at < 0) return zb_fail(e, ZB_E_INPUT, "blocks: style \"%.40s\" is not known", style.n ? style.p : "");
    paper_para(p, (enum para_style)at, STR(""));
    json_array_foreach(json_object_get(o, "runs"), i, r) paper_run(p, text_of(r, "t"), json_is_true(json_object_get(r, "b")));
    return ZB_OK;
}

static int blocks_read(struct paper *p, const json_t *seq, struct zb_err *e) {
    json_t *o, *v;
    size_t i;
    json_array_foreach(seq, i, o) {
        int rc = ZB_OK;
        if ((v = json_object_get(o, "table")))
            table_read(p, v);
        else if ((v = json_object_get(o, "chart")))
            rc = chart_read(p, v, e);
        else if ((v = json_object_get(o, "space")))
            paper_space(p, (int)json_integer_value(v));
        else if (json_object_get(o, "break"))
            paper_break(p);
        else
            rc = para_read(p, o, e);
        if (rc != ZB_OK) return rc;
    }
    return ZB_OK;
}

int paper_read(struct str text, struct paper **ret, struct zb_err *e) {
    json_error_t err;
    struct page_style style = {0};
    json_t *o = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &err);
    if (!o) return zb_fail(e, ZB_E_INPUT, "the paper is not JSON: line %d column %d: %s", err.line, err.column, err.text);
    int rc = style_read(json_object_get(o, "page"), &style, e);
    int32_t day = 0;
    if (rc == ZB_OK && !zb_day_parse(text_of(o, "day"), &day)) rc = zb_fail(e, ZB_E_INPUT, "day: write 2026-11-30");
    struct paper *p = NULL;
    if (rc == ZB_OK) {
        p = paper_new(&style);
        paper_meta(p, text_of(o, "title"), day);
        rc = blocks_read(p, json_object_get(o, "blocks"), e);
        if (rc == ZB_OK) rc = paper_check(p, e);
    }
    json_decref(o);
    if (rc == ZB_OK)
        *ret = p;
    else
        paper_free(p);
    return rc;
}

int paper_write(const struct paper *p, enum paper_format f, struct buf *out, struct paper_stat *stat, struct zb_err *e) {
    *stat = (struct paper_stat){0};
    if (paper_check(p, e) != ZB_OK) return e->rc;
    int rc = f == PAPER_PDF ? pdf_write(p, out, stat, e) : f == PAPER_DOCX ? docx_write(p, out, e) : xlsx_write(p, out, e);
    return rc == ZB_OK && out->over ? zb_fail(e, ZB_E_LIMIT, "the paper is larger than %zu MiB: ask for less", out->max >> 20) : rc;
}
