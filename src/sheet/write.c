#include "sheet/sheet.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xlsxwriter.h>

struct table_writer {
    bool xlsx;
    int row, col, cols;
    struct buf csv;
    char path[64]; /* the library writes to a file: ours, deleted at the end */
    lxw_workbook *book;
    lxw_worksheet *sheet;
    lxw_format *bold;
};

struct table_writer *table_begin(bool xlsx, const char *name) {
    struct table_writer *w = xcalloc(1, sizeof *w);
    w->xlsx = xlsx;
    buf_init(&w->csv, (size_t)256 << 20);
    if (!xlsx) {
        buf_puts(&w->csv, "\xef\xbb\xbf");
        return w;
    }
    str_copy(STR("/tmp/zhiben-sheet-XXXXXX"), w->path, sizeof w->path);
    int fd = mkstemp(w->path);
    if (fd >= 0) close(fd);
    w->book = workbook_new(w->path);
    if (!w->book) ZB_BUG("no memory for a workbook");
    char safe[100];
    str_copy(str_of(name), safe, 90);
    for (char *p = safe; *p; p++)
        if (strchr("[]:*?/\\'", *p)) *p = ' ';
    w->sheet = workbook_add_worksheet(w->book, safe);
    if (!w->sheet) w->sheet = workbook_add_worksheet(w->book, NULL);
    w->bold = workbook_add_format(w->book);
    format_set_bold(w->bold);
    worksheet_freeze_panes(w->sheet, 1, 0);
    return w;
}

static bool runs(struct str s) { return s.n && strchr("=+-@\t\r", s.p[0]) != NULL; }

static void csv_cell(struct table_writer *w, struct str s, bool text) {
    if (w->col) buf_putc(&w->csv, ',');
    zb_fix v;
    bool defuse = text && runs(s) && !num_fix(s, &v);
    bool quote = defuse;
    for (size_t i = 0; i < s.n; i++) quote |= strchr(",\"\r\n;\t", s.p[i]) != NULL;
    if (quote) buf_putc(&w->csv, '"');
    if (defuse) buf_putc(&w->csv, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_putc(&w->csv, '"');
        buf_putc(&w->csv, s.p[i]);
    }
    if (quote) buf_putc(&w->csv, '"');
}

void table_text(struct table_writer *w, struct str s) {
    if (!w->xlsx) {
        csv_cell(w, s, true);
    } else if (s.n) {
        ZB_AUTO(buf_done) struct buf z;
        buf_init(&z, 130000);
        buf_put(&z, s.p, s.n > 120000 ? 120000 : s.n);
        worksheet_write_string(w->sheet, (lxw_row_t)w->row, (lxw_col_t)w->col, z.p, w->row ? NULL : w->bold);
    }
    w->col++;
}

void table_fix(struct table_writer *w, zb_fix v) {
    char t[ZB_FIX_CAP];
    if (v == ZB_FIX_NONE)
        table_text(w, STR(""));
    else if (!w->xlsx) {
        csv_cell(w, str_of(zb_fix_text(v, t)), false);
        w->col++;
    } else
        worksheet_write_number(w->sheet, (lxw_row_t)w->row, (lxw_col_t)w->col++, zb_fix_double(v), NULL);
}

void table_row(struct table_writer *w) {
    if (!w->xlsx) buf_puts(&w->csv, "\r\n");
    if (w->col > w->cols) w->cols = w->col;
    w->row++;
    w->col = 0;
}

static int file_take(const char *path, struct buf *out, struct zb_err *e) {
    FILE *f = fopen(path, "rb");
    char part[65536];
    size_t n;
    if (!f) return zb_fail(e, ZB_E_IO, "the workbook cannot be read back");
    while ((n = fread(part, 1, sizeof part, f)) > 0) buf_put(out, part, n);
    bool bad = ferror(f) != 0;
    fclose(f);
    return bad ? zb_fail(e, ZB_E_IO, "the workbook cannot be read back") : ZB_OK;
}

int table_end(struct table_writer *w, struct buf *out, struct zb_err *e) {
    int rc = ZB_OK;
    if (w->xlsx) {
        if (w->cols && w->row) {
            worksheet_autofilter(w->sheet, 0, 0, (lxw_row_t)(w->row - 1), (lxw_col_t)(w->cols - 1));
            worksheet_set_column(w->sheet, 0, (lxw_col_t)(w->cols - 1), 18, NULL);
        }
        lxw_error err = workbook_close(w->book);
        if (err != LXW_NO_ERROR) rc = zb_fail(e, ZB_E_IO, "the workbook cannot be written: %s", lxw_strerror(err));
        if (rc == ZB_OK) rc = file_take(w->path, out, e);
        unlink(w->path);
    } else {
        buf_put(out, w->csv.p, w->csv.n);
    }
    if (rc == ZB_OK && out->over) rc = zb_fail(e, ZB_E_LIMIT, "the table is larger than a reply may be: ask for less");
    buf_done(&w->csv);
    free(w);
    return rc;
}
