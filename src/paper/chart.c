/* Simple charts for print: grey and blue, the target in red; a value that is not there is said so, never drawn as nothing. */
#include "paper/draw.h"
#include <math.h>
#include <stdio.h>

#define SIZE 9.0
#define BAR_STEP 16.0
static const double INK[CHART_SERIES][3] = {{.20, .40, .62}, {.62, .68, .75}, {.36, .56, .36}, {.55, .45, .60}};

static void ink(struct pen *pen, int series) { cairo_set_source_rgb(pen->cr, INK[series][0], INK[series][1], INK[series][2]); }
static void black(struct pen *pen) { cairo_set_source_rgb(pen->cr, 0, 0, 0); }
static void red(struct pen *pen) { cairo_set_source_rgb(pen->cr, .75, .10, .10); }

static void range(const struct chart *c, double *lo, double *hi) {
    *lo = 0;
    *hi = 0;
    for (int i = 0; i < c->points; i++)
        for (int s = 0; s <= c->series; s++) {
            zb_fix f = s < c->series ? c->value[s][i] : c->target[i];
            if (f == ZB_FIX_NONE) continue;
            double v = zb_fix_double(f);
            if (v < *lo) *lo = v;
            if (v > *hi) *hi = v;
        }
    if (*hi - *lo <= 0) *hi = *lo + 1;
}

/* A round step, 4 to 8 of them. */
static double round_step(double span) {
    double p = pow(10, floor(log10(span)));
    double m = span / p;
    return m < 1.5 ? p / 5 : m < 3.5 ? p / 2 : m < 7 ? p : 2 * p;
}

static const char *shown(double v, char out[32]) {
    zb_fix f = fabs(v) < 9e12 ? (zb_fix)llround(v * 1e6) : ZB_FIX_NONE;
    return zb_fix_text(f, out);
}

double chart_height(const struct chart *c, double width) {
    double legend = 22 + 16;
    double bars = c->points * (BAR_STEP + (c->series - 1) * 8) + 24;
    return c->kind == CHART_BAR ? legend + bars : legend + width * 0.42;
}

static void legend(struct pen *pen, const struct chart *c, double x, double y) {
    bool target = false;
    for (int i = 0; i < c->points; i++) target |= c->target[i] != ZB_FIX_NONE;
    for (int s = 0; s < c->series; s++) {
        ink(pen, s);
        cairo_rectangle(pen->cr, x, y - 3.5, 14, 7);
        cairo_fill(pen->cr);
        black(pen);
        x += 20 + pen_text(pen, c->name[s], FACE_SONG, SIZE, x + 18, y, CELL_LEFT) + 16;
    }
    if (target) {
        red(pen);
        cairo_set_line_width(pen->cr, 1.2);
        cairo_move_to(pen->cr, x, y);
        cairo_line_to(pen->cr, x + 14, y);
        cairo_stroke(pen->cr);
        black(pen);
        x += 20 + pen_text(pen, "目标", FACE_SONG, SIZE, x + 18, y, CELL_LEFT);
    }
}

static void clipped(struct pen *pen, const char *text, double x, double y, double w, enum cell_align align) {
    cairo_save(pen->cr);
    cairo_rectangle(pen->cr, align == CELL_RIGHT ? x - w : align == CELL_LEFT ? x : x - w / 2, y - SIZE, w, 2 * SIZE);
    cairo_clip(pen->cr);
    pen_text(pen, text, FACE_SONG, SIZE, x, y, align);
    cairo_restore(pen->cr);
}

static void bars(struct pen *pen, const struct chart *c, double x, double y, double w) {
    char t[32];
    double lo, hi, label = w * 0.30, room = w - label - 54;
    range(c, &lo, &hi);
    double scale = room / (hi - lo), zero = x + label - lo * scale, step = BAR_STEP + (c->series - 1) * 8;
    for (int i = 0; i < c->points; i++) {
        double top = y + i * step, h = (step - 6) / c->series;
        black(pen);
        clipped(pen, c->label[i], x + label - 6, top + step / 2, label - 8, CELL_RIGHT);
        for (int s = 0; s < c->series; s++) {
            double at = top + 3 + s * h;
            if (c->value[s][i] == ZB_FIX_NONE) {
                cairo_set_source_rgb(pen->cr, .45, .45, .45);
                pen_text(pen, "无数据", FACE_SONG, SIZE - 1, zero + 3, at + h / 2, CELL_LEFT);
                continue;
            }
            double v = zb_fix_double(c->value[s][i]), len = v * scale;
            ink(pen, s);
            cairo_rectangle(pen->cr, len < 0 ? zero + len : zero, at, fabs(len), h - 1);
            cairo_fill(pen->cr);
            black(pen);
            pen_text(pen, shown(v, t), FACE_SONG, SIZE - 1, (len < 0 ? zero : zero + len) + 4, at + h / 2, CELL_LEFT);
        }
        if (c->target[i] != ZB_FIX_NONE) {
            double tx = zero + zb_fix_double(c->target[i]) * scale;
            red(pen);
            cairo_set_line_width(pen->cr, 1.4);
            cairo_move_to(pen->cr, tx, top + 1);
            cairo_line_to(pen->cr, tx, top + step - 2);
            cairo_stroke(pen->cr);
        }
    }
    black(pen);
    cairo_set_line_width(pen->cr, 0.6);
    cairo_move_to(pen->cr, zero, y);
    cairo_line_to(pen->cr, zero, y + c->points * step);
    cairo_stroke(pen->cr);
}

