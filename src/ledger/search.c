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

/* A run of wide letters from `from`, `letters` long. Asked for, the pairs must follow one another; one letter alone is the beginning of a pair. */
static void run_put(struct buf *out, const char *from, size_t letters, enum bigram_use use) {
    bool ask = use != STORE;
    if (use == ASK_FTS5) buf_putc(out, '"');
    for (size_t k = 0; k < letters; k++) {
        bool last = k + 1 == letters;
        if (ask && last && letters > 1) break;
        if (k) buf_puts(out, use == ASK_TSQUERY ? "<->" : " ");
        buf_put(out, from + 3 * k, last ? 3 : 6);
    }
    if (use == ASK_FTS5) buf_puts(out, letters == 1 ? "\"*" : "\"");
    if (use == ASK_TSQUERY && letters == 1) buf_puts(out, ":*");
}

void bigrams(struct buf *out, struct str s, enum bigram_use use) {
    const char *sep = "", *between = use == ASK_TSQUERY ? "&" : " ";
    for (size_t i = 0; i < s.n;) {
        int n = letter(s, i);
        if (n == 1 && isalnum((unsigned char)s.p[i])) {
            buf_puts(out, sep);
            if (use == ASK_FTS5) buf_putc(out, '"');
            while (i < s.n && (isalnum((unsigned char)s.p[i]))) buf_putc(out, (char)tolower((unsigned char)s.p[i++]));
            if (use == ASK_FTS5) buf_putc(out, '"');
            sep = between;
        } else if (n == 3 && i + 3 <= s.n && wide(s, i)) {
            size_t from = i;
            while (i < s.n && letter(s, i) == 3 && i + 3 <= s.n && wide(s, i)) i += 3;
            buf_puts(out, sep);
            run_put(out, s.p + from, (i - from) / 3, use);
            sep = between;
        } else {
            i += (size_t)n;
        }
    }
}

int search_put(struct lcall *c, const struct record *r, struct zb_err *e) {
    if (!c->l->search[0]) return ZB_OK;
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    bigrams(&b, str_of(r->no), STORE);
    struct str rest = str_of(c->l->search);
    while (rest.p && rest.n) {
        int i = lfield_find(c->l->field, c->l->fields, str_cut(rest, ' ', &rest));
        if (i < 0 || r->v[i].null || c->l->field[i].type == LF_SEALED) continue;
        buf_putc(&b, '\n');
        bigrams(&b, value_text(c, &c->l->field[i], &r->v[i]), STORE);
    }
    char sql[200];
    snprintf(sql, sizeof sql, "delete from f_%s where rowid=?1", c->l->key);
    struct stmt *q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, r->id);
    int rc = stmt_run(q, e);
    stmt_done(&q);
    if (rc != ZB_OK) return rc;
    snprintf(sql, sizeof sql, "insert into f_%s(rowid,body) values(?1,%s)", c->l->key, db_kind(c->db) == DB_POSTGRES ? "to_tsvector('simple',?2)" : "?2");
    q = db_once(c->db, sql, e);
    if (!q) return e->rc;
    stmt_i64(q, 1, r->id);
    stmt_text(q, 2, buf_str(&b));
    rc = stmt_run(q, e);
    stmt_done(&q);
    return rc;
}
