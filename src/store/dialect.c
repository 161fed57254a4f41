/* The SQLite subset callers write, put into PostgreSQL's words, token by token; what is quoted stays as it is.
 * Translated: ? and ?N; integer, blob, real, `integer primary key`, strict, without rowid, autoincrement; begin immediate; insert or ignore;
 * pragma (nothing is left of it); x'..'; ifnull; a is ?1, a is not b; bare columns in do update; triggers that only raise.
 * Callers avoid: insert or replace (write the upsert), order by a column that may be null without nulls first/last (the two databases differ),
 * like on letters (case), max(a,b) and min(a,b), limit -1, a number where a truth is asked, an int parameter where text is stored or the
 * reverse, substr(x, ?1) with a bound number (cast(?1 as int) it), group by with other bare columns, glob, rowid, json, attach, likewise
 * explicit ids in a table that else numbers its rows itself. */
#include "store/inside.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum tok { T_END, T_WORD, T_QUOTED, T_TEXT, T_BLOB, T_DOLLAR, T_PARAM, T_SIGN };
struct token {
    enum tok kind;
    bool space; /* there was one before */
    struct str s;
};

struct tr {
    struct token *t;
    int n, i; /* tokens, the next one; t[n] is T_END */
    struct buf *out;
    int depth, param;
    /* of the statement */
    bool table, ignore, update, set;
    int into, cols, cols_end; /* insert: tokens of the table's name and the column list */
};

static void put(struct tr *x, const char *z) { buf_put(x->out, z, strlen(z)); }
static void put_str(struct tr *x, struct str s) { buf_put(x->out, s.p, s.n); }
static const struct token *at(const struct tr *x, int i) { return &x->t[i < 0 || i > x->n ? x->n : i]; }
static bool is(const struct token *t, const char *z) {
    return (t->kind == T_WORD || t->kind == T_SIGN) && strlen(z) == t->s.n && strncasecmp(t->s.p, z, t->s.n) == 0;
}
static bool same(const struct token *a, const struct token *b) { return a->s.n == b->s.n && strncasecmp(a->s.p, b->s.p, a->s.n) == 0; }
static bool words(const struct tr *x, int i, const char *const *w) {
    for (; *w; i++, w++)
        if (!is(at(x, i), *w)) return false;
    return true;
}
#define WORDS(i, ...) words(x, i, (const char *const[]){__VA_ARGS__, NULL})

/* ---- tokens ---- */
static bool letter(char c) { return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80; }

static const char *quoted_end(const char *p, char q) { /* behind the closing quote; the end of the text when there is none */
    for (p++; *p; p++) {
        if (*p != q) continue;
        if (p[1] != q) return p + 1;
        p++;
    }
    return p;
}

static const char *blanks_end(const char *p) {
    for (;;) {
        if (isspace((unsigned char)*p)) {
            p++;
        } else if (p[0] == '-' && p[1] == '-') {
            while (*p && *p != '\n') p++;
        } else if (p[0] == '/' && p[1] == '*') {
            const char *z = strstr(p + 2, "*/");
            p = z ? z + 2 : p + strlen(p);
        } else {
            return p;
        }
    }
}

static const char *dollar_end(const char *p, enum tok *kind) { /* $1, or $tag$..$tag$ */
    const char *z = p + 1;
    while (letter(*z)) z++;
    if (*z != '$') {
        *kind = z > p + 1 ? T_PARAM : T_SIGN;
        return z;
    }
    *kind = T_DOLLAR;
    char tag[64];
    snprintf(tag, sizeof tag, "%.*s", (int)(z + 1 - p), p);
    const char *last = strstr(z + 1, tag);
    return last ? last + strlen(tag) : z + strlen(z);
}

static const char *token_end(const char *p, enum tok *kind) {
    const char *z = p + 1;
    if (*p == '\'' || *p == '"') {
        *kind = *p == '"' ? T_QUOTED : T_TEXT;
        return quoted_end(p, *p);
    }
    if ((*p == 'x' || *p == 'X') && p[1] == '\'') {
        *kind = T_BLOB;
        return quoted_end(p + 1, '\'');
    }
    if (*p == '$') return dollar_end(p, kind);
    if (*p == '?') {
        *kind = T_PARAM;
        while (isdigit((unsigned char)*z)) z++;
        return z;
    }
    *kind = letter(*p) ? T_WORD : T_SIGN;
    if (*kind == T_WORD)
        while (letter(*z)) z++;
    return z;
}

static void tokens(struct tr *x, const char *sql) {
    int cap = 0;
    for (const char *p = sql;;) {
        const char *start = p;
        p = blanks_end(p);
        if (x->n + 1 >= cap) x->t = xrealloc(x->t, (size_t)(cap = cap ? 2 * cap : 64) * sizeof *x->t);
        struct token *t = &x->t[x->n];
        *t = (struct token){T_END, p > start, {p, 0}};
        if (!*p) return;
        const char *end = token_end(p, &t->kind);
        t->s.n = (size_t)(end - p);
        p = end;
        x->n++;
    }
}

