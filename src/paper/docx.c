/* Office Open XML by hand: eight small parts in a zip. Faces are named as the office has them; the reader's machine supplies the type. */
#include "paper/inside.h"
#include <math.h>
#include <stdio.h>
#include <zip.h>

struct docx {
    const struct paper *p;
    struct buf body, rels;
    struct buf png[PAPER_CHARTS];
    int images;
    double width; /* of the type area, mm */
};
#define TWIP(pt) ((long)lround((pt)*20))
#define EMU(mm) ((long)lround((mm)*36000))

static void xml(struct buf *b, const char *s) {
    for (; *s; s++) switch (*s) {
        case '&': buf_puts(b, "&amp;"); break;
        case '<': buf_puts(b, "&lt;"); break;
        case '>': buf_puts(b, "&gt;"); break;
        case '"': buf_puts(b, "&quot;"); break;
        default: buf_putc(b, *s);
        }
}

/* The first family of a list: what an office has. */
static void face_name(struct buf *b, const char *list) {
    char name[100];
    str_copy(str_trim(str_cut(str_of(list), ',', NULL)), name, sizeof name);
    xml(b, name);
}

static void run_props(struct docx *d, struct buf *b, const struct look *k, bool bold) {
    buf_puts(b, "<w:rPr><w:rFonts w:ascii=\"Times New Roman\" w:hAnsi=\"Times New Roman\" w:eastAsia=\"");
    face_name(b, d->p->style.face[k->face]);
    buf_puts(b, "\"/>");
    if (bold || k->bold) buf_puts(b, "<w:b/>");
    const struct page_style *s = &d->p->style;
    if (s->line_chars && k->size == s->body_size) /* so many letters a line: the type's own width and a little less between */
        buf_printf(b, "<w:spacing w:val=\"%ld\"/>", TWIP((s->width - s->left - s->right) * MM / s->line_chars - s->body_size));
    buf_printf(b, "<w:sz w:val=\"%ld\"/><w:szCs w:val=\"%ld\"/></w:rPr>", lround(k->size * 2), lround(k->size * 2));
}

/* Text with its line breaks. */
static void run(struct docx *d, struct buf *b, const char *text, const struct look *k, bool bold) {
    struct str rest = str_of(text);
    for (bool first = true; rest.p; first = false) {
        char part[PAPER_TEXT + 1];
        str_copy(str_cut(rest, '\n', &rest), part, sizeof part);
        buf_puts(b, "<w:r>");
        run_props(d, b, k, bold);
        if (!first) buf_puts(b, "<w:br/>");
        buf_puts(b, "<w:t xml:space=\"preserve\">");
        xml(b, part);
        buf_puts(b, "</w:t></w:r>");
    }
}

static void para_props(struct buf *b, const struct look *k, bool last_keeps) {
    static const char *const JC[] = {"center", "left", "right"};
    buf_puts(b, "<w:pPr>");
    if (k->outline) buf_printf(b, "<w:pStyle w:val=\"Heading%d\"/>", k->outline);
    if (k->keep && last_keeps) buf_puts(b, "<w:keepNext/>");
    buf_printf(b, "<w:spacing w:before=\"0\" w:after=\"0\" w:line=\"%ld\" w:lineRule=\"exact\"/>", TWIP(k->step));
    if (k->first > 0) buf_printf(b, "<w:ind w:firstLineChars=\"%d\" w:firstLine=\"%ld\"/>", k->first * 100, TWIP(k->first * k->size));
    buf_printf(b, "<w:jc w:val=\"%s\"/></w:pPr>", k->justify ? "both" : JC[k->align]);
}

static double letters(struct str s) { /* widths of full letters; ASCII counts half */
    double n = 0;
    for (size_t i = 0; i < s.n; i++) n += (s.p[i] & 0xc0) == 0x80 ? 0 : (unsigned char)s.p[i] < 0x80 ? 0.5 : 1;
    return n;
}

/* A line each for who signs and the date, centred on one another, the longer one `right` letters from the edge. */
static void sign(struct docx *d, const struct block *b, const struct look *k) {
    ZB_AUTO(buf_done) struct buf text;
    buf_init(&text, PAPER_TEXT * 4);
    para_text(b, &text);
    double most = 0;
    struct str rest = buf_str(&text);
    while (rest.p) most = fmax(most, letters(str_cut(rest, '\n', &rest)));
    rest = buf_str(&text);
    while (rest.p) {
        char line[PAPER_TEXT + 1];
        struct str s = str_cut(rest, '\n', &rest);
        str_copy(s, line, sizeof line);
        double right = (k->right + (most - letters(s)) / 2) * k->size;
        buf_printf(&d->body,
                   "<w:p><w:pPr><w:keepLines/><w:spacing w:before=\"0\" w:after=\"0\" w:line=\"%ld\" w:lineRule=\"exact\"/><w:ind w:right=\"%ld\"/><w:jc "
                   "w:val=\"right\"/></w:pPr>",
                   TWIP(k->step), TWIP(right));
        run(d, &d->body, line, k, false);
        buf_puts(&d->body, "</w:p>");
    }
}

