/* XLSX in: a zip of XML, read by libzip and expat. Only the parts that hold a table are opened; everything else in the archive is left alone. */
#include "sheet/inside.h"
#include <expat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <zip.h>

#define UNPACKED_MAX ((size_t)200 << 20)
#define STYLES_MAX 4096
struct book {
    struct arena *a;
    struct zip *z;
    struct zb_err *e;
    size_t packed, unpacked;
    bool y1904;
    struct str *shared;
    size_t nshared, cshared;
    unsigned char style[STYLES_MAX];
    int styles; /* 0 number, 1 date, 2 time, 3 both */
    int fmt_id[STYLES_MAX];
    unsigned char fmt_kind[STYLES_MAX];
    int fmts;
    char sheet[40][64], id[40][64];
    int sheets;
    char target[40][200], target_id[40][64];
    int targets;
    /* while parsing */
    XML_Parser p;
    struct buf text;
    bool take, in_t, phonetic, in_xfs, failed;
    char type[16];
    int row, col, cell_style, next_row, next_col;
    struct grid g;
};

static void stop(struct book *b) {
    b->failed = true;
    XML_StopParser(b->p, XML_FALSE);
}
static const char *attr(const XML_Char **at, const char *name) {
    for (int i = 0; at[i]; i += 2) {
        const char *colon = strchr(at[i], ':');
        if (!strcmp(at[i], name) || (colon && !strcmp(colon + 1, name))) return at[i + 1];
    }
    return "";
}
static const char *local(const char *name) {
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}
static void XMLCALL doctype(void *u, const XML_Char *n, const XML_Char *s, const XML_Char *p, int has) {
    (void)n, (void)s, (void)p, (void)has;
    struct book *b = u;
    zb_fail(b->e, ZB_E_INPUT, "the workbook's XML declares a DOCTYPE: refused");
    stop(b);
}
static void XMLCALL chars(void *u, const XML_Char *s, int n) {
    struct book *b = u;
    if (b->take && !b->phonetic) buf_put(&b->text, s, (size_t)n);
}

static int part(struct book *b, const char *name, XML_StartElementHandler start, XML_EndElementHandler end, bool must) {
    zip_stat_t st;
    if (zip_stat(b->z, name, 0, &st) != 0) return must ? zb_fail(b->e, ZB_E_INPUT, "the workbook has no part %s: is it an .xlsx?", name) : ZB_OK;
    if (st.encryption_method) return zb_fail(b->e, ZB_E_INPUT, "the workbook is encrypted: save it without a password");
    zip_file_t *f = zip_fopen(b->z, name, 0);
    if (!f) return zb_fail(b->e, ZB_E_INPUT, "the workbook's part %s cannot be read", name);
    b->p = XML_ParserCreate(NULL);
    XML_SetUserData(b->p, b);
    XML_SetElementHandler(b->p, start, end);
    XML_SetCharacterDataHandler(b->p, chars);
    XML_SetStartDoctypeDeclHandler(b->p, doctype);
    static _Thread_local char chunk[65536];
    int rc = ZB_OK;
    for (;;) {
        zip_int64_t n = zip_fread(f, chunk, sizeof chunk);
        if (n < 0) rc = zb_fail(b->e, ZB_E_INPUT, "the workbook is damaged: part %s does not unpack", name);
        b->unpacked += n > 0 ? (size_t)n : 0;
        if (b->unpacked > UNPACKED_MAX || b->unpacked > b->packed * 200 + ((size_t)4 << 20))
            rc = zb_fail(b->e, ZB_E_LIMIT, "the workbook unpacks to more than %zu MiB or 200 times its size: refused", UNPACKED_MAX >> 20);
        if (rc == ZB_OK && XML_Parse(b->p, chunk, (int)(n > 0 ? n : 0), n == 0) != XML_STATUS_OK) {
            if (!b->failed)
                zb_fail(b->e, ZB_E_INPUT, "the workbook's part %s line %lu: %s", name, XML_GetCurrentLineNumber(b->p), XML_ErrorString(XML_GetErrorCode(b->p)));
            rc = b->e->rc;
        }
        if (rc != ZB_OK || n <= 0) break;
    }
    XML_ParserFree(b->p);
    zip_fclose(f);
    return rc;
}