/* ---- pieces of a statement ---- */
static int param(struct tr *x, const struct token *t, struct zb_err *e) {
    int64_t n = x->param + 1;
    if (t->s.n > 1 && !num_i64((struct str){t->s.p + 1, t->s.n - 1}, 1, 999, &n)) return zb_fail(e, ZB_E_INPUT, "parameter " STR_FMT " is none", STR_ARG(t->s));
    if (n > x->param) x->param = (int)n;
    char z[24];
    snprintf(z, sizeof z, PG_MARK "%d" PG_MARK, (int)n);
    put(x, z);
    return ZB_OK;
}

static void blob(struct tr *x, const struct token *t) { /* x'0a' */
    put(x, "'\\x");
    put_str(x, (struct str){t->s.p + 2, t->s.n - 3});
    put(x, "'::bytea");
}

/* Words that are replaced wherever they stand. */
static const char *other_word(const struct tr *x, const struct token *t) {
    static const char *const PAIR[][2] = {{"integer", "bigint"}, {"blob", "bytea"}, {"real", "double precision"}, {"ifnull", "coalesce"}};
    if (x->i > 0 && is(at(x, x->i - 1), ".")) return NULL;
    for (size_t i = 0; i < sizeof PAIR / sizeof *PAIR; i++)
        if (is(t, PAIR[i][0])) return PAIR[i][1];
    return NULL;
}

/* What stands only in `create table`: how many tokens it took, 0: it was something else. */
static int table_piece(struct tr *x) {
    int i = x->i;
    if (x->depth == 0 && (is(at(x, i), "strict") || is(at(x, i), ","))) return 1;
    if (x->depth == 0 && WORDS(i, "without", "rowid")) return 2;
    if (is(at(x, i), "autoincrement")) return 1;
    if (WORDS(i, "integer", "primary", "key") || WORDS(i, "int", "primary", "key")) {
        put(x, " bigint generated by default as identity primary key");
        return 3;
    }
    if (x->depth > 0 && is(at(x, i), "int")) {
        put(x, " bigint");
        return 1;
    }
    return 0;
}

/* `a is ?1`, `a is not b`: equal or both null. */
static int is_piece(struct tr *x) {
    static const char *const KNOWN[] = {"null", "true", "false", "unknown", "distinct", "document", "of", "json", "normalized"};
    bool not_ = is(at(x, x->i + 1), "not");
    const struct token *t = at(x, x->i + 1 + not_);
    if (!is(at(x, x->i), "is") || t->kind == T_END) return 0;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (is(t, KNOWN[i])) return 0;
    put(x, not_ ? " is distinct from" : " is not distinct from");
    return 1 + not_;
}

/* In `do update` a bare column could be the row's or excluded's: PostgreSQL wants it said. */
static void qualify(struct tr *x, const struct token *t) {
    if (!x->update || t->kind == T_SIGN || !x->cols) return;
    const struct token *before = at(x, x->i - 1), *after = at(x, x->i + 1);
    bool target = x->set && x->depth == 0 && is(after, "=") && (is(before, "set") || is(before, ","));
    if (target || is(before, ".") || is(after, ".") || is(after, "(")) return;
    for (int i = x->cols; i < x->cols_end; i++)
        if (same(at(x, i), t)) {
            put_str(x, at(x, x->into)->s);
            put(x, ".");
            return;
        }
}

static void insert_learn(struct tr *x, int i) { /* i: behind `into` */
    x->into = i;
    if (is(at(x, i + 1), ".")) x->into = i += 2;
    if (!is(at(x, i + 1), "(")) return;
    x->cols = i + 2;
    for (x->cols_end = x->cols; x->cols_end < x->n && !is(at(x, x->cols_end), ")"); x->cols_end++) {}
}

static void follow(struct tr *x, const struct token *t) {
    if (is(t, "(")) x->depth++;
    if (is(t, ")")) x->depth--;
    if (is(t, "select")) x->update = false; /* its names are its own */
    if (x->depth || !x->into) return;
    if (is(t, "update") && is(at(x, x->i - 1), "do")) x->update = x->set = true;
    if (is(t, "where")) x->set = false;
    if (is(t, "returning")) x->update = false;
}

static int piece(struct tr *x, struct zb_err *e) {
    const struct token *t = at(x, x->i);
    if (t->space && x->out->n) put(x, " ");
    int took = x->table ? table_piece(x) : 0;
    if (!took) took = is_piece(x);
    if (took) {
        x->i += took;
        return ZB_OK;
    }
    follow(x, t);
    if (x->ignore && x->depth == 0 && is(t, "returning")) {
        put(x, "on conflict do nothing ");
        x->ignore = false;
    }
    const char *other = t->kind == T_WORD ? other_word(x, t) : NULL;
    int rc = ZB_OK;
    if (t->kind == T_PARAM)
        rc = param(x, t, e);
    else if (t->kind == T_BLOB)
        blob(x, t);
    else if (other)
        put(x, other);
    else {
        if (t->kind == T_WORD || t->kind == T_QUOTED) qualify(x, t);
        put_str(x, t->s);
    }
    x->i++;
    return rc;
}

