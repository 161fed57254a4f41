#include "policy/coverage.h"
#include "base/json.h"
#include "policy/tree.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

struct proof { /* what the fixtures say of one id */
    const char *id;
    char on[80], off[80], unknown[80]; /* "rules/hazards.yaml:12"; "" none */
    const char *why;                   /* NULL: no hole, or told already */
};
struct cover {
    const struct policy *p;
    struct arena *a;
    struct proof *proof;
    int proofs, cap;
    const struct proof **hole;
    int holes, hole_cap;
    bool json;
    struct buf *out;
    struct json j;
};

static struct proof *proof_of(struct cover *c, struct str id) {
    for (int i = 0; i < c->proofs; i++)
        if (str_is(id, c->proof[i].id)) return &c->proof[i];
    if (c->proofs == c->cap) return NULL;
    struct proof *f = &c->proof[c->proofs++];
    *f = (struct proof){.id = arena_str(c->a, id)};
    return f;
}

static bool starts(const char *name, const char *word) {
    size_t n = strlen(word);
    return !strncmp(name, word, n) && (!name[n] || name[n] == ' ');
}

/* A case "on" is one that expects hits, a case "off" one that expects none; an indicator is on when it is met, off when it is missed, and there is a case for
 * what it says when nothing is known. */
static void case_take(struct proof *f, const struct node *one, const char *file) {
    const struct node *expect = node_get(one, "expect");
    bool hits = expect && expect->kind == NODE_SEQ && expect->n > 0;
    char *to = starts(one->key, "green") || (starts(one->key, "on") && hits)   ? f->on
               : starts(one->key, "red") || (starts(one->key, "off") && !hits) ? f->off
               : starts(one->key, "no_data")                                   ? f->unknown
                                                                               : NULL;
    if (to && !to[0]) snprintf(to, sizeof f->on, "%s:%d", file, one->line);
}

static int yaml_only(const struct dirent *d) {
    size_t n = strlen(d->d_name);
    return n > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 5, ".yaml");
}

static int file_take(struct cover *c, const char *dir, const char *name, struct zb_err *e) {
    char path[900];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f) return zb_fail(e, ZB_E_INPUT, "cannot read %s", path);
    char *bytes = xmalloc((size_t)4 << 20);
    size_t n = fread(bytes, 1, (size_t)4 << 20, f);
    fclose(f);
    struct reader r = {c->a, arena_str(c->a, str_of(path)), e, false};
    struct node *root;
    char *kept = arena_str(c->a, (struct str){bytes, n});
    free(bytes);
    if (!kept) return zb_fail(e, ZB_E_LIMIT, "%s is too large", path);
    if (tree_parse(&r, (struct str){kept, n}, &root) != ZB_OK) return e->rc;
    for (const struct node *s = root->child; s; s = s->next) {
        struct proof *to = s->kind == NODE_MAP ? proof_of(c, str_of(s->key)) : NULL;
        for (const struct node *one = to ? s->child : NULL; one; one = one->next) case_take(to, one, name);
    }
    return ZB_OK;
}

static int folder_take(struct cover *c, const char *fixtures, const char *folder, struct zb_err *e) {
    char dir[800];
    struct dirent **list;
    snprintf(dir, sizeof dir, "%s/%s", fixtures, folder);
    int n = scandir(dir, &list, yaml_only, alphasort), rc = ZB_OK;
    if (n < 0) return ZB_OK; /* no such folder: no fixtures, which the holes will say */
    for (int i = 0; i < n; i++) {
        char name[300];
        snprintf(name, sizeof name, "%.40s/%.200s", folder, list[i]->d_name);
        if (rc == ZB_OK) rc = file_take(c, fixtures, name, e);
        free(list[i]);
    }
    free(list);
    return rc;
}

/* Why an id does not count, NULL when it does. */
static const char *lack(struct cover *c, struct str id, bool indicator, struct proof **ret) {
    *ret = proof_of(c, id);
    if (!*ret) return "too many ids";
    int at = indicator ? policy_indicator(c->p, id) : -1;
    if (indicator ? at < 0 : !policy_rule(c->p, id)) return indicator ? "the policy has no such indicator" : "the policy has no such rule or insight";
    if (!(*ret)->on[0] && !(*ret)->off[0]) return "no fixture turns it on and off";
    if (!(*ret)->on[0] || !(*ret)->off[0]) return !(*ret)->on[0] ? "no fixture turns it on" : "no fixture turns it off";
    return indicator && !(*ret)->unknown[0] ? "no fixture shows it without data" : NULL;
}

static void hole_add(struct cover *c, struct proof *f, const char *why) { /* once an id */
    if (!why || !f || f->why || c->holes == c->hole_cap) return;
    f->why = why;
    c->hole[c->holes++] = f;
}

/* Whatever the policy holds needs its fixtures, also what no requirement names: readings beside a default, parts of a mean. */
static void rest_check(struct cover *c) {
    struct proof *f;
    for (int i = 0; i < c->p->indicators; i++) {
        const char *why = lack(c, str_of(c->p->indicator[i].id), true, &f);
        hole_add(c, f, why);
    }
    for (int i = 0; i < c->p->rules; i++) {
        const char *why = lack(c, str_of(c->p->rule[i]->id), false, &f);
        hole_add(c, f, why);
    }
}