static void text_begin(struct book *b) {
    buf_clear(&b->text);
    b->take = true;
}

/* ---- shared strings: runs joined, phonetic hints left out ---- */
static void XMLCALL shared_start(void *u, const XML_Char *name, const XML_Char **at) {
    (void)at;
    struct book *b = u;
    const char *n = local(name);
    if (!strcmp(n, "si")) buf_clear(&b->text);
    if (!strcmp(n, "rPh")) b->phonetic = true;
    b->take = !strcmp(n, "t");
}
static void XMLCALL shared_end(void *u, const XML_Char *name) {
    struct book *b = u;
    const char *n = local(name);
    b->take = false;
    if (!strcmp(n, "rPh")) b->phonetic = false;
    if (strcmp(n, "si")) return;
    if (b->nshared == b->cshared) b->shared = xrealloc(b->shared, (b->cshared = b->cshared ? b->cshared * 2 : 1024) * sizeof *b->shared);
    char *kept = b->nshared < SHEET_CELLS ? arena_str(b->a, buf_str(&b->text)) : NULL;
    if (!kept) {
        zb_fail(b->e, ZB_E_LIMIT, "the workbook holds too much text");
        stop(b);
        return;
    }
    b->shared[b->nshared++] = (struct str){kept, b->text.n};
}

/* ---- styles: which formats are dates ---- */
static unsigned char format_kind(const char *f) {
    unsigned char k = 0;
    bool quoted = false;
    for (const char *p = f; *p; p++) {
        if (*p == '"') quoted = !quoted;
        if (quoted) continue;
        if (*p == '\\' && p[1]) {
            p++;
            continue;
        }
        if (*p == '[') {
            while (*p && *p != ']') p++;
            if (!*p) break;
            continue;
        }
        if (strchr("yYdD", *p)) k |= 1;
        if (strchr("hHsS", *p)) k |= 2;
        if (*p == ';') break;
    }
    return k;
}
static unsigned char builtin_kind(int id) {
    if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 58)) return 1;
    if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47)) return 2;
    return id == 22 ? 3 : 0;
}
static void XMLCALL style_start(void *u, const XML_Char *name, const XML_Char **at) {
    struct book *b = u;
    const char *n = local(name);
    int64_t id = 0;
    if (!strcmp(n, "cellXfs")) b->in_xfs = true;
    if (!num_i64(str_of(attr(at, "numFmtId")), 0, 1000000, &id)) id = 0;
    if (!strcmp(n, "numFmt") && b->fmts < STYLES_MAX) {
        b->fmt_id[b->fmts] = (int)id;
        b->fmt_kind[b->fmts++] = format_kind(attr(at, "formatCode"));
    } else if (!strcmp(n, "xf") && b->in_xfs && b->styles < STYLES_MAX) {
        unsigned char k = builtin_kind((int)id);
        for (int i = 0; i < b->fmts; i++)
            if (b->fmt_id[i] == id) k = b->fmt_kind[i];
        b->style[b->styles++] = k;
    }
}
static void XMLCALL style_end(void *u, const XML_Char *name) {
    struct book *b = u;
    if (!strcmp(local(name), "cellXfs")) b->in_xfs = false;
}