/* @0 @1 … of a fixed text stand for tokens. */
static void fill(struct tr *x, const char *text, const struct token *const *t) {
    for (; *text; text++) {
        if (*text == '@')
            put_str(x, t[*++text - '0']->s);
        else
            buf_putc(x->out, *text);
    }
}

/* create trigger NAME before delete|update|insert on TABLE begin select raise(abort, 'WHY'); end */
static int trigger(struct tr *x, struct zb_err *e) {
    int i = x->i;
    const struct token *part[] = {at(x, i + 2), at(x, i + 4), at(x, i + 6), at(x, i + 13)}; /* name, event, table, why */
    bool known = is(at(x, i + 3), "before") && (is(part[1], "delete") || is(part[1], "update") || is(part[1], "insert")) && is(at(x, i + 5), "on") &&
                 WORDS(i + 7, "begin", "select", "raise", "(", "abort", ",") && part[3]->kind == T_TEXT && WORDS(i + 14, ")", ";", "end");
    if (!known) return zb_fail(e, ZB_E_INPUT, "of triggers only one that raises is the same in both databases: ask db_kind and write it twice");
    fill(x,
         "create or replace function @0_raise() returns trigger language plpgsql as $zb$ begin raise exception using errcode='23000', message=@3; end $zb$;"
         " create trigger @0 before @1 on @2 for each row execute function @0_raise()",
         part);
    if (is(part[1], "delete")) fill(x, "; create trigger @0_all before truncate on @2 for each statement execute function @0_raise()", part);
    x->i = i + 17;
    return ZB_OK;
}

/* ---- statements ---- */
/* The first words: what they change, or why they cannot be. */
static int head(struct tr *x, bool *drop, struct zb_err *e) {
    int i = x->i;
    x->depth = 0;
    x->table = x->ignore = x->update = x->set = false;
    x->into = x->cols = x->cols_end = 0;
    *drop = is(at(x, i), "pragma");
    if (WORDS(i, "insert", "or", "ignore", "into")) {
        put(x, " insert into");
        x->ignore = true;
        x->i = i + 4;
        insert_learn(x, x->i);
    } else if (WORDS(i, "insert", "or") || WORDS(i, "update", "or") || WORDS(i, "replace", "into")) {
        return zb_fail(e, ZB_E_INPUT, "\"or replace\" is SQLite's alone: write insert … on conflict(…) do update set …");
    } else if (WORDS(i, "insert", "into")) {
        insert_learn(x, i + 2);
    } else if (is(at(x, i), "begin")) {
        put(x, " begin");
        x->i = i + 1;
        if (is(at(x, x->i), "immediate") || is(at(x, x->i), "exclusive") || is(at(x, x->i), "deferred")) x->i++;
    } else if (WORDS(i, "create", "trigger") && !is(at(x, i + 7), "for")) {
        return trigger(x, e);
    }
    x->table = (WORDS(i, "create", "table") && !is(at(x, i + 3), "as")) || (WORDS(i, "create", "temp", "table") && !is(at(x, i + 4), "as"));
    return ZB_OK;
}

static int statement(struct tr *x, int *count, struct zb_err *e) {
    size_t before = x->out->n;
    bool drop;
    if (before) put(x, "; ");
    if (head(x, &drop, e) != ZB_OK) return e->rc;
    int rc = ZB_OK, first = x->i;
    while (rc == ZB_OK && at(x, x->i)->kind != T_END && !is(at(x, x->i), ";")) {
        if (drop)
            x->i++;
        else
            rc = piece(x, e);
    }
    if (x->ignore) put(x, " on conflict do nothing");
    bool empty = drop || (x->i == first && x->out->n <= before + 2);
    if (empty && x->out->p) {
        x->out->n = before;
        x->out->p[before] = '\0';
    }
    *count += !empty;
    if (is(at(x, x->i), ";")) x->i++;
    return rc;
}

int pg_translate(const char *sql, struct buf *out, struct pg_text *ret, struct zb_err *e) {
    struct tr x = {.out = out};
    struct zb_err mine;
    *ret = (struct pg_text){0};
    tokens(&x, sql);
    int rc = ZB_OK;
    while (rc == ZB_OK && at(&x, x.i)->kind != T_END) rc = statement(&x, &ret->statements, &mine);
    ret->params = x.param;
    free(x.t);
    if (rc != ZB_OK) return zb_fail(e, rc, "%s: %s", mine.msg, sql);
    return out->over ? zb_fail(e, ZB_E_LIMIT, "a statement is too long") : ZB_OK;
}