static void stroke_series(struct pen *pen, const struct chart *c, const zb_fix *v, double x, double dx, double base, double scale, bool dots) {
    bool on = false;
    for (int i = 0; i < c->points; i++) {
        if (v[i] == ZB_FIX_NONE) {
            on = false; /* a gap stays a gap */
            continue;
        }
        double px = x + (i + 0.5) * dx, py = base - zb_fix_double(v[i]) * scale;
        if (on)
            cairo_line_to(pen->cr, px, py);
        else
            cairo_move_to(pen->cr, px, py);
        on = true;
    }
    cairo_stroke(pen->cr);
    for (int i = 0; dots && i < c->points; i++) {
        if (v[i] == ZB_FIX_NONE) continue;
        cairo_arc(pen->cr, x + (i + 0.5) * dx, base - zb_fix_double(v[i]) * scale, 2, 0, 2 * M_PI);
        cairo_fill(pen->cr);
    }
}

static void lines(struct pen *pen, const struct chart *c, double x, double y, double w, double h) {
    char t[32];
    double lo, hi, left = 44, low = 18;
    range(c, &lo, &hi);
    double step = round_step(hi - lo);
    hi = ceil(hi / step - 1e-9) * step;
    lo = floor(lo / step + 1e-9) * step;
    double scale = (h - low) / (hi - lo), base = y + h - low + lo * scale, dx = (w - left - 6) / (c->points ? c->points : 1);
    cairo_set_line_width(pen->cr, 0.4);
    for (double v = lo; v <= hi + step / 2; v += step) {
        cairo_set_source_rgb(pen->cr, .80, .80, .80);
        cairo_move_to(pen->cr, x + left, base - v * scale);
        cairo_line_to(pen->cr, x + w - 6, base - v * scale);
        cairo_stroke(pen->cr);
        black(pen);
        pen_text(pen, shown(v, t), FACE_SONG, SIZE - 1, x + left - 4, base - v * scale, CELL_RIGHT);
    }
    int every = (int)ceil(46 / dx); /* a label needs so much room */
    for (int i = 0; i < c->points; i += every < 1 ? 1 : every) clipped(pen, c->label[i], x + left + (i + 0.5) * dx, y + h - low / 2, dx * every, CELL_CENTER);
    for (int s = 0; s < c->series; s++) {
        ink(pen, s);
        cairo_set_line_width(pen->cr, 1.4);
        stroke_series(pen, c, c->value[s], x + left, dx, base, scale, true);
    }
    static const double DASH[] = {4, 3};
    red(pen);
    cairo_set_line_width(pen->cr, 1.2);
    cairo_set_dash(pen->cr, DASH, 2, 0);
    stroke_series(pen, c, c->target, x + left, dx, base, scale, false);
    cairo_set_dash(pen->cr, NULL, 0, 0);
    black(pen);
}

void chart_draw(struct pen *pen, const struct chart *c, double x, double y, double w, double h) {
    cairo_save(pen->cr);
    cairo_rectangle(pen->cr, x, y, w, h);
    cairo_clip(pen->cr);
    black(pen);
    if (c->unit[0]) {
        char unit[200];
        snprintf(unit, sizeof unit, "单位：%.150s", c->unit);
        pen_text(pen, unit, FACE_SONG, SIZE - 1, x + w - 2, y + 10, CELL_RIGHT);
    }
    legend(pen, c, x + 4, y + 10);
    if (!c->points)
        pen_text(pen, "无数据", FACE_SONG, SIZE + 1, x + w / 2, y + h / 2, CELL_CENTER);
    else if (c->kind == CHART_BAR)
        bars(pen, c, x, y + 24, w);
    else
        lines(pen, c, x, y + 24, w, h - 24 - 6);
    cairo_restore(pen->cr);
}

static cairo_status_t to_buf(void *arg, const unsigned char *data, unsigned n) {
    struct buf *b = arg;
    buf_put(b, data, n);
    return b->over ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

int chart_png(const struct paper *p, const struct chart *c, double width_mm, double *height_mm, struct buf *out, struct zb_err *e) {
    double w = width_mm * MM, h = chart_height(c, w), scale = 200.0 / 72;
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(w * scale), (int)(h * scale));
    cairo_t *cr = cairo_create(s);
    struct pen pen;
    cairo_scale(cr, scale, scale);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    pen_open(&pen, cr, &p->style);
    chart_draw(&pen, c, 0, 0, w, h);
    pen_close(&pen);
    cairo_destroy(cr);
    cairo_status_t st = cairo_surface_write_to_png_stream(s, to_buf, out);
    cairo_surface_destroy(s);
    *height_mm = h / MM;
    return st == CAIRO_STATUS_SUCCESS ? ZB_OK : zb_fail(e, ZB_E_IO, "a chart cannot be drawn: %s", cairo_status_to_string(st));
}
