/* Full text for Chinese: what is stored and what is asked for are cut alike, into pairs of neighbouring letters (瓦斯超限 → 瓦斯 斯超 超限 and the last letter alone),
 * words of letters and digits stay whole. The library's trigram tokenizer finds nothing for two letters. */
#include "ledger/inside.h"
#include <ctype.h>
#include <stdio.h>

static int letter(struct str s, size_t at) { /* bytes of the letter at `at` */
    unsigned char c = (unsigned char)s.p[at];
    int n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return at + (size_t)n <= s.n ? n : 1;
}

static bool wide(struct str s, size_t at) { /* a letter of a script written without blanks; marks such as 。，（ are not letters */
    unsigned char c = (unsigned char)s.p[at];
    return c >= 0xe4 && c <= 0xef && !(c == 0xef && (unsigned char)s.p[at + 1] >= 0xbc);
}

void bigrams(struct buf *out, struct str s, bool query) {
    const char *sep = "";
    for (size_t i = 0; i < s.n;) {
        int n = letter(s, i);
        if (n == 1 && isalnum((unsigned char)s.p[i])) {
            buf_puts(out, sep);
            if (query) buf_putc(out, '"');
            while (i < s.n && (isalnum((unsigned char)s.p[i]))) buf_putc(out, (char)tolower((unsigned char)s.p[i++]));
            if (query) buf_putc(out, '"');
            sep = " ";
        } else if (n == 3 && i + 3 <= s.n && wide(s, i)) {
            size_t from = i;
            while (i < s.n && letter(s, i) == 3 && i + 3 <= s.n && wide(s, i)) i += 3;
            size_t letters = (i - from) / 3;
            buf_puts(out, sep);
            if (query) buf_putc(out, '"');
            for (size_t k = 0; k < letters; k++) {
                bool last = k + 1 == letters;
                if (query && last && letters > 1) break;
                if (k) buf_putc(out, ' ');
                buf_put(out, s.p + from + 3 * k, last ? 3 : 6);
            }
            if (query) buf_puts(out, letters == 1 ? "\"*" : "\"");
            sep = " ";
        } else {
            i += (size_t)n;
        }
    }
}

int search_put(struct lcall *c, const struct record *r, struct zb_err *e) {
    if (!c->l->search[0]) return ZB_OK;
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    bigrams(&b, str_of(r->no), false);
    struct str rest = str_of(c->l->search);
    while (rest.p && rest.n) {
        int i = lfield_find(c->l->field, c->l->fields, str_cut(rest, ' ', &rest));
        if (i < 0 || r->v[i].null || c->l->field[i].type == LF_SEALED) continue;
        buf_putc(&b, '\n');
        bigrams(&b, value_text(c, &c->l->field[i], &r->v[i]), false);
    }
    char sql[200];
    snprintf(sql, sizeof sql, "delete from f_%s where rowid=?1", c->l->key);
    struct stmt *q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, r->id);
    int rc = stmt_run(q, e);
    stmt_done(&q);
    if (rc != ZB_OK) return rc;
    snprintf(sql, sizeof sql, "insert into f_%s(rowid,body) values(?1,?2)", c->l->key);
    q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, r->id);
    stmt_text(q, 2, buf_str(&b));
    rc = stmt_run(q, e);
    stmt_done(&q);
    return rc;
}
