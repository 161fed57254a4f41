/* Who is below: read from the last people files of the mine as they came (人员实时 RYSS, 基本信息 RYXX, 区域 RYQY), decoded when asked.
 * Each RYSS is the whole truth at its time: rows with flag 1 are underground. */
#include "base/map.h"
#include "op/fns.h"
#include "sense/sense.h"
#include <stdlib.h>

struct file {
    struct batch b;
    bool ok;
};

static int file_load(struct op_call *c, const char *mine, const char *type, struct arena *a, struct file *ret, struct zb_err *e) {
    ret->ok = false;
    ZB_AUTO(stmt_done) struct stmt *q = db_use(c->db, "select bytes, file, received from latest where mine=? and type=?", e);
    if (!q) return e->rc;
    stmt_z(q, 1, mine);
    stmt_z(q, 2, type);
    int r = stmt_row(q, e);
    if (r != 1) return r < 0 ? r : ZB_OK;
    struct str blob = stmt_col_blob(q, 0);
    char *copy = arena_str(a, blob), *name = arena_str(a, stmt_col_text(q, 1));
    if (!copy || !name) return zb_fail(e, ZB_E_LIMIT, "people files of mine %s are too large", mine);
    bool truncated;
    struct zb_err why;
    ret->ok = batch_decode(c->policy, str_of(name), str_of(mine), (struct str){copy, blob.n}, stmt_col_time(q, 2), a, &ret->b, &truncated, &why) == ZB_OK;
    return ZB_OK;
}

static struct str field(const struct batch *b, const struct record *r, const char *name) {
    int i = format_field(&b->format->body, name);
    return i < 0 ? (struct str){"", 0} : r->cell[i];
}

int below_count(struct op_call *c, const char *mine, zb_time *t) {
    ZB_AUTO(arena_drop) struct arena *a = arena_new((size_t)64 << 20);
    struct file f;
    struct zb_err e;
    if (file_load(c, mine, "RYSS", a, &f, &e) != ZB_OK || !f.ok) return -1;
    int n = 0;
    for (int i = 0; i < f.b.n; i++) n += str_is(field(&f.b, &f.b.rec[i], "flag"), "1");
    if (t) *t = f.b.time;
    return n;
}

static struct map index_by(const struct file *f, const char *key) {
    struct map m = {0};
    for (int i = 0; f->ok && i < f->b.n; i++) {
        struct str k = field(&f->b, &f->b.rec[i], key);
        if (k.n) map_set(&m, k, &f->b.rec[i]);
    }
    return m;
}

static void time_field(struct json *j, const char *key, struct str s) {
    zb_time t;
    json_key(j, key);
    json_time(j, zb_time_parse(s, &t) ? t : ZB_TIME_NONE);
}

static void person_json(struct json *j, const struct file *now, const struct file *master, const struct file *areas, const struct map *cards,
                        const struct map *places, const struct record *r) {
    const struct record *who = map_get(cards, field(&now->b, r, "card"));
    const struct record *area = map_get(places, field(&now->b, r, "area"));
    struct str name = field(&now->b, r, "name");
    json_obj(j);
    json_key(j, "name");
    json_str(j, name.n || !who ? name : field(&master->b, who, "name"));
    json_key(j, "trade");
    json_str(j, who ? field(&master->b, who, "trade") : STR(""));
    json_key(j, "area");
    json_str(j, field(&now->b, r, "area"));
    json_key(j, "area_name");
    json_str(j, area ? field(&areas->b, area, "name") : STR(""));
    json_key(j, "reader");
    json_str(j, field(&now->b, r, "reader"));
    time_field(j, "entered", field(&now->b, r, "in_time"));
    time_field(j, "last_seen", field(&now->b, r, "reader_in"));
    json_key(j, "leader");
    json_bool(j, str_is(field(&now->b, r, "leader"), "1"));
    json_end(j);
}

struct region_of {
    char region[8];
    bool found;
};
static int take_region(void *arg, const struct mine_view *v) {
    struct region_of *r = arg;
    str_copy(str_of(v->region), r->region, sizeof r->region);
    r->found = true;
    return 1;
}

int op_people(struct op_call *c, struct zb_err *e) {
    char mine[24];
    struct region_of where = {0};
    str_copy(op_text(c, "mine"), mine, sizeof mine);
    engine_mines(c->en, str_of(mine), take_region, &where);
    if (!where.found || !sees(c, where.region, mine)) return zb_fail(e, ZB_E_ABSENT, "no mine %s here, or not in your area", mine);
    ZB_AUTO(arena_drop) struct arena *a = arena_new((size_t)64 << 20);
    struct file now, master, areas;
    if (file_load(c, mine, "RYSS", a, &now, e) != ZB_OK || file_load(c, mine, "RYXX", a, &master, e) != ZB_OK ||
        file_load(c, mine, "RYQY", a, &areas, e) != ZB_OK)
        return e->rc;
    struct map cards = index_by(&master, "card"), places = index_by(&areas, "area");
    struct json *j = c->out;
    int n = 0;
    json_obj(j);
    json_key(j, "t");
    json_time(j, now.ok ? now.b.time : ZB_TIME_NONE);
    json_key(j, "people");
    json_arr(j);
    for (int i = 0; now.ok && i < now.b.n; i++) {
        if (!str_is(field(&now.b, &now.b.rec[i], "flag"), "1")) continue;
        person_json(j, &now, &master, &areas, &cards, &places, &now.b.rec[i]);
        n++;
    }
    json_arr_end(j);
    json_key(j, "count");
    json_i64(j, n);
    json_end(j);
    map_done(&cards);
    map_done(&places);
    return ZB_OK;
}
