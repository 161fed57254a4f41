/* Template and values to a tree. */
#include "paper/fill.h"
#include <stdio.h>
#include <stdlib.h>

struct piece {
    const char *text, *blank; /* blank: written where an empty value would stand; NULL: the place's own */
    zb_fix num;
};
struct set {
    const char *key, *columns;
    int cols, cells, cap; /* cells: put so far */
    struct piece *cell;
    struct set *next;
};
struct sheaf {
    struct arena *a;
    struct set *first, *now;
};

struct sheaf *sheaf_new(void) {
    struct sheaf *s = xcalloc(1, sizeof *s);
    s->a = arena_new((size_t)64 << 20);
    return s;
}
void sheaf_free(struct sheaf *s) {
    if (!s) return;
    for (struct set *t = s->first; t; t = t->next) free(t->cell);
    arena_free(s->a);
    free(s);
}
void sheaf_drop(struct sheaf **s) { sheaf_free(*s); }

static struct set *find(const struct sheaf *s, const char *key) {
    for (struct set *t = s->first; t; t = t->next)
        if (!strcmp(t->key, key)) return t;
    return NULL;
}

void sheaf_set(struct sheaf *s, const char *key, const char *columns) {
    s->now = find(s, key);
    if (s->now) return;
    struct set *t = arena_alloc(s->a, sizeof *t);
    if (!t) return;
    *t = (struct set){.key = arena_str(s->a, str_of(key)), .columns = arena_str(s->a, str_of(columns)), .next = s->first};
    if (!t->key || !t->columns) return;
    struct str rest = str_of(columns);
    while (rest.p && rest.n) t->cols += str_cut(rest, ' ', &rest).n > 0;
    s->first = s->now = t;
}

void sheaf_put(struct sheaf *s, struct str text, zb_fix num) {
    struct set *t = s->now;
    char *z = t ? arena_str(s->a, text) : NULL;
    if (!z) return; /* too much: paper_fill says so */
    if (t->cells == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cell = xrealloc(t->cell, (size_t)t->cap * sizeof *t->cell);
    }
    t->cell[t->cells++] = (struct piece){z, NULL, num};
}
void sheaf_blank(struct sheaf *s, const char *text) {
    if (s->now && s->now->cells) s->now->cell[s->now->cells - 1].blank = arena_str(s->a, str_of(text));
}
void sheaf_z(struct sheaf *s, const char *z) { sheaf_put(s, str_of(z ? z : ""), ZB_FIX_NONE); }
void sheaf_fix(struct sheaf *s, zb_fix v) {
    char t[ZB_FIX_CAP];
    sheaf_put(s, str_of(zb_fix_text(v, t)), v);
}
void sheaf_i64(struct sheaf *s, int64_t v) { sheaf_fix(s, v * ZB_FIX_ONE); }
void sheaf_date(struct sheaf *s, int32_t day, bool words) {
    char t[ZB_TIME_CAP], w[64] = "";
    if (day == INT32_MIN) {
        sheaf_z(s, "");
        return;
    }
    zb_day_text(day, t); /* yyyy-mm-dd */
    if (words) {
        int64_t m, d;
        if (!num_i64((struct str){t + 5, 2}, 0, 12, &m) || !num_i64((struct str){t + 8, 2}, 0, 31, &d)) ZB_BUG("day %s", t);
        snprintf(w, sizeof w, "%.4s年%d月%d日", t, (int)m, (int)d);
    }
    sheaf_z(s, words ? w : t);
}

/* ---- filling ---- */
struct frame {
    const struct set *set;
    int row;
};
struct fill {
    const struct sheaf *s;
    struct paper *p;
    struct frame frame[8];
    int frames;
};

static int rows(const struct set *t) { return t && t->cols ? t->cells / t->cols : 0; }

static int column(const struct set *t, struct str name) {
    struct str rest = t ? str_of(t->columns) : (struct str){NULL, 0};
    for (int i = 0; rest.p && rest.n;) {
        struct str w = str_cut(rest, ' ', &rest);
        if (!w.n) continue;
        if (str_eq(w, name)) return i;
        i++;
    }
    return -1;
}

static const struct piece *cell(const struct set *t, int row, struct str name) {
    int c = column(t, name);
    return c >= 0 && row < rows(t) ? &t->cell[row * t->cols + c] : NULL;
}

/* The row a repeat around stands at; else the first. */
static const struct piece *value(const struct fill *f, struct str set, struct str name) {
    char key[80];
    str_copy(set, key, sizeof key);
    const struct set *t = find(f->s, key);
    int row = 0;
    for (int i = f->frames - 1; i >= 0; i--)
        if (f->frame[i].set == t) {
            row = f->frame[i].row;
            break;
        }
    return cell(t, row, name);
}