/* The ids of words with what holds them; true: all count. */
static bool ids_write(struct cover *c, const char *name, const char *words, bool indicator) {
    bool good = true;
    struct str rest = str_of(words);
    if (c->json) {
        json_key(&c->j, name);
        json_arr(&c->j);
    }
    while (rest.p && rest.n) {
        struct proof *f;
        struct str w = str_cut(rest, ' ', &rest);
        if (!w.n) continue;
        const char *why = lack(c, w, indicator, &f);
        good &= !why;
        hole_add(c, f, why);
        if (!c->json) {
            buf_printf(c->out, "  " STR_FMT " %s", STR_ARG(w), why ? "✗" : "✓");
            if (!why && f->on[0]) buf_printf(c->out, " (%s, %s)", f->on, f->off);
            continue;
        }
        json_obj(&c->j);
        json_key(&c->j, "id");
        json_str(&c->j, w);
        json_key(&c->j, "on");
        json_z(&c->j, f ? f->on : "");
        json_key(&c->j, "off");
        json_z(&c->j, f ? f->off : "");
        json_key(&c->j, "lacks");
        json_z(&c->j, why ? why : "");
        json_end(&c->j);
    }
    if (c->json) json_arr_end(&c->j);
    return good;
}

/* One object a line. */
static void line_end(struct cover *c) {
    if (c->json) json_end(&c->j);
    buf_puts(c->out, "\n");
    json_init(&c->j, c->out);
}

static bool requirement_write(struct cover *c, const struct plan_area *area, const struct plan_task *task, const struct plan_requirement *q) {
    char day[ZB_TIME_CAP] = "";
    if (q->due != PLAN_DAY_NONE) zb_day_text(q->due, day);
    if (c->json) {
        const char *const K[] = {"id", "area", "task", "zh", "en", "test", "due", "basis", "after_end", "ledgers"}, *const V[] = {q->id,
                                                                                                                                  area->key,
                                                                                                                                  task->id,
                                                                                                                                  q->name.zh,
                                                                                                                                  q->name.en,
                                                                                                                                  PLAN_TEST_KEY[q->test],
                                                                                                                                  day,
                                                                                                                                  PLAN_BASIS_KEY[q->basis],
                                                                                                                                  PLAN_AFTER_KEY[q->after],
                                                                                                                                  q->ledgers};
        json_obj(&c->j);
        json_texts(&c->j, 10, K, V);
        json_key(&c->j, "entry");
        json_bool(&c->j, q->entry);
    } else {
        buf_printf(c->out, "%s %s [%s%s%s]\n   %s |", q->id, q->name.zh, PLAN_TEST_KEY[q->test], day[0] ? " " : "", day, q->ledgers);
    }
    bool good = ids_write(c, "indicators", q->indicators, true);
    if (!c->json) buf_puts(c->out, q->entry ? " | 以台账登记为证 proof by entry" : " |");
    good &= ids_write(c, "rules", q->rules, false);
    line_end(c);
    return good;
}

static void holes_write(struct cover *c, int n, int entry, int covered) {
    if (!c->json) {
        buf_printf(c->out, "\n%d requirements, %d covered, %d proved by entry; %d holes\n", n, covered, entry, c->holes);
        for (int i = 0; i < c->holes; i++) buf_printf(c->out, "  %s: %s\n", c->hole[i]->id, c->hole[i]->why);
        return;
    }
    const char *const K[] = {"requirements", "entry", "covered"};
    const int V[] = {n, entry, covered};
    json_obj(&c->j);
    for (int i = 0; i < 3; i++) {
        json_key(&c->j, K[i]);
        json_i64(&c->j, V[i]);
    }
    json_key(&c->j, "holes");
    json_arr(&c->j);
    for (int i = 0; i < c->holes; i++) {
        json_obj(&c->j);
        json_key(&c->j, "id");
        json_z(&c->j, c->hole[i]->id);
        json_key(&c->j, "why");
        json_z(&c->j, c->hole[i]->why);
        json_end(&c->j);
    }
    json_arr_end(&c->j);
    line_end(c);
}

int coverage_write(const struct policy *p, const char *fixtures, bool json, struct buf *out, int *holes, struct zb_err *e) {
    static const char *const FOLDER[] = {"rules", "insights", "indicators", "stream"};
    struct cover c = {.p = p, .a = arena_new((size_t)128 << 20), .json = json, .out = out, .cap = 4000, .hole_cap = 4000};
    c.proof = xcalloc((size_t)c.cap, sizeof *c.proof);
    c.hole = xcalloc((size_t)c.hole_cap, sizeof *c.hole);
    json_init(&c.j, out);
    int rc = ZB_OK, n = 0, entry = 0, covered = 0;
    for (int i = 0; i < 4 && fixtures && rc == ZB_OK; i++) rc = folder_take(&c, fixtures, FOLDER[i], e);
    for (int g = 0; g < p->plan.goals && rc == ZB_OK; g++) {
        const struct plan_goal *x = &p->plan.goal[g];
        if (json) {
            json_obj(&c.j);
            json_key(&c.j, "goal");
            json_z(&c.j, x->id);
            json_key(&c.j, "zh");
            json_z(&c.j, x->name.zh);
        } else {
            buf_printf(out, "%s %s |", x->id, x->name.zh);
        }
        ids_write(&c, "indicators", x->indicators, true);
        line_end(&c);
    }
    for (int a = 0; a < p->areas && rc == ZB_OK; a++)
        for (int t = 0; t < p->area[a].tasks; t++)
            for (int i = 0; i < p->area[a].task[t].requirements; i++) {
                const struct plan_requirement *q = &p->area[a].task[t].requirement[i];
                n++;
                entry += q->entry;
                covered += requirement_write(&c, &p->area[a], &p->area[a].task[t], q);
            }
    rest_check(&c);
    if (rc == ZB_OK) holes_write(&c, n, entry, covered);
    *holes = c.holes;
    if (rc == ZB_OK && out->over) rc = zb_fail(e, ZB_E_LIMIT, "the coverage does not fit its buffer");
    free(c.proof);
    free(c.hole);
    arena_free(c.a);
    return rc;
}
