#include "detect/clue.h"
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

void clues_done(struct clues *l) {
    free(l->c);
    *l = (struct clues){0};
}

struct clue *clue_new(struct clues *l, const struct policy *p, enum detector_id d, struct str mine, struct str subject, zb_time from, zb_time to) {
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->c = xrealloc(l->c, (size_t)l->cap * sizeof *l->c);
    }
    struct clue *c = &l->c[l->n++];
    const struct detector *w = &p->detect.who[d];
    *c = (struct clue){.version = w->version, .from = from, .to = to, .grade = w->grade, .chance = NAN, .shadow = w->shadow};
    str_copy(mine, c->mine, sizeof c->mine);
    str_copy(subject, c->subject, sizeof c->subject);
    str_copy(str_of(w->rule), c->rule, sizeof c->rule);
    str_copy(str_of(w->key), c->detector, sizeof c->detector);
    str_copy(str_of(w->criterion), c->criterion, sizeof c->criterion);
    return c;
}

struct clue_factor *clue_factor(struct clue *c, const char *zh, const char *en, const char *unit, double seen, double expected) {
    static struct clue_factor spare; /* more factors than a reader takes in are dropped */
    struct clue_factor *f = c->factors < CLUE_FACTORS ? &c->factor[c->factors++] : &spare;
    *f = (struct clue_factor){.seen = seen, .expected = expected};
    str_copy(str_of(zh), f->zh, sizeof f->zh);
    str_copy(str_of(en), f->en, sizeof f->en);
    str_copy(str_of(unit), f->unit, sizeof f->unit);
    return f;
}

void clue_innocent(struct clue *c, const char *zh, const char *en, enum looked looked) {
    if (c->innocents == CLUE_INNOCENT) return;
    struct clue_innocent *i = &c->innocent[c->innocents++];
    str_copy(str_of(zh), i->zh, sizeof i->zh);
    str_copy(str_of(en), i->en, sizeof i->en);
    i->looked = looked;
}

void clue_seal(struct clue *c) {
    static const double BY_GRADE[] = {0, 0.3, 0.6, 0.9};
    unsigned char h[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char line[240];
    int len = snprintf(line, sizeof line, "%s|%s|%s|%s|%lld", c->mine, c->rule, c->detector, c->subject, (long long)c->from);
    if (EVP_Digest(line, (size_t)len, h, &n, EVP_sha256(), NULL) != 1) ZB_BUG("SHA-256 is not available");
    for (int i = 0; i < CLUE_ID_CAP / 2; i++) snprintf(c->id + 2 * i, 3, "%02x", h[i]);
    c->score = isnan(c->chance) ? BY_GRADE[c->grade] : 1 - pow(c->chance < 1e-12 ? 1e-12 : c->chance, 1.0 / 6);
    for (int i = 0; i < c->innocents; i++)
        if (c->innocent[i].looked == LOOKED_FOUND) c->score /= 2;
}

void clues_renew(struct clues *l, int from) {
    int n = from;
    for (int i = from, k; i < l->n; i++) {
        for (k = 0; k < from && strcmp(l->c[k].id, l->c[i].id); k++) {}
        if (k == from) k = n++;
        if (k != i) l->c[k] = l->c[i];
    }
    l->n = n;
}

static void number(struct json *j, double v) {
    if (!isfinite(v)) {
        json_none(j);
        return;
    }
    char text[40];
    snprintf(text, sizeof text, "%.6g", v);
    json_raw(j, str_of(text));
}

void clue_json(const struct clue *c, const char *policy_hash, struct json *j) {
    static const char *const LOOKED[] = {"not_looked", "absent", "found"};
    json_obj(j);
    json_key(j, "rule"), json_z(j, c->rule);
    json_key(j, "detector"), json_z(j, c->detector);
    json_key(j, "version"), json_i64(j, c->version);
    json_key(j, "policy"), json_z(j, policy_hash);
    json_key(j, "subject"), json_z(j, c->subject);
    json_key(j, "from"), json_time(j, c->from);
    json_key(j, "to"), json_time(j, c->to);
    json_key(j, "grade"), json_i64(j, c->grade);
    json_key(j, "chance"), number(j, c->chance);
    json_key(j, "criterion"), json_z(j, c->criterion);
    json_key(j, "factors"), json_arr(j);
    for (int i = 0; i < c->factors; i++) {
        const struct clue_factor *f = &c->factor[i];
        json_obj(j);
        json_key(j, "zh"), json_z(j, f->zh);
        json_key(j, "en"), json_z(j, f->en);
        json_key(j, "unit"), json_z(j, f->unit);
        json_key(j, "observed"), number(j, f->seen);
        json_key(j, "expected"), number(j, f->expected);
        json_key(j, "how_zh"), json_z(j, f->how_zh);
        json_key(j, "how_en"), json_z(j, f->how_en);
        json_end(j);
    }
    json_arr_end(j);
    json_key(j, "innocent"), json_arr(j);
    for (int i = 0; i < c->innocents; i++) {
        json_obj(j);
        json_key(j, "zh"), json_z(j, c->innocent[i].zh);
        json_key(j, "en"), json_z(j, c->innocent[i].en);
        json_key(j, "looked"), json_z(j, LOOKED[c->innocent[i].looked]);
        json_end(j);
    }
    json_arr_end(j);
    json_key(j, "zh"), json_z(j, c->zh);
    json_key(j, "en"), json_z(j, c->en);
    json_end(j);
}