/* What the column `same` holds in the innermost repeat that has it. */
static const char *same_as(const struct fill *f, const char *same) {
    for (int i = f->frames - 1; i >= 0; i--) {
        const struct piece *v = cell(f->frame[i].set, f->frame[i].row, str_of(same));
        if (v) return v->text;
    }
    return "";
}

static bool in(const struct fill *f, const struct set *t, int row, const char *same) {
    const struct piece *v = same[0] ? cell(t, row, str_of(same)) : NULL;
    return !same[0] || (v && !strcmp(v->text, same_as(f, same)));
}

static int matching(const struct fill *f, const struct set *t, const char *same) {
    int n = 0;
    for (int i = 0; i < rows(t); i++) n += in(f, t, i, same);
    return n;
}

static void expand(const struct fill *f, const char *text, const char *blank, struct buf *out) {
    struct str rest = str_of(text), before, set, name;
    while (letter_field(&rest, &before, &set, &name)) {
        buf_put(out, before.p, before.n);
        const struct piece *v = value(f, set, name);
        buf_puts(out, v && v->text[0] ? v->text : v && v->blank ? v->blank : blank);
    }
    buf_put(out, before.p, before.n);
}

static void blocks(struct fill *f, const struct letter_block *b, int n);
static enum cell_align align_of(const char *a) { return a[0] == 'l' ? CELL_LEFT : a[0] == 'r' ? CELL_RIGHT : a[0] == 't' ? CELL_TOP : CELL_CENTER; }

/* One row of headings, or two when neighbours share a group. */
static int heads(struct fill *f, const struct letter_block *b, bool really) {
    bool groups = false;
    for (int i = 0; i < b->cols; i++) groups |= b->col[i].group[0] != 0;
    if (!really) return groups ? 2 : 1;
    for (int i = 0; i < b->cols; i++) {
        const char *g = b->col[i].group;
        int wide = 1;
        while (g[0] && i + wide < b->cols && !strcmp(b->col[i + wide].group, g)) wide++;
        paper_cell(f->p, str_of(g[0] ? g : b->col[i].zh), CELL_CENTER);
        paper_label(f->p);
        if (groups) paper_span(f->p, g[0] ? wide : 1, g[0] ? 1 : 2);
        i += wide - 1;
    }
    paper_row(f->p, 0);
    for (int i = 0; groups && i < b->cols; i++) {
        if (!b->col[i].group[0]) continue;
        paper_cell(f->p, str_of(b->col[i].zh), CELL_CENTER);
        paper_label(f->p);
    }
    if (groups) paper_row(f->p, 0);
    return 0;
}

static void table(struct fill *f, const struct letter_block *b, const char *caption) {
    const struct set *t = find(f->s, b->set);
    double width[PAPER_COLS];
    for (int i = 0; i < b->cols; i++) width[i] = b->col[i].width;
    paper_table(f->p, str_of(caption), b->cols, width, heads(f, b, false));
    heads(f, b, true);
    for (int r = 0; r < rows(t); r++) {
        if (!in(f, t, r, b->same)) continue;
        for (int i = 0; i < b->cols; i++) {
            const struct piece *v = cell(t, r, str_of(b->col[i].of));
            if (v && v->num != ZB_FIX_NONE && b->col[i].align[0] == 'r')
                paper_number(f->p, v->num, str_of(v->text));
            else
                paper_cell(f->p, str_of(v ? v->text : ""), align_of(b->col[i].align));
        }
        paper_row(f->p, 0);
    }
}

static void chart(struct fill *f, const struct letter_block *b, const char *caption) {
    const struct set *t = find(f->s, b->set);
    struct str name[CHART_SERIES];
    ZB_AUTO(buf_done) struct buf unit;
    buf_init(&unit, 2000);
    expand(f, b->unit, "", &unit);
    for (int i = 0; i < b->cols; i++) name[i] = str_of(b->col[i].zh);
    paper_chart(f->p, b->line ? CHART_LINE : CHART_BAR, str_of(caption), buf_str(&unit), b->cols, name);
    for (int r = 0; r < rows(t); r++) {
        if (!in(f, t, r, b->same)) continue;
        zb_fix v[CHART_SERIES];
        for (int i = 0; i < b->cols; i++) {
            const struct piece *p = cell(t, r, str_of(b->col[i].of));
            v[i] = p ? p->num : ZB_FIX_NONE;
        }
        const struct piece *label = cell(t, r, str_of(b->label)), *target = b->target[0] ? cell(t, r, str_of(b->target)) : NULL;
        paper_point(f->p, str_of(label ? label->text : ""), v, target ? target->num : ZB_FIX_NONE);
    }
}