/* ---- workbook ---- */
static void XMLCALL book_start(void *u, const XML_Char *name, const XML_Char **at) {
    struct book *b = u;
    const char *n = local(name);
    if (!strcmp(n, "workbookPr")) b->y1904 = !strcmp(attr(at, "date1904"), "1") || !strcmp(attr(at, "date1904"), "true");
    if (!strcmp(n, "sheet") && b->sheets < 40) {
        str_copy(str_of(attr(at, "name")), b->sheet[b->sheets], sizeof b->sheet[0]);
        const char *rid = "";
        for (int i = 0; at[i]; i += 2)
            if (strchr(at[i], ':') && !strcmp(local(at[i]), "id")) rid = at[i + 1];
        str_copy(str_of(rid), b->id[b->sheets++], sizeof b->id[0]);
    }
}
static void XMLCALL rel_start(void *u, const XML_Char *name, const XML_Char **at) {
    struct book *b = u;
    if (strcmp(local(name), "Relationship") || b->targets == 40) return;
    str_copy(str_of(attr(at, "Id")), b->target_id[b->targets], sizeof b->target_id[0]);
    str_copy(str_of(attr(at, "Target")), b->target[b->targets++], sizeof b->target[0]);
}
static void XMLCALL nothing(void *u, const XML_Char *name) { (void)u, (void)name; }

/* ---- cells ---- */
static void cell_at(struct book *b, const char *ref) {
    int col = 0, i = 0;
    int64_t row;
    while (ref[i] >= 'A' && ref[i] <= 'Z' && i < 4) col = col * 26 + (ref[i++] - 'A' + 1);
    if (i && num_i64(str_of(ref + i), 1, 2000000, &row)) {
        b->row = (int)row;
        b->col = col - 1;
    } else {
        b->row = b->next_row;
        b->col = b->next_col;
    }
    b->next_col = b->col + 1;
}
static void XMLCALL cell_start(void *u, const XML_Char *name, const XML_Char **at) {
    struct book *b = u;
    const char *n = local(name);
    int64_t v;
    if (!strcmp(n, "row")) {
        b->next_row = num_i64(str_of(attr(at, "r")), 1, 2000000, &v) ? (int)v : b->next_row + 1;
        b->next_col = 0;
    } else if (!strcmp(n, "c")) {
        cell_at(b, attr(at, "r"));
        str_copy(str_of(attr(at, "t")), b->type, sizeof b->type);
        b->cell_style = num_i64(str_of(attr(at, "s")), 0, STYLES_MAX - 1, &v) ? (int)v : 0;
        buf_clear(&b->text);
    } else if (!strcmp(n, "rPh")) {
        b->phonetic = true;
    } else if (!strcmp(n, "v")) {
        text_begin(b);
    } else if (!strcmp(n, "t")) {
        b->take = true;
    } else if (!strcmp(n, "f")) {
        b->take = false; /* the formula: never read */
    }
}

/* A serial of days since 1899-12-30 (or 1904-01-01) as what a person would type. */
static void date_text(struct book *b, double serial, unsigned char kind, char out[64]) {
    double day = floor(serial), part = serial - day;
    int64_t ms = llround(part * 86400.0) * 1000;
    int32_t base = b->y1904 ? -24107 : -25569;
    zb_time t = ((zb_time)day + base) * ZB_DAY + ms - 8 * ZB_HOUR;
    char text[ZB_TIME_CAP];
    zb_time_text(t, text);
    if (kind == 1 && ms == 0)
        snprintf(out, 64, "%.10s", text);
    else if (kind == 2 && day == 0)
        snprintf(out, 64, "%.8s", text + 11);
    else
        snprintf(out, 64, "%s", text);
}

/* Doubles that a program wrote as 0.30000000000000004 are 0.3. */
static void number_text(struct str s, char out[64]) {
    double v;
    if (!num_double(s, &v))
        str_copy(s, out, 64);
    else if (fabs(v) < 1e15 && v == floor(v))
        snprintf(out, 64, "%.0f", v);
    else {
        snprintf(out, 64, "%.15g", v);
        if (strchr(out, 'e')) snprintf(out, 64, "%.12f", v);
        if (strchr(out, '.'))
            while (out[strlen(out) - 1] == '0') out[strlen(out) - 1] = 0;
    }
}

