/* File names: what the reference writes, and what writers make of it (data-access.md 18, deviations 4 and 19). */
#include "sense/inside.h"
#include <strings.h>

static bool letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool name_letter(char c) { return letter(c) || digit(c) || c == '_' || c == '-' || c == '.' || c == ' ' || c == ':'; }

static bool ext_in(const char *words, struct str w) {
    struct str rest = str_of(words);
    while (rest.p) {
        struct str one = str_cut(rest, ' ', &rest);
        if (one.n == w.n && (!memcmp(one.p, w.p, w.n) || !strncasecmp(one.p, w.p, w.n))) return true;
    }
    return false;
}

static bool length_in(const char *lengths, size_t n) {
    struct str rest = str_of(lengths);
    while (rest.p) {
        int64_t v;
        if (num_i64(str_cut(rest, ' ', &rest), 1, 40, &v) && (size_t)v == n) return true;
    }
    return false;
}

/* A known type at s.p + at, standing free of other letters; the longest. */
static size_t type_at(const struct policy *p, struct str s, size_t at, const struct format *const **ret, int *many) {
    size_t n = at;
    if (at && letter(s.p[at - 1])) return 0;
    while (n < s.n && letter(s.p[n])) n++;
    *many = policy_formats(p, (struct str){s.p + at, n - at}, ret);
    return *many ? n - at : 0;
}

struct look { /* what is found in a name */
    const struct format *const *format;
    int formats;
    struct str mine, stamp;
    size_t from, to; /* of the type */
    bool twice;
};

static void types_find(const struct policy *p, struct str s, struct look *l) {
    for (size_t i = 0; i < s.n;) {
        const struct format *const *f;
        int many;
        size_t n = letter(s.p[i]) ? type_at(p, s, i, &f, &many) : 0;
        if (!n) {
            i++;
            continue;
        }
        l->twice |= l->format && l->format != f;
        l->format = f;
        l->formats = many;
        l->from = i;
        l->to = i += n;
    }
}

/* Codes and stamps in a part of the name without the type. */
static void runs_find(struct str s, struct look *l) {
    for (size_t i = 0; i < s.n;) {
        zb_time t;
        if (s.n - i >= 19 && (i == 0 || !digit(s.p[i - 1])) && zb_time_parse((struct str){s.p + i, 19}, &t)) {
            l->twice |= l->stamp.n > 0;
            l->stamp = (struct str){s.p + i, 19};
            i += 19;
            continue;
        }
        size_t n = i;
        while (n < s.n && (digit(s.p[n]) || (s.p[n] >= 'A' && s.p[n] <= 'Z'))) n++;
        struct str run = {s.p + i, n - i};
        bool digits = true;
        for (size_t k = 0; k < run.n; k++) digits &= digit(run.p[k]);
        if (digits && run.n == 14) {
            l->twice |= l->stamp.n > 0;
            l->stamp = run;
        } else if ((digits && (run.n == 9 || run.n == 11 || run.n == 12 || run.n == 20)) || (run.n == 20 && digit(run.p[0]))) {
            l->twice |= l->mine.n > 0;
            l->mine = run;
        }
        i = n > i ? n : i + 1;
    }
}

int upload_name_parse(const struct policy *p, struct str name, struct str link, struct upload_name *ret, struct zb_err *e) {
    int shown = name.n > 100 ? 100 : (int)name.n;
    const char *text = name.p ? name.p : "";
    struct look l = {0};
    bool odd = !name.n || name.n > 150 || text[0] == '.';
    for (size_t i = 0; i < name.n; i++) odd |= !name_letter(text[i]);
    if (odd) return zb_fail(e, ZB_E_INPUT, "file name \"%.*s\": letters, digits and _ - . only, at most 150", shown, text);
    const char *dot = memrchr(text, '.', name.n);
    struct str stem = dot ? (struct str){text, (size_t)(dot - text)} : name, ext = dot ? (struct str){dot + 1, name.n - stem.n - 1} : STR("-");
    types_find(p, stem, &l);
    if (!l.format) return zb_fail(e, ZB_E_INPUT, "file name \"%.*s\" holds no type this policy knows; write MINE_TYPE_yyyyMMddHHmmss.txt", shown, text);
    runs_find((struct str){stem.p, l.from}, &l);
    runs_find((struct str){stem.p + l.to, stem.n - l.to}, &l);
    if (l.twice) return zb_fail(e, ZB_E_INPUT, "file name \"%.*s\" holds two types, mine codes or times", shown, text);
    if (!l.mine.n) l.mine = link;
    *ret = (struct upload_name){.mine = l.mine, .time = ZB_TIME_NONE};
    if (l.stamp.n && !zb_time_stamp_parse(l.stamp, &ret->time) && !zb_time_parse(l.stamp, &ret->time))
        return zb_fail(e, ZB_E_INPUT, "file name \"%.*s\": " STR_FMT " is no time", shown, text, STR_ARG(l.stamp));
    const struct format *near = l.format[0];
    for (int i = 0; i < l.formats && ret->formats < UPLOAD_FORMATS_MAX; i++) {
        const struct format *f = l.format[i];
        if (!ext_in(f->ext, ext) || !length_in(f->mine_len, l.mine.n)) continue;
        if (!l.stamp.n && (f->syntax == SYNTAX_RECORDS || f->syntax == SYNTAX_CSV)) continue;
        ret->format[ret->formats++] = f;
    }
    if (!ret->formats)
        return zb_fail(e, ZB_E_INPUT, "file name \"%.*s\": a %s file is named MINE_%s_yyyyMMddHHmmss with extension %s and a mine code of %s characters", shown,
                       text, near->type, near->type, near->ext, near->mine_len);
    ret->type = str_of(ret->format[0]->type);
    return ZB_OK;
}