static void grid(struct fill *f, const struct letter_block *b, const char *caption) {
    paper_table(f->p, str_of(caption), b->cols, b->width, 0);
    for (int r = 0; r < b->rows; r++) {
        for (int i = 0; i < b->row[r].cells; i++) {
            const struct letter_cell *c = &b->row[r].cell[i];
            ZB_AUTO(buf_done) struct buf t;
            buf_init(&t, PAPER_TEXT);
            expand(f, c->zh, "", &t);
            paper_cell(f->p, buf_str(&t), align_of(c->align));
            if (c->cols > 1 || c->rows > 1) paper_span(f->p, c->cols, c->rows);
            if (c->label) paper_label(f->p);
        }
        paper_row(f->p, b->row[r].high);
    }
}

static void repeat(struct fill *f, const struct letter_block *b) {
    const struct set *t = find(f->s, b->set);
    struct frame *at = &f->frame[f->frames];
    for (int r = 0; r < rows(t); r++) {
        if (!in(f, t, r, b->same)) continue;
        *at = (struct frame){t, r};
        f->frames++;
        blocks(f, b->block, b->blocks);
        f->frames--;
    }
}

static bool there(const struct fill *f, const struct letter_block *b) {
    if (!b->column[0]) return matching(f, find(f->s, b->set), b->same) > 0;
    const struct piece *v = value(f, str_of(b->set), str_of(b->column));
    return v && v->text[0];
}

static enum para_style style_of(const char *key) {
    for (int i = 0; i < PARA_STYLES_N; i++)
        if (!strcmp(key, PARA_STYLE_KEY[i])) return (enum para_style)i;
    ZB_BUG("style %s", key);
}

static void one(struct fill *f, const struct letter_block *b) {
    ZB_AUTO(buf_done) struct buf t;
    ZB_AUTO(buf_done) struct buf lead;
    bool running = b->kind == LETTER_PARA || b->kind == LETTER_HEADING;
    buf_init(&t, PAPER_TEXT * 2);
    buf_init(&lead, PAPER_TEXT * 2);
    bool said = (b->kind == LETTER_TABLE || b->kind == LETTER_CHART) && b->empty[0] && !matching(f, find(f->s, b->set), b->same);
    if (said)
        expand(f, b->empty, "＿＿＿＿", &t);
    else if (b->zh)
        expand(f, b->zh, running ? "＿＿＿＿" : "", &t);
    const char *text = t.p ? t.p : "";
    if (said) {
        paper_para(f->p, PARA_BODY, str_of(text));
        return;
    }
    switch (b->kind) {
    case LETTER_PARA:
        paper_para(f->p, style_of(b->style), STR(""));
        expand(f, b->lead, "＿＿＿＿", &lead);
        if (lead.n) paper_run(f->p, buf_str(&lead), true);
        paper_run(f->p, str_of(text), false);
        break;
    case LETTER_HEADING: paper_heading(f->p, b->n, str_of(text)); break;
    case LETTER_TABLE: table(f, b, text); break;
    case LETTER_CHART: chart(f, b, text); break;
    case LETTER_GRID: grid(f, b, text); break;
    case LETTER_REPEAT: repeat(f, b); break;
    case LETTER_IF: there(f, b) ? blocks(f, b->block, b->blocks) : blocks(f, b->other, b->others); break;
    case LETTER_SPACE: paper_space(f->p, b->n); break;
    case LETTER_BREAK: paper_break(f->p); break;
    case LETTER_BLOCKS_N: break;
    }
}

static void blocks(struct fill *f, const struct letter_block *b, int n) {
    for (int i = 0; i < n; i++) one(f, &b[i]);
}

int paper_fill(const struct letter_rule *l, const struct sheaf *s, int32_t day, struct paper **ret, struct zb_err *e) {
    struct fill f = {.s = s, .p = paper_new(l->page)};
    ZB_AUTO(buf_done) struct buf title;
    buf_init(&title, 2000);
    expand(&f, l->title, "", &title);
    paper_meta(f.p, buf_str(&title), day);
    blocks(&f, l->block, l->blocks);
    if (arena_over(s->a) || paper_check(f.p, e) != ZB_OK) {
        if (arena_over(s->a)) zb_fail(e, ZB_E_LIMIT, "more values than one paper holds: ask for less");
        paper_free(f.p);
        return e->rc;
    }
    *ret = f.p;
    return ZB_OK;
}
