/* Tasks × areas: one read of prove_area, folded in memory. */
#include "prove/look.h"
#include <stdio.h>
#include <stdlib.h>

struct cell {
    enum light light;
    int at; /* the worst indicator */
    int n[LIGHTS_N];
    char zh[160], en[160];
};
struct wall {
    struct look *l;
    const char *area[140];
    int areas, tasks;
    struct cell *cell; /* [task * areas + area] */
};

static bool shown_on(const char *code, const char *of) {
    if (!strcmp(code, of)) return true;
    bool city = !strcmp(code + 4, "00");
    if (!strcmp(of + 2, "0000")) return city;
    return !strcmp(of + 4, "00") && !city && !strncmp(code, of, 4);
}

/* Which tasks an indicator speaks for: once a task, however many of its requirements name it. */
static void fold(struct wall *w, int i, int k, enum light light, struct str zh, struct str en) {
    const struct policy *p = w->l->p;
    int at = 0;
    for (int g = 0; g < p->areas; g++)
        for (int t = 0; t < p->area[g].tasks; t++, at++) {
            bool any = false, strive = true;
            for (int q = 0; q < p->area[g].task[t].requirements; q++) {
                const struct plan_requirement *r = &p->area[g].task[t].requirement[q];
                if (!word_in(r->indicators, str_of(p->indicator[i].id))) continue;
                any = true;
                strive &= r->strive;
            }
            if (!any) continue;
            enum light s = light == LIGHT_RED && strive ? LIGHT_AMBER : light;
            struct cell *c = &w->cell[at * w->areas + k];
            c->n[s]++;
            if (c->at >= 0 && light_rank(s) <= light_rank(c->light)) continue;
            c->light = s;
            c->at = i;
            str_copy(zh, c->zh, sizeof c->zh);
            str_copy(en, c->en, sizeof c->en);
        }
}

static int wall_read(struct wall *w, struct zb_err *e) {
    const struct policy *p = w->l->p;
    for (int k = 0; k < w->areas; k++) {
        ZB_AUTO(stmt_done) struct stmt *q = db_use(w->l->db, "select indicator,light,zh,en from prove_area where area=?1", e);
        if (!q) return e->rc;
        stmt_z(q, 1, w->area[k]);
        int r;
        while ((r = stmt_row(q, e)) == 1) {
            int i = policy_indicator(p, stmt_col_text(q, 0));
            if (i >= 0 && p->indicator[i].reading_of < 0 && look_shows(w->l, &p->indicator[i]))
                fold(w, i, k, (enum light)stmt_col_i64(q, 1), stmt_col_text(q, 2), stmt_col_text(q, 3));
        }
        if (r < 0) return r;
    }
    return ZB_OK;
}

static void cell_json(const struct wall *w, const struct cell *c, const char *area, struct json *j) {
    static const char *const COUNT[LIGHTS_N] = {[LIGHT_RED] = "red", [LIGHT_AMBER] = "amber", [LIGHT_GREEN] = "green", [LIGHT_NO_DATA] = "no_data"};
    json_obj(j);
    json_key(j, "area");
    json_z(j, area);
    json_key(j, "light");
    json_z(j, LIGHT_KEY[c->light]);
    json_key(j, "worst");
    json_z(j, c->at >= 0 ? w->l->p->indicator[c->at].id : NULL);
    json_key(j, "why_zh");
    json_z(j, c->at >= 0 ? c->zh : "凭台账录入证明");
    json_key(j, "why_en");
    json_z(j, c->at >= 0 ? c->en : "proved by what is entered");
    for (int k = 0; k < LIGHTS_N; k++) {
        if (!COUNT[k]) continue;
        json_key(j, COUNT[k]);
        json_i64(j, c->n[k]);
    }
    json_end(j);
}

static void tasks_json(const struct wall *w, struct json *j) {
    const struct policy *p = w->l->p;
    int at = 0;
    json_key(j, "tasks");
    json_arr(j);
    for (int g = 0; g < p->areas; g++)
        for (int t = 0; t < p->area[g].tasks; t++, at++) {
            const struct plan_task *task = &p->area[g].task[t];
            json_obj(j);
            const char *const K[] = {"id", "zh", "en", "plan_area", "lead"}, *const V[] = {task->id, task->name.zh, task->name.en, p->area[g].key, task->lead};
            json_texts(j, 5, K, V);
            json_key(j, "cells");
            json_arr(j);
            for (int k = 0; k < w->areas; k++) cell_json(w, &w->cell[at * w->areas + k], w->area[k], j);
            json_arr_end(j);
            json_end(j);
        }
    json_arr_end(j);
}

int view_wallmap(struct look *l, struct json *j, struct zb_err *e) {
    struct wall w = {.l = l};
    l->wall = true;
    for (int i = 0; i < l->p->regions && w.areas < 140; i++)
        if (shown_on(l->p->region[i].code, l->area)) w.area[w.areas++] = l->p->region[i].code;
    for (int g = 0; g < l->p->areas; g++) w.tasks += l->p->area[g].tasks;
    w.cell = xcalloc((size_t)(w.tasks * w.areas) + 1, sizeof *w.cell);
    for (int i = 0; i < w.tasks * w.areas; i++) w.cell[i] = (struct cell){.light = LIGHT_NO_CASE, .at = -1};
    int rc = wall_read(&w, e);
    if (rc == ZB_OK) {
        char full[120];
        rc = keep_state(l->db, "full", full, sizeof full, e);
        json_obj(j);
        json_key(j, "area");
        json_z(j, l->area);
        json_key(j, "now");
        json_time(j, l->now);
        json_key(j, "day");
        json_z(j, strlen(full) > 65 ? full + 65 : NULL); /* the day all of it was last asked anew */
        json_key(j, "areas");
        json_arr(j);
        for (int k = 0; k < w.areas; k++) {
            json_obj(j);
            json_key(j, "code");
            json_z(j, w.area[k]);
            json_key(j, "name");
            json_z(j, look_name(l, w.area[k]));
            json_end(j);
        }
        json_arr_end(j);
        tasks_json(&w, j);
        json_end(j);
    }
    free(w.cell);
    return rc;
}