static int cell_put(struct book *b) {
    struct str s = buf_str(&b->text);
    char out[64];
    int64_t i;
    if (!strcmp(b->type, "s")) {
        if (!s.n) return ZB_OK;
        if (!num_i64(s, 0, (int64_t)b->nshared - 1, &i))
            return zb_fail(b->e, ZB_E_INPUT, "row %d, column %d: the cell points to a text that is not there", b->row, b->col + 1);
        s = b->shared[i];
    } else if (!strcmp(b->type, "b")) {
        s = str_is(s, "1") ? STR("true") : STR("false");
    } else if ((!b->type[0] || !strcmp(b->type, "n")) && s.n) {
        unsigned char kind = b->cell_style < b->styles ? b->style[b->cell_style] : 0;
        number_text(s, out);
        if (kind) {
            double v;
            if (num_double(s, &v) && v >= 0 && v < 3000000) date_text(b, v, kind, out);
        }
        s = str_of(out);
    }
    return grid_put(&b->g, b->row, b->col, s, b->e);
}
static void XMLCALL cell_end(void *u, const XML_Char *name) {
    struct book *b = u;
    const char *n = local(name);
    if (!strcmp(n, "v") || !strcmp(n, "t") || !strcmp(n, "f")) b->take = false;
    if (!strcmp(n, "rPh")) b->phonetic = false;
    if (!strcmp(n, "c") &&
        (b->text.over ? zb_fail(b->e, ZB_E_LIMIT, "row %d, column %d: the cell is larger than 1 MiB", b->row, b->col + 1) : cell_put(b)) != ZB_OK)
        stop(b);
}

static int sheets_read(struct book *b, struct sheet *ret) {
    if (part(b, "xl/workbook.xml", book_start, nothing, true) != ZB_OK || part(b, "xl/_rels/workbook.xml.rels", rel_start, nothing, true) != ZB_OK ||
        part(b, "xl/sharedStrings.xml", shared_start, shared_end, false) != ZB_OK || part(b, "xl/styles.xml", style_start, style_end, false) != ZB_OK)
        return b->e->rc;
    for (int i = 0; i < b->sheets; i++) {
        char path[240] = "";
        for (int k = 0; k < b->targets; k++)
            if (!strcmp(b->target_id[k], b->id[i]))
                snprintf(path, sizeof path, "%s%s", b->target[k][0] == '/' ? "" : "xl/", b->target[k][0] == '/' ? b->target[k] + 1 : b->target[k]);
        if (!path[0]) continue;
        b->g = (struct grid){.a = b->a};
        b->next_row = 0;
        int rc = part(b, path, cell_start, cell_end, true);
        if (rc == ZB_OK && b->g.n) rc = grid_sheet(&b->g, arena_str(b->a, str_of(b->sheet[i])), ret, b->e);
        bool some = b->g.n > 0;
        grid_done(&b->g);
        if (rc != ZB_OK) return zb_wrap(b->e, "sheet %s", b->sheet[i]);
        if (some) return ZB_OK;
    }
    *ret = (struct sheet){.name = b->sheets ? arena_str(b->a, str_of(b->sheet[0])) : ""};
    return ZB_OK;
}

int xlsx_read(struct arena *a, struct str bytes, struct sheet *ret, struct zb_err *e) {
    zip_error_t ze;
    zip_error_init(&ze);
    zip_source_t *src = zip_source_buffer_create(bytes.p, bytes.n, 0, &ze);
    struct zip *z = src ? zip_open_from_source(src, ZIP_RDONLY | ZIP_CHECKCONS, &ze) : NULL;
    if (!z) {
        zb_fail(e, ZB_E_INPUT, "the workbook is damaged: %s", zip_error_strerror(&ze));
        zip_source_free(src);
        zip_error_fini(&ze);
        return e->rc;
    }
    struct book *b = xcalloc(1, sizeof *b);
    *b = (struct book){.a = a, .z = z, .e = e, .packed = bytes.n};
    buf_init(&b->text, 1 << 20);
    int rc = zip_get_num_entries(z, 0) <= 5000 ? sheets_read(b, ret) : zb_fail(e, ZB_E_LIMIT, "the workbook has more than 5000 parts");
    zip_discard(z);
    zip_error_fini(&ze);
    buf_done(&b->text);
    free(b->shared);
    free(b);
    return rc;
}
