/* The same tree as a workbook: the text on the first sheet, each table on a sheet of its own with numbers as numbers, charts as native charts beside
 * their figures. What is text is written as text: no cell is ever a formula. */
#include "paper/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xlsxwriter.h>

#define TEXT_WIDTH 84 /* half letters of the text sheet */

struct book {
    lxw_workbook *wb;
    lxw_worksheet *text;
    lxw_format *bold, *wrap, *title, *head, *cell, *right, *number;
    lxw_row_t row; /* of the text sheet */
    int sheets;
};

static lxw_format *format(struct book *b, bool bold, uint8_t align, bool border, double size) {
    lxw_format *f = workbook_add_format(b->wb);
    if (!f) ZB_BUG("no memory for a workbook");
    if (bold) format_set_bold(f);
    format_set_text_wrap(f);
    format_set_align(f, align);
    format_set_align(f, LXW_ALIGN_VERTICAL_CENTER);
    if (border) format_set_border(f, LXW_BORDER_THIN);
    if (size > 0) format_set_font_size(f, size);
    return f;
}

/* A name Excel takes: 31 letters, none of []:*?/\', not there yet. */
static lxw_worksheet *sheet(struct book *b, const char *wish, char name[128]) {
    char safe[91] = "", cut[128];
    size_t n = 0, letters = 0;
    for (const char *p = wish; *p && n < sizeof safe - 1; p++) {
        letters += ((unsigned char)*p & 0xc0) != 0x80;
        if (letters > 24) break;
        safe[n++] = strchr("[]:*?/\\'\n", *p) ? ' ' : *p;
    }
    safe[n] = '\0';
    str_copy(str_trim(str_of(safe)), cut, sizeof cut);
    for (int i = 0; i < 1000; i++) {
        if (i || !cut[0])
            snprintf(name, 128, "%s %d", cut[0] ? cut : "表", b->sheets + i);
        else
            str_copy(str_of(cut), name, 128);
        if (workbook_validate_sheet_name(b->wb, name) != LXW_NO_ERROR) continue;
        lxw_worksheet *s = workbook_add_worksheet(b->wb, name);
        if (!s) ZB_BUG("no memory for a worksheet");
        b->sheets++;
        return s;
    }
    ZB_BUG("no name for a worksheet");
}

/* Height of a row that holds this text in a column so many half letters wide: spreadsheets do not measure it themselves before they are asked to. */
static double height_of(const char *text, double width, double size) {
    double lines = 1, at = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if ((*p & 0xc0) == 0x80) continue;
        double w = *p < 0x80 ? 1 : 2;
        if (*p == '\n' || at + w > width - 1) {
            lines++;
            at = 0;
        }
        at += *p == '\n' ? 0 : w;
    }
    double h = lines * size * 1.45 + 2;
    return h > 409 ? 409 : h; /* the most a row may have */
}

static void line(struct book *b, const char *text, lxw_format *f, double size) {
    worksheet_set_row(b->text, b->row, height_of(text, TEXT_WIDTH * 11 / size, size), NULL);
    worksheet_write_string(b->text, b->row++, 0, text, f);
}

static void para(struct book *b, const struct block *k) {
    ZB_AUTO(buf_done) struct buf t;
    buf_init(&t, 32000); /* a cell holds 32,767 letters */
    para_text(k, &t);
    if (!t.n) return;
    bool heading = k->style >= PARA_H1 && k->style <= PARA_H4;
    bool title = k->style == PARA_TITLE;
    line(b, t.p, title ? b->title : heading ? b->bold : b->wrap, title ? 16 : heading ? 12 : 11);
}

static double column_width(const struct table *t, int i) {
    double w = t->width[i] * 110;
    return w < 8 ? 8 : w > 60 ? 60 : w;
}

static void cells(struct book *b, lxw_worksheet *s, const struct table *t) {
    lxw_row_t y = 0;
    for (const struct row *r = t->first; r; r = r->next, y++) {
        double high = 15;
        for (int i = 0; i < r->cells; i++) {
            const struct cell *c = &r->cell[i];
            double h = c->cols == 1 && c->rows == 1 ? height_of(c->text, column_width(t, c->col), 11) : 0;
            if (h > high) high = h;
            lxw_format *f = c->label || (int)y < t->head ? b->head : c->align == CELL_RIGHT ? b->right : b->cell;
            if (c->cols > 1 || c->rows > 1)
                worksheet_merge_range(s, y, c->col, y + c->rows - 1, (lxw_col_t)(c->col + c->cols - 1), c->text, f);
            else if (c->num != ZB_FIX_NONE)
                worksheet_write_number(s, y, c->col, zb_fix_double(c->num), b->number);
            else
                worksheet_write_string(s, y, c->col, c->text, f);
        }
        worksheet_set_row(s, y, high, NULL);
    }
    for (int i = 0; i < t->cols; i++) worksheet_set_column(s, (lxw_col_t)i, (lxw_col_t)i, column_width(t, i), NULL);
    if (t->head) {
        worksheet_freeze_panes(s, (lxw_row_t)t->head, 0);
        worksheet_repeat_rows(s, 0, (lxw_row_t)(t->head - 1));
    }
    worksheet_set_landscape(s);
    worksheet_set_paper(s, 9); /* A4 */
    worksheet_fit_to_pages(s, 1, 0);
}

static void refer(struct book *b, const char *caption, const char *name) {
    char t[PAPER_TEXT + 200];
    snprintf(t, sizeof t, "%s（见工作表“%s”）", caption, name);
    line(b, t, b->wrap, 11);
}

