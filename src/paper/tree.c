/* Making the tree: cleaning, counting, numbering. */
#include "paper/inside.h"
#include "base/utf8.h"
#include <stdio.h>
#include <stdlib.h>

const char *const PAPER_FORMAT_KEY[] = {"pdf", "docx", "xlsx"};
const char *const PAPER_FORMAT_TYPE[] = {"application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                                         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"};
const char *const PARA_STYLE_KEY[] = {
#define X(id, key) key,
    PARA_STYLES(X)
#undef X
};

static void over(struct paper *p, const char *what, long most) {
    if (!p->over[0]) snprintf(p->over, sizeof p->over, "more than %ld %s in one paper: ask for less", most, what);
}

/* Length of a well-formed UTF-8 letter at s, 0 when there is none; its number in *c. */
static size_t letter(struct str s, uint32_t *c) {
    unsigned char b = (unsigned char)s.p[0];
    size_t n = b < 0x80 ? 1 : b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
    if (n > s.n || !utf8_valid((struct str){s.p, n})) return 0;
    *c = n == 1 ? b : b & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) *c = *c << 6 | ((unsigned char)s.p[i] & 0x3f);
    return n;
}

static bool dropped(uint32_t c) {
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* A cleaned copy in the paper's arena; never NULL. */
static const char *clean(struct paper *p, struct str s) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, PAPER_TEXT);
    size_t n;
    for (uint32_t c; s.n && !b.over; s.p += n, s.n -= n) {
        n = letter(s, &c);
        if (!n) {
            n = 1;
            buf_puts(&b, "\xef\xbf\xbd");
        } else if (c == '\t')
            buf_putc(&b, ' ');
        else if (!dropped(c))
            buf_put(&b, s.p, n);
    }
    if (b.over) over(p, "bytes in one text", PAPER_TEXT);
    const char *kept = b.over ? NULL : arena_str(p->a, buf_str(&b));
    if (arena_over(p->a)) over(p, "bytes", PAPER_BYTES);
    return kept ? kept : "";
}

static void *take(struct paper *p, size_t n) {
    void *m = p->over[0] ? NULL : arena_alloc(p->a, n);
    if (!m) over(p, "bytes", PAPER_BYTES);
    return m;
}

struct paper *paper_new(const struct page_style *style) {
    struct paper *p = xcalloc(1, sizeof *p);
    p->a = arena_new(PAPER_BYTES);
    p->style = *style;
    p->title = "";
    p->style.key = arena_str(p->a, str_of(style->key));
    for (int i = 0; i < PAGE_FACES_N; i++) p->style.face[i] = clean(p, str_of(style->face[i]));
    return p;
}
void paper_free(struct paper *p) {
    if (!p) return;
    arena_free(p->a);
    free(p);
}
void paper_drop(struct paper **p) { paper_free(*p); }

void paper_meta(struct paper *p, struct str title, int32_t day) {
    p->title = clean(p, title);
    p->day = day;
}

const char *paper_name(const struct paper *p) { return p->title; }

static struct block *block_new(struct paper *p, enum block_kind kind) {
    if (p->blocks == PAPER_BLOCKS) over(p, "blocks", PAPER_BLOCKS);
    struct block *b = take(p, sizeof *b);
    if (!b) return NULL;
    b->kind = kind;
    if (p->last)
        p->last->next = b;
    else
        p->first = b;
    p->last = b;
    p->blocks++;
    p->open_n = 0;
    memset(p->busy, 0, sizeof p->busy);
    return b;
}

void paper_run(struct paper *p, struct str text, bool bold) {
    struct run *r = p->last && p->last->kind == BLOCK_PARA ? take(p, sizeof *r) : NULL;
    if (!r) return;
    *r = (struct run){.text = clean(p, text), .bold = bold};
    if (p->last->last_run)
        p->last->last_run->next = r;
    else
        p->last->run = r;
    p->last->last_run = r;
}

void paper_para(struct paper *p, enum para_style style, struct str text) {
    struct block *b = block_new(p, BLOCK_PARA);
    if (!b) return;
    b->style = style;
    if (text.n) paper_run(p, text, false);
}

