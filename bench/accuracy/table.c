#include "accuracy.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

enum { COLS_MAX = 200 };
#define TABLE_MAX ((size_t)1 << 30)

static int file_whole(const char *path, struct buf *out, struct zb_err *e) {
    gzFile f = gzopen(path, "rb"); /* plain files come through as they are */
    if (!f) return zb_fail(e, ZB_E_INPUT, "%s: %s", path, strerror(errno));
    char part[1 << 16];
    int n;
    while ((n = gzread(f, part, sizeof part)) > 0) buf_put(out, part, (size_t)n);
    gzclose(f);
    if (n < 0) return zb_fail(e, ZB_E_INPUT, "%s: cannot be read to its end", path);
    return out->over ? zb_fail(e, ZB_E_LIMIT, "%s: larger than %zu MiB", path, TABLE_MAX >> 20) : ZB_OK;
}

static struct str unquote(struct str s) {
    s = str_trim(s);
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0]) s = (struct str){s.p + 1, s.n - 2};
    return s;
}

/* Cells of a line; a separator within double quotes is text. */
static int cells_cut(struct str line, char sep, struct str *cell, int max) {
    int n = 0;
    size_t from = 0;
    bool quoted = false;
    for (size_t i = 0; i <= line.n; i++) {
        if (i < line.n && line.p[i] == '"') quoted = !quoted;
        if (i < line.n && (line.p[i] != sep || quoted)) continue;
        if (n < max) cell[n] = unquote((struct str){line.p + from, i - from});
        n++;
        from = i + 1;
    }
    return n;
}

static struct str line_next(struct str *rest) {
    struct str line = str_cut(*rest, '\n', rest);
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    return line;
}

static bool starts(struct str s, const char *word) { return s.n >= strlen(word) && !strncasecmp(s.p, word, strlen(word)); }

/* The head: names of the columns; *rest is left at the first row. 0: not a table. */
static int head_read(struct str *rest, char *sep, struct str *name) {
    if (rest->n >= 3 && !memcmp(rest->p, "\xEF\xBB\xBF", 3)) *rest = (struct str){rest->p + 3, rest->n - 3};
    struct str probe = *rest, line = line_next(&probe);
    if (!starts(line, "@") && !starts(line, "%")) {
        *sep = memchr(line.p, '\t', line.n) ? '\t' : ',';
        *rest = probe;
        int n = cells_cut(line, *sep, name, COLS_MAX);
        return n <= COLS_MAX ? n : 0;
    }
    int n = 0;
    *sep = ',';
    while (rest->p && rest->n) {
        line = str_trim(line_next(rest));
        if (starts(line, "@data")) return n;
        if (!starts(line, "@attribute")) continue;
        struct str word = str_trim((struct str){line.p + 10, line.n - 10});
        size_t end = 0;
        char quote = word.n && (word.p[0] == '\'' || word.p[0] == '"') ? word.p[0] : ' ';
        for (end = quote == ' ' ? 0 : 1; end < word.n && word.p[end] != quote && !(quote == ' ' && word.p[end] == '\t'); end++) {}
        if (n == COLS_MAX) return 0;
        name[n++] = unquote((struct str){word.p, quote == ' ' ? end : end + 1});
    }
    return 0;
}

static bool has_all(const struct str *name, int n, const char *columns) {
    struct str rest = str_of(columns);
    while (rest.p) {
        struct str want = str_cut(rest, '|', &rest);
        bool found = false;
        for (int i = 0; i < n; i++) found |= str_eq(name[i], want);
        if (!found) return false;
    }
    return true;
}

/* Adds the rows of one file; columns keep the order of the first file taken. */
static int rows_add(struct table *t, struct buf *cells, struct str rest, char sep, const struct str *name, int cols, const char *path, struct zb_err *e) {
    struct str cell[COLS_MAX];
    int at[COLS_MAX];
    if (!t->cols) {
        t->name = arena_alloc(t->arena, (size_t)cols * sizeof *t->name);
        if (!t->name) return zb_fail(e, ZB_E_LIMIT, "%s: too large", path);
        memcpy(t->name, name, (size_t)cols * sizeof *name);
        t->cols = cols;
    }
    for (int c = 0; c < t->cols; c++) {
        at[c] = -1;
        for (int i = 0; i < cols; i++)
            if (str_eq(name[i], t->name[c])) at[c] = i;
    }
    for (int no = 1; rest.p && rest.n; no++) {
        struct str line = line_next(&rest);
        if (!str_trim(line).n || line.p[0] == '%') continue;
        int n = cells_cut(line, sep, cell, COLS_MAX);
        if (n != cols) return zb_fail(e, ZB_E_INPUT, "%s: data row %d has %d cells, the head names %d columns", path, no, n, cols);
        for (int c = 0; c < t->cols; c++) {
            struct str s = at[c] >= 0 ? cell[at[c]] : STR("");
            buf_put(cells, &s, sizeof s);
        }
        t->rows++;
    }
    return ZB_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }
static int is_table(const struct dirent *d) {
    static const char *const END[] = {".csv", ".arff", ".tsv", ".txt", ".csv.gz", ".arff.gz", ".tsv.gz", ".txt.gz"};
    size_t n = strlen(d->d_name);
    for (size_t i = 0; i < sizeof END / sizeof *END; i++)
        if (n > strlen(END[i]) && !strcmp(d->d_name + n - strlen(END[i]), END[i])) return 1;
    return 0;
}

static int file_add(struct table *t, struct buf *cells, const char *path, const char *columns, struct zb_err *e) {
    struct buf b;
    buf_init(&b, TABLE_MAX);
    int rc = file_whole(path, &b, e);
    char *kept = rc == ZB_OK ? arena_str(t->arena, buf_str(&b)) : NULL;
    if (rc == ZB_OK && !kept) rc = zb_fail(e, ZB_E_LIMIT, "%s: too large", path);
    struct str rest = {kept, b.n}, name[COLS_MAX];
    char sep = ',';
    int cols = rc == ZB_OK ? head_read(&rest, &sep, name) : 0;
    if (cols > 0 && has_all(name, cols, columns)) rc = rows_add(t, cells, rest, sep, name, cols, path, e);
    buf_done(&b);
    return rc;
}

int table_load(const char *dir, const char *columns, struct table *ret, struct zb_err *e) {
    struct dirent **list = NULL;
    struct stat st;
    bool one = stat(dir, &st) == 0 && S_ISREG(st.st_mode);
    int n = one ? 0 : scandir(dir, &list, is_table, by_name), rc = ZB_OK;
    if (n < 0) return zb_fail(e, ZB_E_INPUT, "cannot read folder %s: %s", dir, strerror(errno));
    struct table t = {.arena = arena_new(TABLE_MAX)};
    struct buf cells;
    buf_init(&cells, TABLE_MAX);
    if (one) rc = file_add(&t, &cells, dir, columns, e);
    for (int i = 0; i < n; i++) {
        char path[800];
        snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
        if (rc == ZB_OK) rc = file_add(&t, &cells, path, columns, e);
        free(list[i]);
    }
    free(list);
    if (rc == ZB_OK && !t.rows) rc = zb_fail(e, ZB_E_INPUT, "%s: no table with rows and the columns %s (looked at %d files)", dir, columns, n);
    if (rc == ZB_OK && (cells.over || !(t.cell = arena_alloc(t.arena, cells.n)))) rc = zb_fail(e, ZB_E_LIMIT, "%s: too many cells", dir);
    if (rc == ZB_OK) memcpy(t.cell, cells.p, cells.n);
    buf_done(&cells);
    if (rc != ZB_OK)
        table_done(&t);
    else
        *ret = t;
    return rc;
}

void table_done(struct table *t) { arena_drop(&t->arena); }

int table_col(const struct table *t, const char *name) {
    for (int i = 0; i < t->cols; i++)
        if (str_is(t->name[i], name)) return i;
    return -1;
}

struct str table_text(const struct table *t, int row, const char *name) {
    int c = table_col(t, name);
    return c < 0 ? STR("") : t->cell[(size_t)row * (size_t)t->cols + (size_t)c];
}

int table_num(const struct table *t, int row, const char *name, double *ret, struct zb_err *e) {
    struct str s = table_text(t, row, name);
    *ret = NAN;
    if (!s.n || str_is(s, "?") || num_double(s, ret)) return ZB_OK;
    return zb_fail(e, ZB_E_INPUT, "data row %d, column %s: \"" STR_FMT "\" is not a number", row + 1, name, STR_ARG(s));
}

int table_nums(const struct table *t, const char *name, double *ret, struct zb_err *e) {
    for (int i = 0; i < t->rows; i++)
        if (table_num(t, i, name, &ret[i], e) != ZB_OK) return e->rc;
    return ZB_OK;
}

int split_load(const struct accuracy *a, const char *columns, struct split *ret, struct zb_err *e) {
    struct table data;
    if (table_load(a->data, columns, &data, e) != ZB_OK) return e->rc;
    if (a->train) {
        *ret = (struct split){.test = data};
        int rc = table_load(a->train, columns, &ret->train, e);
        if (rc != ZB_OK) table_done(&ret->test);
        return rc;
    }
    int cut = (int)((int64_t)data.rows * 7 / 10);
    *ret = (struct split){.train = data, .test = data, .joined = true};
    ret->train.rows = cut;
    ret->test.rows -= cut;
    ret->test.cell += (size_t)cut * (size_t)data.cols;
    return ZB_OK;
}

void split_done(struct split *s) {
    table_done(&s->train);
    if (!s->joined) table_done(&s->test);
}

void put_split(const struct accuracy *a, struct json *out) {
    json_key(out, "fitted_on");
    json_z(out, a->train ? "--train" : "first 70 % of --data");
}