static void table(struct book *b, const struct table *t) {
    char name[128];
    lxw_worksheet *s = sheet(b, t->caption, name);
    cells(b, s, t);
    if (b->text) refer(b, t->caption, name);
}

static void point(lxw_worksheet *s, lxw_row_t y, lxw_col_t x, zb_fix v) {
    if (v != ZB_FIX_NONE) worksheet_write_number(s, y, x, zb_fix_double(v), NULL); /* nothing where there is no data */
}

static void chart(struct book *b, const struct chart *c) {
    char name[128];
    lxw_worksheet *s = sheet(b, c->caption, name);
    bool target = false;
    for (int i = 0; i < c->series; i++) worksheet_write_string(s, 0, (lxw_col_t)(i + 1), c->name[i], b->head);
    for (int i = 0; i < c->points; i++) {
        worksheet_write_string(s, (lxw_row_t)(i + 1), 0, c->label[i], NULL);
        for (int k = 0; k < c->series; k++) point(s, (lxw_row_t)(i + 1), (lxw_col_t)(k + 1), c->value[k][i]);
        point(s, (lxw_row_t)(i + 1), (lxw_col_t)(c->series + 1), c->target[i]);
        target |= c->target[i] != ZB_FIX_NONE;
    }
    if (target) worksheet_write_string(s, 0, (lxw_col_t)(c->series + 1), "目标", b->head);
    worksheet_set_column(s, 0, 0, 28, NULL);
    worksheet_set_column(s, 1, (lxw_col_t)(c->series + 1), 12, NULL);
    lxw_chart *ch = c->points ? workbook_add_chart(b->wb, c->kind == CHART_BAR ? LXW_CHART_BAR : LXW_CHART_LINE) : NULL;
    for (int k = 0; ch && k < c->series + (target ? 1 : 0); k++) {
        lxw_chart_series *cs = chart_add_series(ch, NULL, NULL);
        chart_series_set_categories(cs, name, 1, 0, (lxw_row_t)c->points, 0);
        chart_series_set_values(cs, name, 1, (lxw_col_t)(k + 1), (lxw_row_t)c->points, (lxw_col_t)(k + 1));
        chart_series_set_name_range(cs, name, 0, (lxw_col_t)(k + 1));
    }
    if (ch) {
        chart_title_set_name(ch, c->caption[0] ? c->caption : name);
        if (c->unit[0]) chart_axis_set_name(c->kind == CHART_BAR ? ch->x_axis : ch->y_axis, c->unit);
        if (c->kind == CHART_BAR) chart_axis_set_reverse(ch->y_axis); /* first at the top, as on paper */
        lxw_chart_options o = {.x_scale = 1.4, .y_scale = 1.4};
        worksheet_insert_chart_opt(s, 1, (lxw_col_t)(c->series + 3), ch, &o);
    }
    if (b->text) refer(b, c->caption, name);
}

static bool has_text(const struct paper *p) {
    for (const struct block *k = p->first; k; k = k->next)
        if (k->kind == BLOCK_PARA && k->style != PARA_TITLE) return true;
    return false;
}

static void fill(struct book *b, const struct paper *p) {
    char name[128];
    b->bold = format(b, true, LXW_ALIGN_LEFT, false, 12);
    b->wrap = format(b, false, LXW_ALIGN_LEFT, false, 11);
    b->title = format(b, true, LXW_ALIGN_CENTER, false, 16);
    b->head = format(b, true, LXW_ALIGN_CENTER, true, 0);
    b->cell = format(b, false, LXW_ALIGN_LEFT, true, 0);
    b->right = format(b, false, LXW_ALIGN_RIGHT, true, 0);
    b->number = format(b, false, LXW_ALIGN_RIGHT, true, 0);
    format_set_num_format(b->number, "0.######");
    if (has_text(p) || !p->blocks) {
        b->text = sheet(b, "正文", name);
        worksheet_set_column(b->text, 0, 0, TEXT_WIDTH, NULL);
        worksheet_set_paper(b->text, 9);
        worksheet_fit_to_pages(b->text, 1, 0);
    }
    for (const struct block *k = p->first; k; k = k->next) {
        if (k->kind == BLOCK_PARA && b->text) para(b, k);
        if (k->kind == BLOCK_TABLE) table(b, k->table);
        if (k->kind == BLOCK_CHART) chart(b, k->chart);
        if (k->kind == BLOCK_SPACE && b->text) b->row++;
    }
}

int xlsx_write(const struct paper *p, struct buf *out, struct zb_err *e) {
    char path[] = "/tmp/zhiben-paper-XXXXXX"; /* the library writes to a file: ours, deleted at the end */
    int fd = mkstemp(path);
    if (fd < 0) return zb_fail(e, ZB_E_IO, "no temporary file for a workbook");
    close(fd);
    struct book b = {.wb = workbook_new(path)};
    if (!b.wb) ZB_BUG("no memory for a workbook");
    lxw_doc_properties prop = {.title = (char *)p->title, .author = "zhiben"};
    prop.created = (time_t)p->day * 86400;
    workbook_set_properties(b.wb, &prop);
    fill(&b, p);
    lxw_error err = workbook_close(b.wb);
    FILE *f = err == LXW_NO_ERROR ? fopen(path, "rb") : NULL;
    char part[65536];
    size_t n;
    while (f && (n = fread(part, 1, sizeof part, f)) > 0) buf_put(out, part, n);
    bool bad = !f || ferror(f);
    if (f) fclose(f);
    unlink(path);
    return bad ? zb_fail(e, ZB_E_IO, "the workbook cannot be written: %s", lxw_strerror(err)) : ZB_OK;
}