static void para(struct docx *d, const struct block *b) {
    struct look k = paper_look(&d->p->style, b->style);
    if (b->style == PARA_SIGN) {
        sign(d, b, &k);
        return;
    }
    buf_puts(&d->body, "<w:p>");
    if (sign_after(d->p, b) > 0) k.keep = true;
    para_props(&d->body, &k, b->next != NULL);
    for (const struct run *r = b->run; r; r = r->next) run(d, &d->body, r->text, &k, r->bold);
    buf_puts(&d->body, "</w:p>");
}

static void caption(struct docx *d, const char *text) {
    if (!text[0]) return;
    struct look k = paper_look(&d->p->style, PARA_CAPTION);
    buf_puts(&d->body, "<w:p>");
    para_props(&d->body, &k, true);
    run(d, &d->body, text, &k, false);
    buf_puts(&d->body, "</w:p>");
}

static void cell(struct docx *d, const struct table *t, const struct cell *c, bool goes_on) {
    static const char *const JC[] = {"center", "left", "right", "left"};
    struct buf *b = &d->body;
    struct look k = {.face = c->label ? FACE_HEI : FACE_SONG, .size = d->p->style.table_size};
    double w = 0;
    for (int i = c->col; i < c->col + c->cols; i++) w += t->width[i];
    buf_printf(b, "<w:tc><w:tcPr><w:tcW w:w=\"%ld\" w:type=\"dxa\"/>", TWIP(w * d->width * MM));
    if (c->cols > 1) buf_printf(b, "<w:gridSpan w:val=\"%d\"/>", c->cols);
    if (c->rows > 1) buf_puts(b, goes_on ? "<w:vMerge/>" : "<w:vMerge w:val=\"restart\"/>");
    if (c->label) buf_puts(b, "<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"EDEDED\"/>");
    buf_printf(b, "<w:vAlign w:val=\"%s\"/></w:tcPr><w:p><w:pPr><w:spacing w:before=\"0\" w:after=\"0\"/><w:jc w:val=\"%s\"/></w:pPr>",
               c->align == CELL_TOP ? "top" : "center", JC[c->align]);
    if (!goes_on) run(d, b, c->text, &k, false);
    buf_puts(b, "</w:p></w:tc>");
}

static void table(struct docx *d, const struct table *t) {
    struct buf *b = &d->body;
    struct cell above[PAPER_COLS] = {{0}}; /* the cell last seen in each column */
    int left[PAPER_COLS] = {0}, n = 0;     /* rows it still covers */
    caption(d, t->caption);
    buf_printf(b, "<w:tbl><w:tblPr><w:tblW w:w=\"%ld\" w:type=\"dxa\"/><w:tblBorders>", TWIP(d->width * MM));
    static const char *const SIDE[] = {"top", "left", "bottom", "right", "insideH", "insideV"};
    for (int i = 0; i < 6; i++) buf_printf(b, "<w:%s w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"000000\"/>", SIDE[i]);
    buf_puts(b, "</w:tblBorders><w:tblLayout w:type=\"fixed\"/><w:tblCellMar><w:left w:w=\"60\" w:type=\"dxa\"/><w:right w:w=\"60\" "
                "w:type=\"dxa\"/></w:tblCellMar></w:tblPr><w:tblGrid>");
    for (int i = 0; i < t->cols; i++) buf_printf(b, "<w:gridCol w:w=\"%ld\"/>", TWIP(t->width[i] * d->width * MM));
    buf_puts(b, "</w:tblGrid>");
    for (const struct row *r = t->first; r; r = r->next, n++) {
        buf_puts(b, "<w:tr><w:trPr>");
        if (r->min > 0) buf_printf(b, "<w:trHeight w:val=\"%ld\" w:hRule=\"atLeast\"/>", TWIP(r->min * MM));
        if (n < t->head) buf_puts(b, "<w:tblHeader/>");
        buf_puts(b, "</w:trPr>");
        for (int col = 0, i = 0; col < t->cols;) {
            if (left[col] > 0) {
                cell(d, t, &above[col], true);
                int w = above[col].cols;
                left[col]--;
                col += w;
            } else if (i < r->cells && r->cell[i].col == col) {
                const struct cell *c = &r->cell[i++];
                cell(d, t, c, false);
                above[col] = *c;
                left[col] = c->rows - 1;
                col += c->cols;
            } else {
                const struct cell empty = {.text = "", .col = (uint8_t)col, .cols = 1, .rows = 1};
                cell(d, t, &empty, false);
                col++;
            }
        }
        buf_puts(b, "</w:tr>");
    }
    buf_puts(b, "</w:tbl><w:p><w:pPr><w:spacing w:before=\"0\" w:after=\"0\" w:line=\"120\" w:lineRule=\"exact\"/></w:pPr></w:p>");
}