/* 1 to 99 in Chinese numerals */
static void chinese(int n, char out[16]) {
    static const char *const D[] = {"", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
    if (n < 1 || n > 99)
        snprintf(out, 16, "%d", n);
    else
        snprintf(out, 16, "%s%s%s", n < 20 ? "" : D[n / 10], n < 10 ? "" : "十", D[n % 10]);
}

void paper_heading(struct paper *p, int level, struct str text) {
    if (level < 1 || level > 4) ZB_BUG("heading of level %d", level);
    char zh[16], no[32];
    int n = ++p->number[level];
    for (int i = level + 1; i < 5; i++) p->number[i] = 0;
    chinese(n, zh);
    if (level == 1)
        snprintf(no, sizeof no, "%s、", zh);
    else if (level == 2)
        snprintf(no, sizeof no, "（%s）", zh);
    else
        snprintf(no, sizeof no, level == 3 ? "%d. " : "（%d）", n);
    paper_para(p, (enum para_style)(PARA_H1 + level - 1), str_of(no));
    paper_run(p, text, false);
}

void paper_space(struct paper *p, int lines) {
    struct block *b = block_new(p, BLOCK_SPACE);
    if (b) b->lines = lines < 0 ? 0 : lines > 40 ? 40 : lines;
}
void paper_break(struct paper *p) { block_new(p, BLOCK_BREAK); }

void paper_table(struct paper *p, struct str caption, int cols, const double *width, int head) {
    if (cols < 1) ZB_BUG("a table without columns");
    if (cols > PAPER_COLS) over(p, "columns", PAPER_COLS);
    struct table *t = take(p, sizeof *t);
    struct block *b = t ? block_new(p, BLOCK_TABLE) : NULL;
    if (!b) return;
    *t = (struct table){.caption = clean(p, caption), .cols = cols, .head = head};
    double sum = 0;
    for (int i = 0; i < cols; i++) sum += t->width[i] = width && width[i] > 0 ? width[i] : 1;
    for (int i = 0; i < cols; i++) t->width[i] /= sum;
    b->table = t;
}

static struct table *table_of(struct paper *p) { return !p->over[0] && p->last && p->last->kind == BLOCK_TABLE ? p->last->table : NULL; }

void paper_cell(struct paper *p, struct str text, enum cell_align align) {
    struct table *t = table_of(p);
    if (!t) return;
    if (p->cells == PAPER_CELLS) {
        over(p, "table cells", PAPER_CELLS);
        return;
    }
    int col = p->open_n ? p->open[p->open_n - 1].col + p->open[p->open_n - 1].cols : 0;
    while (col < t->cols && p->busy[col]) col++;
    if (col >= t->cols) {
        over(p, "cells in a row of this table", t->cols);
        return;
    }
    p->open[p->open_n++] = (struct cell){.text = clean(p, text), .num = ZB_FIX_NONE, .col = (uint8_t)col, .cols = 1, .rows = 1, .align = (uint8_t)align};
    p->cells++;
}

void paper_number(struct paper *p, zb_fix v, struct str text) {
    int before = p->open_n;
    paper_cell(p, text, CELL_RIGHT);
    if (p->open_n > before) p->open[before].num = v;
}

void paper_span(struct paper *p, int cols, int rows) {
    struct table *t = table_of(p);
    if (!t || !p->open_n) return;
    struct cell *c = &p->open[p->open_n - 1];
    c->cols = 1;
    while (c->cols < cols && c->col + c->cols < t->cols && !p->busy[c->col + c->cols]) c->cols++;
    c->rows = (uint8_t)(rows < 1 ? 1 : rows > 200 ? 200 : rows);
}

void paper_label(struct paper *p) {
    if (table_of(p) && p->open_n) p->open[p->open_n - 1].label = true;
}

void paper_row(struct paper *p, double min_mm) {
    struct table *t = table_of(p);
    if (!t) return;
    struct row *r = take(p, sizeof *r);
    struct cell *c = take(p, (size_t)(p->open_n + 1) * sizeof *c);
    if (!r || !c) return;
    memcpy(c, p->open, (size_t)p->open_n * sizeof *c);
    *r = (struct row){c, p->open_n, min_mm > 0 && min_mm < 200 ? min_mm : 0, NULL};
    for (int i = 0; i < t->cols; i++)
        if (p->busy[i]) p->busy[i]--;
    for (int i = 0; i < p->open_n; i++)
        for (int k = 0; k < c[i].cols; k++) p->busy[c[i].col + k] = c[i].rows - 1;
    if (t->last)
        t->last->next = r;
    else
        t->first = r;
    t->last = r;
    t->rows++;
    p->open_n = 0;
}

void paper_chart(struct paper *p, enum chart_kind kind, struct str caption, struct str unit, int series, const struct str *names) {
    if (series < 1 || series > CHART_SERIES) ZB_BUG("a chart of %d series", series);
    if (p->charts == PAPER_CHARTS) over(p, "charts", PAPER_CHARTS);
    struct chart *c = take(p, sizeof *c);
    struct block *b = c ? block_new(p, BLOCK_CHART) : NULL;
    if (!b) return;
    *c = (struct chart){.kind = kind, .caption = clean(p, caption), .unit = clean(p, unit), .series = series};
    for (int i = 0; i < series; i++) c->name[i] = clean(p, names[i]);
    b->chart = c;
    p->charts++;
}

void paper_point(struct paper *p, struct str label, const zb_fix *values, zb_fix target) {
    struct chart *c = !p->over[0] && p->last && p->last->kind == BLOCK_CHART ? p->last->chart : NULL;
    if (!c) return;
    if (c->points == CHART_POINTS) {
        over(p, "points in one chart", CHART_POINTS);
        return;
    }
    for (int i = 0; i < c->series; i++) c->value[i][c->points] = values[i];
    c->target[c->points] = target;
    c->label[c->points++] = clean(p, label);
}

int paper_check(const struct paper *p, struct zb_err *e) { return p->over[0] ? zb_fail(e, ZB_E_LIMIT, "%s", p->over) : ZB_OK; }

void para_text(const struct block *b, struct buf *out) {
    for (const struct run *r = b->run; r; r = r->next) buf_puts(out, r->text);
}

double sign_after(const struct paper *p, const struct block *b) {
    double space = 0;
    for (b = b->next; b && b->kind == BLOCK_SPACE; b = b->next) space += b->lines * p->style.line_step;
    if (!b || b->kind != BLOCK_PARA || b->style != PARA_SIGN) return 0;
    space += p->style.line_step;
    for (const struct run *r = b->run; r; r = r->next)
        for (const char *c = r->text; *c; c++) space += *c == '\n' ? p->style.line_step : 0;
    return space;
}

struct look paper_look(const struct page_style *s, enum para_style style) {
    double body = s->body_size, step = s->line_step;
    switch (style) {
    case PARA_FLAT: return (struct look){.face = FACE_BODY, .size = body, .step = step, .align = CELL_LEFT, .justify = true};
    case PARA_CENTER: return (struct look){.face = FACE_BODY, .size = body, .step = step};
    case PARA_RIGHT: return (struct look){.face = FACE_BODY, .size = body, .step = step, .align = CELL_RIGHT};
    case PARA_NUMBER: return (struct look){.face = FACE_BODY, .size = body, .step = step};
    case PARA_NOTE: return (struct look){.face = FACE_SONG, .size = s->note_size, .step = s->note_size * 1.5, .align = CELL_LEFT};
    case PARA_TITLE: return (struct look){.face = FACE_TITLE, .size = s->title_size, .step = s->title_step, .keep = true, .bold = true};
    case PARA_SUBTITLE: return (struct look){.face = FACE_KAI, .size = body, .step = step, .keep = true};
    case PARA_CAPTION: return (struct look){.face = FACE_HEI, .size = s->table_size + 1, .step = (s->table_size + 1) * 1.8, .keep = true};
    case PARA_H1: return (struct look){.face = FACE_HEI, .size = body, .step = step, .first = 2, .align = CELL_LEFT, .keep = true, .outline = 1};
    case PARA_H2: return (struct look){.face = FACE_KAI, .size = body, .step = step, .first = 2, .align = CELL_LEFT, .keep = true, .outline = 2};
    case PARA_H3: return (struct look){.face = FACE_BODY, .size = body, .step = step, .first = 2, .align = CELL_LEFT, .keep = true, .bold = true, .outline = 3};
    case PARA_H4: return (struct look){.face = FACE_BODY, .size = body, .step = step, .first = 2, .align = CELL_LEFT, .keep = true, .outline = 4};
    case PARA_SIGN: return (struct look){.face = FACE_BODY, .size = body, .step = step, .right = 4};
    default: return (struct look){.face = FACE_BODY, .size = body, .step = step, .first = 2, .align = CELL_LEFT, .justify = true};
    }
}