static int chart(struct docx *d, const struct chart *c, struct zb_err *e) {
    double h = 0;
    int n = d->images++;
    buf_init(&d->png[n], (size_t)4 << 20);
    if (chart_png(d->p, c, d->width, &h, &d->png[n], e) != ZB_OK) return e->rc;
    caption(d, c->caption);
    buf_printf(&d->rels,
               "<Relationship Id=\"rImg%d\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/image\" Target=\"media/chart%d.png\"/>",
               n + 1, n + 1);
    buf_printf(&d->body,
               "<w:p><w:pPr><w:jc w:val=\"center\"/></w:pPr><w:r><w:drawing><wp:inline distT=\"0\" distB=\"0\" distL=\"0\" distR=\"0\"><wp:extent cx=\"%ld\" "
               "cy=\"%ld\"/>"
               "<wp:docPr id=\"%d\" name=\"chart%d\" descr=\"",
               EMU(d->width), EMU(h), n + 1, n + 1);
    xml(&d->body, c->caption);
    buf_printf(&d->body,
               "\"/><a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic><pic:nvPicPr><pic:cNvPr id=\"%d\" "
               "name=\"chart%d.png\"/>"
               "<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip "
               "r:embed=\"rImg%d\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/>"
               "<a:ext cx=\"%ld\" cy=\"%ld\"/></a:xfrm><a:prstGeom "
               "prst=\"rect\"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>",
               n + 1, n + 1, n + 1, EMU(d->width), EMU(h));
    /* the figures beside the picture, so that they can be read, copied and checked */
    struct paper *t = paper_new(&d->p->style);
    double width[CHART_SERIES + 2] = {3};
    bool target = false;
    for (int i = 0; i < c->points; i++) target |= c->target[i] != ZB_FIX_NONE;
    int cols = 1 + c->series + (target ? 1 : 0);
    for (int i = 1; i < cols; i++) width[i] = 2;
    paper_table(t, STR(""), cols, width, 1);
    paper_cell(t, STR(""), CELL_CENTER);
    paper_label(t);
    for (int i = 0; i < c->series + (target ? 1 : 0); i++) {
        paper_cell(t, i < c->series ? str_of(c->name[i]) : STR("目标"), CELL_CENTER);
        paper_label(t);
    }
    paper_row(t, 0);
    for (int i = 0; i < c->points; i++) {
        char num[ZB_FIX_CAP];
        paper_cell(t, str_of(c->label[i]), CELL_LEFT);
        for (int s = 0; s < c->series; s++) paper_cell(t, c->value[s][i] == ZB_FIX_NONE ? STR("无数据") : str_of(zb_fix_text(c->value[s][i], num)), CELL_RIGHT);
        if (target) paper_cell(t, str_of(zb_fix_text(c->target[i], num)), CELL_RIGHT);
        paper_row(t, 0);
    }
    table(d, t->last->table);
    paper_free(t);
    return ZB_OK;
}

static int blocks(struct docx *d, struct zb_err *e) {
    struct look k = paper_look(&d->p->style, PARA_FLAT);
    for (const struct block *b = d->p->first; b; b = b->next) switch (b->kind) {
        case BLOCK_PARA: para(d, b); break;
        case BLOCK_TABLE: table(d, b->table); break;
        case BLOCK_CHART:
            if (chart(d, b->chart, e) != ZB_OK) return e->rc;
            break;
        case BLOCK_SPACE:
            k.keep = sign_after(d->p, b) > 0;
            for (int i = 0; i < b->lines; i++) {
                buf_puts(&d->body, "<w:p>");
                para_props(&d->body, &k, true);
                buf_puts(&d->body, "</w:p>");
            }
            break;
        case BLOCK_BREAK:
            if (b->next) buf_puts(&d->body, "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>");
            break;
        }
    return ZB_OK;
}

#define NS_W                                                                                                                                                   \
    "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\""
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"

static void section(struct docx *d) {
    const struct page_style *s = &d->p->style;
    struct buf *b = &d->body;
    buf_puts(b, "<w:sectPr>");
    if (s->outer_numbers) buf_puts(b, "<w:footerReference w:type=\"even\" r:id=\"rEven\"/>");
    buf_puts(b, "<w:footerReference w:type=\"default\" r:id=\"rOdd\"/>");
    buf_printf(b, "<w:pgSz w:w=\"%ld\" w:h=\"%ld\"%s/>", TWIP(s->width * MM), TWIP(s->height * MM), s->width > s->height ? " w:orient=\"landscape\"" : "");
    buf_printf(b, "<w:pgMar w:top=\"%ld\" w:right=\"%ld\" w:bottom=\"%ld\" w:left=\"%ld\" w:header=\"600\" w:footer=\"%ld\" w:gutter=\"0\"/>",
               TWIP(s->top * MM), TWIP(s->right * MM), TWIP(s->bottom * MM), TWIP(s->left * MM), TWIP((s->bottom - 7) * MM - s->foot_size));
    buf_puts(b, "</w:sectPr>");
}

static void footer(struct docx *d, struct buf *b, const char *jc) {
    struct look k = {.face = FACE_SONG, .size = d->p->style.foot_size};
    buf_printf(b, HEAD "<w:ftr " NS_W "><w:p><w:pPr><w:ind w:left=\"%ld\" w:right=\"%ld\"/><w:jc w:val=\"%s\"/></w:pPr>", TWIP(k.size), TWIP(k.size), jc);
    run(d, b, "— ", &k, false);
    static const char *const PART[] = {"<w:fldChar w:fldCharType=\"begin\"/>", "<w:instrText xml:space=\"preserve\"> PAGE </w:instrText>",
                                       "<w:fldChar w:fldCharType=\"separate\"/>", "<w:t>1</w:t>", "<w:fldChar w:fldCharType=\"end\"/>"};
    for (int i = 0; i < 5; i++) {
        buf_puts(b, "<w:r>");
        run_props(d, b, &k, false);
        buf_puts(b, PART[i]);
        buf_puts(b, "</w:r>");
    }
    run(d, b, " —", &k, false);
    buf_puts(b, "</w:p></w:ftr>");
}

static void styles(struct docx *d, struct buf *b) {
    struct look k = paper_look(&d->p->style, PARA_BODY);
    buf_puts(b, HEAD "<w:styles " NS_W "><w:docDefaults><w:rPrDefault>");
    run_props(d, b, &k, false);
    buf_puts(b, "</w:rPrDefault></w:docDefaults><w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"><w:name w:val=\"Normal\"/></w:style>");
    for (int i = 1; i < 5; i++)
        buf_printf(b,
                   "<w:style w:type=\"paragraph\" w:styleId=\"Heading%d\"><w:name w:val=\"heading %d\"/><w:basedOn w:val=\"Normal\"/><w:next "
                   "w:val=\"Normal\"/><w:qFormat/>"
                   "<w:pPr><w:keepNext/><w:outlineLvl w:val=\"%d\"/></w:pPr></w:style>",
                   i, i, i - 1);
    buf_puts(b, "</w:styles>");
}

static bool put(zip_t *z, const char *name, struct str s) {
    zip_source_t *src = zip_source_buffer(z, s.p, s.n, 0);
    zip_int64_t at = src ? zip_file_add(z, name, src, ZIP_FL_ENC_UTF_8) : -1;
    if (at < 0 && src) zip_source_free(src);
    return at >= 0 && zip_file_set_mtime(z, (zip_uint64_t)at, 1577836800, 0) == 0; /* the same tree gives the same bytes */
}

static const char TYPES[] =
    HEAD "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" "
         "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
         "<Default Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"png\" ContentType=\"image/png\"/>"
         "<Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/>"
         "<Override PartName=\"/word/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/>"
         "<Override PartName=\"/word/settings.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml\"/>"
         "<Override PartName=\"/word/odd.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml\"/>"
         "<Override PartName=\"/word/even.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml\"/>"
         "<Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/></Types>";
static const char RELS[] =
    HEAD "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
         "<Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/>"
         "<Relationship Id=\"r2\" Type=\"http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties\" "
         "Target=\"docProps/core.xml\"/></Relationships>";
#define REL_TYPE "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"

static int parts_write(struct docx *d, zip_t *z, struct buf *part) {
    char day[ZB_TIME_CAP], name[60];
    const bool outer = d->p->style.outer_numbers;
    styles(d, &part[0]);
    buf_printf(&part[1], HEAD "<w:settings " NS_W ">%s<w:characterSpacingControl w:val=\"compressPunctuation\"/></w:settings>",
               outer ? "<w:evenAndOddHeaders/>" : "");
    footer(d, &part[2], outer ? "right" : "center");
    footer(d, &part[3], outer ? "left" : "center");
    buf_puts(
        &part[4], HEAD
        "<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
        "xmlns:dcterms=\"http://purl.org/dc/terms/\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>");
    xml(&part[4], d->p->title);
    buf_printf(&part[4],
               "</dc:title><dc:creator>zhiben</dc:creator><dcterms:created xsi:type=\"dcterms:W3CDTF\">%sT00:00:00Z</dcterms:created></cp:coreProperties>",
               zb_day_text(d->p->day, day));
    buf_puts(&part[5], HEAD "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
                            "<Relationship Id=\"rSty\" Type=\"" REL_TYPE "styles\" Target=\"styles.xml\"/><Relationship Id=\"rSet\" Type=\"" REL_TYPE
                            "settings\" Target=\"settings.xml\"/>"
                            "<Relationship Id=\"rOdd\" Type=\"" REL_TYPE "footer\" Target=\"odd.xml\"/><Relationship Id=\"rEven\" Type=\"" REL_TYPE
                            "footer\" Target=\"even.xml\"/>");
    buf_put(&part[5], d->rels.p, d->rels.n);
    buf_puts(&part[5], "</Relationships>");
    static const char *const NAME[] = {"word/styles.xml", "word/settings.xml", "word/odd.xml",
                                       "word/even.xml",   "docProps/core.xml", "word/_rels/document.xml.rels"};
    bool good = put(z, "[Content_Types].xml", (struct str){TYPES, sizeof TYPES - 1}) && put(z, "_rels/.rels", (struct str){RELS, sizeof RELS - 1}) &&
                put(z, "word/document.xml", buf_str(&d->body));
    for (int i = 0; i < 6; i++) good = good && !part[i].over && put(z, NAME[i], buf_str(&part[i]));
    for (int i = 0; i < d->images && good; i++) {
        snprintf(name, sizeof name, "word/media/chart%d.png", i + 1);
        good = put(z, name, buf_str(&d->png[i]));
    }
    return good ? ZB_OK : ZB_E_IO;
}

static int zipped(struct docx *d, struct buf *out, struct zb_err *e) {
    zip_error_t ze;
    struct buf part[6];
    for (int i = 0; i < 6; i++) buf_init(&part[i], (size_t)4 << 20);
    zip_error_init(&ze);
    zip_source_t *src = zip_source_buffer_create(NULL, 0, 0, &ze);
    zip_t *z = src ? zip_open_from_source(src, ZIP_TRUNCATE, &ze) : NULL;
    int rc = z ? parts_write(d, z, part) : ZB_E_IO;
    if (z) zip_source_keep(src);
    if (z && rc == ZB_OK && zip_close(z) != 0) rc = ZB_E_IO;
    if (z && rc != ZB_OK) zip_discard(z);
    if (rc == ZB_OK && zip_source_open(src) == 0) {
        char piece[65536];
        zip_int64_t n;
        while ((n = zip_source_read(src, piece, sizeof piece)) > 0) buf_put(out, piece, (size_t)n);
        if (n < 0) rc = ZB_E_IO;
        zip_source_close(src);
    }
    if (src) zip_source_free(src);
    for (int i = 0; i < 6; i++) buf_done(&part[i]);
    return rc == ZB_OK ? ZB_OK : zb_fail(e, rc, "the DOCX cannot be written: %s", zip_error_strerror(&ze));
}

int docx_write(const struct paper *p, struct buf *out, struct zb_err *e) {
    struct docx d = {.p = p, .width = p->style.width - p->style.left - p->style.right};
    buf_init(&d.body, (size_t)256 << 20);
    buf_init(&d.rels, 64 << 10);
    buf_puts(
        &d.body, HEAD
        "<w:document " NS_W " xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" "
        "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><w:body>");
    int rc = blocks(&d, e);
    section(&d);
    buf_puts(&d.body, "</w:body></w:document>");
    if (rc == ZB_OK && d.body.over) rc = zb_fail(e, ZB_E_LIMIT, "the DOCX is larger than 256 MiB unpacked: ask for less");
    if (rc == ZB_OK) rc = zipped(&d, out, e);
    for (int i = 0; i < d.images; i++) buf_done(&d.png[i]);
    buf_done(&d.rels);
    buf_done(&d.body);
    return rc;
}
