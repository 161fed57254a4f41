/* Records on SQLite and on PostgreSQL, the same cases: tables from definitions, every cell of every workflow, clocks over restarts, planted failures, migration. */
#include "../alarm_table.h"
#include "../pg.h"
#include "../test.h"
#include "ledger/inside.h"

static struct policy *p;
static struct db *db;
static char url[400];
static bool postgres;
static const struct actor HEAD = {.id = 1, .user = "head", .role = "head", .area = "14"},
                          INSP = {.id = 2, .user = "insp", .role = "inspector", .area = "140214"},
                          SAFE = {.id = 3, .user = "safe", .role = "safety_manager", .area = "140214900001"},
                          ISSUER = {.id = 5, .user = "issuer", .role = "issuer", .area = "14"};

static void alarm_table(void) { /* what the view of L22 reads */
    OK(db_exec(db, ALARM_TABLE, &err));
}
static void open_db(void) {
    OK(db_open(url, DB_WRITE, &db, &err));
    OK(audit_init(db, &err));
    alarm_table();
    OK(ledger_migrate(db, p, 0, &err));
}
static struct lcall call(const struct actor *a, const char *ledger, zb_time now, struct arena *arena) {
    return (struct lcall){.db = db, .policy = p, .actor = a, .l = &p->ledger[policy_ledger(p, str_of(ledger))], .now = now, .arena = arena, .dir = "/tmp"};
}
static int64_t change(const struct actor *a, const char *ledger, int64_t id, const char *act, const char *values, zb_time now, int *rc) {
    struct arena *ar = arena_new(16 << 20);
    struct lcall c = call(a, ledger, now, ar);
    struct record r = {0};
    json_error_t je;
    bool done;
    if (id) {
        struct lcall all = c;
        all.actor = NULL;
        OK(record_load(&all, id, false, &r, &err));
    }
    struct lchange ch = {.id = id, .rev = r.rev, .act = act, .values = json_loads(values, 0, &je), .at = ZB_TIME_NONE, .password_ok = true, .why = STR("test")};
    assert_non_null(ch.values);
    int got = ledger_change(&c, &ch, &id, &done, &err);
    if (rc)
        *rc = got;
    else if (got != ZB_OK)
        fail_msg("%s %s: %s", ledger, act ? act : "new", err.msg);
    json_decref(ch.values);
    arena_free(ar);
    return id;
}
static int64_t count(const char *sql) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, &err);
    assert_non_null(q);
    int r = stmt_row(q, &err);
    if (r != 1) fail_msg("%s: %s", sql, err.msg);
    return stmt_col_i64(q, 0);
}
static zb_time T;
static int64_t site;
static int setup(void **st) {
    (void)st;
    if (!p) OK(policy_load(getenv("POLICY"), &p, &err));
    if (postgres)
        snprintf(url, sizeof url, "%s", pg_fresh());
    else
        snprintf(url, sizeof url, "%s/l.db", scratch());
    T = at("2026-06-10 08:00:00");
    open_db();
    if (!count("select count(*) from l_site"))
        site = change(&HEAD, "site", 0, NULL,
                      "{\"code\":\"140214900001\",\"name\":\"示范一矿\",\"kind\":\"coal_ug\",\"county\":\"140214\",\"sup_level\":\"province\"}", T, NULL);
    return 0;
}
static int teardown(void **st) {
    (void)st;
    db_close(db);
    return 0;
}
static int64_t hazard(zb_time now, const char *text) {
    char v[500];
    snprintf(v, sizeof v,
             "{\"site\":%lld,\"place\":\"1101\",\"criterion\":\"COAL-2020-02.02\",\"source\":\"county\",\"found_on\":\"2026-06-10\",\"text\":\"%s\"}",
             (long long)site, text);
    return change(&INSP, "major_hazard", 0, NULL, v, now, NULL);
}

static char *shown(int64_t id, zb_time known) {
    static char out[64 << 10];
    struct buf b;
    struct json j;
    struct lcall c = {.db = db, .policy = p, .actor = &INSP, .l = &p->ledger[policy_ledger(p, STR("major_hazard"))], .now = T, .arena = arena_new(1 << 20)};
    buf_init(&b, 1 << 20);
    json_init(&j, &b);
    OK(ledger_show(&c, id, ZB_TIME_NONE, known, &j, &err));
    snprintf(out, sizeof out, "%.*s", (int)b.n, b.p);
    buf_done(&b);
    arena_free(c.arena);
    return out;
}
static int64_t refused_if(int64_t id, const char *values, zb_time now, const char *refusal) {
    int rc;
    id = change(&INSP, "major_hazard", id, NULL, values, now, refusal ? &rc : NULL);
    if (refusal && (rc != ZB_E_INPUT || !strstr(err.msg, refusal))) fail_msg("%s: %d %s", values, rc, err.msg);
    return id;
}
static int64_t found(const char *criterion, const char *day, const char *at_site, zb_time now, const char *refusal) {
    char v[500];
    snprintf(v, sizeof v, "{\"site\":%s,\"place\":\"1102\",\"criterion\":\"%s\",\"source\":\"county\",\"found_on\":\"%s\",\"text\":\"瓦斯超限\"}", at_site,
             criterion, day);
    return refused_if(0, v, now, refusal);
}
/* The day a hazard was found says which edition judges it, whenever it is entered; and a record shows which it was. */
static void judged_by_the_edition_of_the_day(void **st) {
    (void)st;
    zb_time later = at("2026-07-20 08:00:00");
    char mine[24], pit[24], v[200];
    snprintf(mine, sizeof mine, "%lld", (long long)site);
    int64_t june = found("COAL-2020-02.02", "2026-06-15", mine, later, NULL);
    int64_t july = found("COAL-2026-02.01", "2026-07-02", mine, later, NULL);
    assert_non_null(strstr(shown(june, ZB_TIME_NONE), "应急管理部令第4号，2020"));
    assert_non_null(strstr(shown(july, ZB_TIME_NONE), "应急管理部令第21号，2026）第五条第（一）项"));
    found("COAL-2026-02.01", "2026-06-15", mine, later, "2026-06-15应按《煤矿重大事故隐患判定标准（应急管理部令第4号，2020）》判定");
    found("COAL-2020-02.02", "2026-07-02", mine, later, "2026-07-02应按《煤矿重大事故隐患判定标准（应急管理部令第21号，2026）》判定");
    found("COAL-2020-02.02", "2026-06-30", mine, later, NULL); /* its last day, and the first of the next */
    found("COAL-2026-02.01", "2026-07-01", mine, later, NULL);
    found("COAL-2020-02.02", "2020-12-31", mine, later, "which is to be loaded");
    /* moving the day over the border judges anew; touching another field does not */
    refused_if(june, "{\"found_on\":\"2026-07-03\"}", later, "2026-07-03应按");
    refused_if(june, "{\"place\":\"1103\"}", at("2027-01-10 08:00:00"), NULL);
    assert_non_null(strstr(shown(june, ZB_TIME_NONE), "应急管理部令第4号，2020"));
    /* what it is for: a pond's criterion is none of a coal mine's, and the item of open pits none of an underground one's */
    found("TSF-2022-08", "2026-07-02", mine, later, "which is not for coal_ug");
    found("COAL-2026-12.03", "2026-07-02", mine, later, "which is not for coal_ug");
    snprintf(v, sizeof v, "{\"code\":\"140214900077\",\"name\":\"示范露天矿\",\"kind\":\"coal_open\",\"county\":\"140214\",\"sup_level\":\"province\"}");
    snprintf(pit, sizeof pit, "%lld", (long long)change(&HEAD, "site", 0, NULL, v, later, NULL));
    found("COAL-2026-12.03", "2026-07-02", pit, later, NULL);
}

/* Lists and tables of the policy stand beside the ledgers for SQL; two editions of one criterion have one root. */
static void law_for_sql(void **st) {
    (void)st;
    assert_int_equal(count("select count(*) from p_list where list='major_hazard_criteria' and edition='coal_2020'"), 80);
    assert_int_equal(count("select count(*) from p_edition where loaded=0 and edition='coal_2015'"), 1);
    assert_int_equal(count("select count(distinct root) from p_list where item in ('COAL-2020-02.02','COAL-2026-02.01')"), 1);
    /* the stricter of two rules until the official table is seen: 250 (10 000 t a year), severe disasters: 600 and 500 */
    assert_int_equal(count("select min(people) from p_head_count_shift where severe=1 and over<250 and coalesce(upto,1e9)>=250"), 500);
    assert_int_equal(count("select min(people) from p_head_count_shift where severe=1 and over<400 and coalesce(upto,1e9)>=400"), 800);
    assert_int_equal(count("select count(*) from p_warning_levels"), 0);
    OK(ledger_migrate(db, p, 0, &err)); /* taken over once more */
    assert_int_equal(count("select count(*) from p_training_hours where initial_h=48 and yearly_h=16"), 2);
}

/* Every state, act and role of every ledger: the server's verdict is what the definition says. */
static void every_cell(void **st) {
    (void)st;
    int cells = 0, allowed = 0;
    for (int l = 0; l < p->ledgers; l++)
        for (int a = 0; a < p->ledger[l].acts; a++)
            for (int s = 0; s < p->ledger[l].states; s++)
                for (int r = 0; r < p->roles; r++)
                    for (int level = 2; level <= 12; level += level == 6 ? 6 : 2)
                        for (int did = 0; did < 2; did++) {
                            const struct ledger *x = &p->ledger[l];
                            const struct ledger_act *k = &x->act[a];
                            char by[64] = "";
                            struct str first = str_cut(str_of(k->not_by), ' ', &(struct str){0});
                            if (did) snprintf(by, sizeof by, "%.*s:me other:you ", (int)first.n, first.p);
                            struct rectify_facts f = {.state = s, .role = p->role[r].key, .user = "me", .level = level, .sup_level = 4, .done_by = by};
                            bool want =
                                (k->from >> s & 1) && word_in(k->roles, str_of(p->role[r].key)) && !(k->supervisor && level > 4) && !(did && k->not_by[0]);
                            enum verdict v = rectify_may(x, k, &f);
                            if ((v == ALLOWED) != want) fail_msg("%s.%s in %s by %s at %d", x->key, k->key, x->state[s].key, p->role[r].key, level);
                            char zh[200], en[240];
                            rectify_why(x, k, v, &f, zh, en);
                            assert_int_equal(v == ALLOWED, !zh[0]);
                            cells++;
                            allowed += v == ALLOWED;
                        }
    assert_true(cells > 10000 && allowed > 300);
}

/* And in the database: an act from a state it does not leave is refused and changes nothing. */
static void wrong_state(void **st) {
    (void)st;
    int64_t id = hazard(T, "状态");
    for (int a = 0; a < p->ledger[policy_ledger(p, STR("L10"))].acts; a++) {
        const struct ledger_act *k = &p->ledger[policy_ledger(p, STR("L10"))].act[a];
        int rc;
        if (k->from & 1) continue;
        change(&HEAD, "major_hazard", id, k->key, "{}", T, &rc);
        assert_true(rc == ZB_E_CONFLICT || rc == ZB_E_DENIED);
    }
    assert_int_equal(count("select count(*) from h_major_hazard h join l_major_hazard r on r.id=h.id where r.text='状态'"), 1);
}

static void to_rectifying(int64_t id, zb_time now, const char *deadline) {
    char v[400];
    change(&INSP, "major_hazard", id, "withdraw", "{\"stop_scope\":\"全矿\",\"withdraw_at\":\"2026-06-10 07:00:00\"}", now, NULL);
    snprintf(v, sizeof v, "{\"resp_person\":\"张\",\"measures\":\"加风\",\"fund_plan\":0.1,\"deadline\":\"%s\",\"emergency_plan\":\"有\"}", deadline);
    change(&SAFE, "major_hazard", id, "register", v, now, NULL);
}

static int told;
static int tell(void *arg, struct db *d, const struct lnotice *n, zb_time now, struct zb_err *e) {
    (void)arg, (void)d, (void)now, (void)e;
    assert_true(n->zh[0] && n->dedup[0]);
    told++;
    return ZB_OK;
}
static int tick(zb_time now) {
    int did;
    OK(db_clock(db, now, &err));
    OK(ledger_clocks(db, p, "/tmp", now, 1000, tell, NULL, &did, &err));
    return did;
}

/* A late hazard climbs to a drafted letter; each step once, also over restarts and when the deadline moves; the first due date stays. */
static void ladder(void **st) {
    (void)st;
    int64_t id = hazard(T, "超期");
    to_rectifying(id, T, "2026-06-20");
    char sql[200];
    snprintf(sql, sizeof sql, "select count(*) from l_measure where hazard=%lld and kind='E02'", (long long)id);
    for (zb_time t = T; t < T + 9 * ZB_DAY; t += 6 * ZB_HOUR) tick(t);
    assert_int_equal(count(sql), 0);
    int before = told;
    assert_int_equal(tick(T + 9 * ZB_DAY), 0);
    assert_int_equal(told, before);
    db_close(db);
    open_db();
    for (zb_time t = T + 9 * ZB_DAY; t < T + 13 * ZB_DAY; t += 6 * ZB_HOUR) tick(t);
    assert_int_equal(count(sql), 1);
    db_close(db);
    open_db();
    for (zb_time t = T + 13 * ZB_DAY; t < T + 20 * ZB_DAY; t += ZB_DAY) tick(t);
    assert_int_equal(count(sql), 1);
    for (zb_time t = T + 20 * ZB_DAY; t < T + 75 * ZB_DAY; t += ZB_DAY) tick(t);
    assert_int_equal(count(sql), 1);
    static const char *const RUNG[] = {"E04", "E05", "E06"}; /* 15, 30, 60 days late: each rung once */
    for (int i = 0; i < 3; i++) {
        snprintf(sql, sizeof sql, "select count(*) from l_measure where hazard=%lld and kind='%s' and state='drafted'", (long long)id, RUNG[i]);
        assert_int_equal(count(sql), 1);
    }
    change(&HEAD, "major_hazard", id, "extend", "{\"deadline\":\"2026-09-01\"}", T + 75 * ZB_DAY, NULL);
    snprintf(sql, sizeof sql, "select first_due from ledger_clock where ledger='major_hazard' and rec=%lld and clock='deadline'", (long long)id);
    zb_time first = count(sql);
    assert_int_equal(zb_day_of(first), zb_day_of(at("2026-06-20 12:00:00")));
    snprintf(sql, sizeof sql, "select due from ledger_clock where ledger='major_hazard' and rec=%lld and clock='deadline'", (long long)id);
    assert_int_equal(zb_day_of(count(sql)), zb_day_of(at("2026-09-01 12:00:00")));
}

/* The same kind again within 12 months: a review is proposed, once, and only then. */
static void repeat(void **st) {
    (void)st;
    int64_t before = count("select count(*) from l_measure where kind='review'");
    OK(db_exec(db, "update l_major_hazard set closed_on=null", &err));
    int64_t a = hazard(T, "第一次");
    tick(T + ZB_HOUR);
    assert_int_equal(count("select count(*) from l_measure where kind='review'"), before);
    char sql[200];
    snprintf(sql, sizeof sql, "update l_major_hazard set closed_on=found_on-10, state='closed' where id=%lld", (long long)a);
    OK(db_exec(db, sql, &err));
    hazard(T + 2 * ZB_HOUR, "第二次");
    tick(T + 4 * ZB_HOUR);
    tick(T + 5 * ZB_HOUR);
    assert_int_equal(count("select count(*) from l_measure where kind='review'"), before + 1);
}

static void working_days(void **st) {
    (void)st;
    struct ledger_clock c = {.field = "", .from_field = "", .work_days = 3};
    zb_time due = rectify_due(p, &c, at("2026-09-30 10:00:00"), ZB_TIME_NONE); /* 国庆 1–7 Oct; 8, 9 work, 10 (a Saturday) is a make-up day */
    char t[ZB_TIME_CAP];
    assert_string_equal(zb_time_text(due, t), "2026-10-10 23:59:59");
    assert_true(policy_work_day(p, zb_day_of(at("2026-02-14 12:00:00"))) && !policy_work_day(p, zb_day_of(at("2026-02-17 12:00:00"))));
}

/* Search by two letters, by one, by words; sums and order. */
static void search(void **st) {
    (void)st;
    hazard(T, "回风巷风筒漏风 CH4 超限");
    static const struct {
        const char *q;
        bool hit;
    } Q[] = {{"风筒", true}, {"筒风", false}, {"漏风", true}, {"漏", true}, {"ch4", true}, {"风筒漏风", true}, {"风筒 超限", true}, {"风筒 水害", false}};
    for (size_t i = 0; i < sizeof Q / sizeof *Q; i++) {
        struct arena *ar = arena_new(16 << 20);
        struct lcall c = call(&INSP, "major_hazard", T, ar);
        ZB_AUTO(buf_done) struct buf b;
        struct json j;
        buf_init(&b, 1 << 20);
        json_init(&j, &b);
        struct lquery q = {.search = str_of(Q[i].q), .sort = STR("-deadline"), .where = STR("state=found;place~110")};
        OK(ledger_list(&c, &q, &j, &err));
        if (!!strstr(b.p, "风筒漏风") != Q[i].hit) fail_msg("%s: %s", Q[i].q, b.p);
        arena_free(ar);
    }
}

/* However long the list: page by page every record comes once; the total is told as far as it was counted. */
static void pages(void **st) {
    (void)st;
    int64_t last = hazard(T, "第一条"), after = 0, seen = 0;
    char sql[800];
    snprintf(
        sql, sizeof sql,
        "insert into l_major_hazard(id,no,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,site,place,criterion,source,found_on,text) "
        "with recursive k(i) as (select 1 union all select i+1 from k where i<12500) "
        "select %lld+i,'P-'||i,1,state,0,area,city,mine,0,'b',0,'b',site,place,criterion,source,found_on,text from k, l_major_hazard where id=%lld",
        (long long)last, (long long)last);
    OK(db_exec(db, sql, &err));
    last += 12501;
    do {
        struct arena *ar = arena_new((size_t)64 << 20);
        struct lcall c = call(&INSP, "major_hazard", T, ar);
        ZB_AUTO(buf_done) struct buf b;
        struct json j;
        json_error_t je;
        buf_init(&b, (size_t)64 << 20);
        json_init(&j, &b);
        OK(ledger_list(&c, &(struct lquery){.after = after, .limit = 2000}, &j, &err));
        json_t *o = json_loadb(b.p, b.n, 0, &je);
        json_t *next = json_object_get(o, "next"), *rec = json_object_get(o, "records");
        assert_true(json_is_true(json_object_get(o, "more_than_total")) && json_integer_value(json_object_get(o, "total")) >= 1000);
        for (size_t i = 0; i < json_array_size(rec); i++, seen++) {
            int64_t id = json_integer_value(json_object_get(json_array_get(rec, i), "id"));
            assert_true(id < last);
            last = id;
        }
        after = json_is_integer(next) ? json_integer_value(next) : 0;
        json_decref(o);
        arena_free(ar);
    } while (after);
    assert_int_equal(seen, 12501);
}

/* The k-th store call fails for every k: all of a change or nothing of it, and the journal verifies. */
static void faults(void **st) {
    (void)st;
    int64_t id = hazard(T, "故障");
    change(&INSP, "major_hazard", id, "withdraw", "{\"stop_scope\":\"全矿\",\"withdraw_at\":\"2026-06-10 07:00:00\"}", T, NULL);
    char sql[300];
    snprintf(sql, sizeof sql,
             "select (select count(*) from h_major_hazard where id=%lld)*1000+(select count(*) from ledger_clock where rec=%lld)*100+(select rev from "
             "l_major_hazard where id=%lld)",
             (long long)id, (long long)id, (long long)id);
    int64_t was = count(sql), journal = count("select count(*) from journal");
    int rc = ZB_E_IO, k = 0;
    while (rc != ZB_OK && k < 500) {
        struct arena *ar = arena_new(16 << 20);
        struct lcall c = call(&SAFE, "major_hazard", T, ar);
        bool done;
        json_error_t je;
        struct lchange ch = {
            .id = id,
            .rev = 2,
            .act = "register",
            .at = ZB_TIME_NONE,
            .values =
                json_loads("{\"resp_person\":\"张\",\"measures\":\"加风\",\"fund_plan\":3,\"deadline\":\"2026-07-01\",\"emergency_plan\":\"有\"}", 0, &je)};
        zb_fault_at = 0;
        zb_fault();
        zb_fault_at = ++k;
        int64_t same = id;
        rc = ledger_change(&c, &ch, &same, &done, &err);
        zb_fault_at = 0;
        zb_fault();
        json_decref(ch.values);
        arena_free(ar);
        if (rc != ZB_OK && (count(sql) != was || count("select count(*) from journal") != journal)) fail_msg("half a change after fault %d", k);
    }
    assert_int_equal(rc, ZB_OK);
    assert_true(k > 20);
    assert_int_equal(count("select count(*) from journal"), journal + 1);
    struct audit_result res;
    OK(audit_verify(db, "/nonexistent", NULL, &res, &err));
    if (res.bad_seq) fail_msg("%s", res.what);
}

/* A policy with one more field and one more member: the filled tables follow; one that would lose something is refused. */
static void migration(void **st) {
    (void)st;
    struct ledger *l = &p->ledger[policy_ledger(p, STR("major_hazard"))], was = *l;
    struct ledger_field *more = calloc((size_t)l->fields + 1, sizeof *more);
    memcpy(more, l->field, (size_t)l->fields * sizeof *more);
    more[l->fields] = (struct ledger_field){.key = "extra",
                                            .zh = "另",
                                            .en = "extra",
                                            .unit = "",
                                            .help_zh = "",
                                            .help_en = "",
                                            .type = LF_NUM,
                                            .to = "",
                                            .to_ledger = -1,
                                            .derive = "",
                                            .also = "",
                                            .at = l->at,
                                            .min = ZB_FIX_NONE,
                                            .max = ZB_FIX_NONE};
    l->field = more;
    l->fields++;
    OK(ledger_migrate(db, p, T, &err));
    int64_t id = hazard(T, "迁移");
    change(&INSP, "major_hazard", id, NULL, "{\"extra\":2.5}", T, NULL);
    assert_int_equal(count("select count(*) from l_major_hazard where extra=2.5"), 1);
    l->fields--; /* the field goes again, but a record holds a value */
    assert_int_equal(ledger_migrate(db, p, T, &err), ZB_E_CONFLICT);
    assert_non_null(strstr(err.msg, "L10_major_hazard.yaml:"));
    l->fields++;
    more[l->fields - 1].type = LF_TEXT;
    more[l->fields - 1].max_bytes = 10;
    assert_int_equal(ledger_migrate(db, p, T, &err), ZB_E_CONFLICT);
    more[l->fields - 1].type = LF_NUM;
    OK(db_exec(db, "update l_major_hazard set extra=null", &err));
    *l = was;
    OK(ledger_migrate(db, p, T, &err));
    to_rectifying(id, T, "2026-07-01");
    l->states = 1; /* states go in which records are */
    assert_int_equal(ledger_migrate(db, p, T, &err), ZB_E_CONFLICT);
    *l = was;
    OK(ledger_migrate(db, p, T, &err));
    free(more);
}

static void licence(void **st) {
    (void)st;
    char v[300];
    snprintf(v, sizeof v,
             "{\"number\":\"N1\",\"kind\":\"safety_licence\",\"site\":%lld,\"id_number\":\"140200199001010011\",\"issued_on\":\"2023-06-30\",\"valid_to\":"
             "\"2026-06-30\"}",
             (long long)site);
    int64_t id = change(&ISSUER, "credential", 0, NULL, v, T, NULL);
    char sql[200];
    snprintf(sql, sizeof sql, "select count(*) from l_credential where id=%lld and state='expired'", (long long)id);
    OK(db_clock(db, at("2026-06-29 12:00:00"), &err));
    for (zb_time t = T; t < at("2026-06-30 23:00:00"); t += ZB_DAY) tick(t);
    assert_int_equal(count(sql), 0);
    OK(db_clock(db, at("2026-07-01 12:00:00"), &err));
    tick(at("2026-07-01 12:00:00"));
    OK(db_clock(db, ZB_TIME_NONE, &err));
    assert_int_equal(count(sql), 1);
}

/* The functions of dates say the same on both databases, also at ends of months and before 1970. */
static void dates(void **st) {
    (void)st;
    static const struct {
        const char *call, *want;
    } CASE[] = {{"zb_date('2024-02-29')", "2024-02-29"},
                {"zb_months(zb_date('2024-01-31'),1)", "2024-02-29"},
                {"zb_months(zb_date('2025-03-31'),-1)", "2025-02-28"},
                {"zb_months(zb_date('2024-02-29'),12)", "2025-02-28"},
                {"zb_months(zb_date('1970-01-15'),-1)", "1969-12-15"},
                {"zb_start('month',zb_date('2024-12-31'),0)", "2024-12-01"},
                {"zb_start('month',zb_date('2024-01-01'),-1)", "2023-12-01"},
                {"zb_start('quarter',zb_date('2024-12-31'),1)", "2025-01-01"},
                {"zb_start('half',zb_date('2024-06-30'),0)", "2024-01-01"},
                {"zb_start('half',zb_date('2024-07-01'),-3)", "2023-01-01"},
                {"zb_start('year',zb_date('2026-07-08'),-1)", "2025-01-01"}};
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        char sql[120], got[ZB_TIME_CAP];
        snprintf(sql, sizeof sql, "select %s", CASE[i].call);
        if (strcmp(zb_day_text((int32_t)count(sql), got), CASE[i].want)) fail_msg("%s: %s, not %s", CASE[i].call, got, CASE[i].want);
    }
    assert_int_equal(count("select case when zb_ym(zb_date('2024-02-29'))='2024-02' and zb_ym(-1)='1969-12' then 1 else 0 end"), 1);
    assert_int_equal(count("select count(*) from (select 1 as x) t where zb_months(null,1) is null and zb_start('year',null,0) is null"), 1);
    OK(db_clock(db, at("2024-12-31 23:59:59"), &err));
    assert_int_equal(count("select zb_today()-zb_date('2024-12-31')"), 0);
    assert_int_equal(count("select zb_now()"), at("2024-12-31 23:59:59"));
    OK(db_clock(db, ZB_TIME_NONE, &err));
    assert_true(count("select zb_today()") > count("select zb_date('2026-01-01')"));
}

static const struct CMUnitTest TESTS[] = {cmocka_unit_test_setup_teardown(judged_by_the_edition_of_the_day, setup, teardown),
                                          cmocka_unit_test_setup_teardown(law_for_sql, setup, teardown),
                                          cmocka_unit_test_setup_teardown(every_cell, setup, teardown),
                                          cmocka_unit_test_setup_teardown(wrong_state, setup, teardown),
                                          cmocka_unit_test_setup_teardown(ladder, setup, teardown),
                                          cmocka_unit_test_setup_teardown(repeat, setup, teardown),
                                          cmocka_unit_test_setup_teardown(working_days, setup, teardown),
                                          cmocka_unit_test_setup_teardown(search, setup, teardown),
                                          cmocka_unit_test_setup_teardown(pages, setup, teardown),
                                          cmocka_unit_test_setup_teardown(faults, setup, teardown),
                                          cmocka_unit_test_setup_teardown(migration, setup, teardown),
                                          cmocka_unit_test_setup_teardown(licence, setup, teardown),
                                          cmocka_unit_test_setup_teardown(dates, setup, teardown)};

int main(void) {
    int bad = ON_BOTH(TESTS, &postgres);
    policy_unref(p);
    return bad;
}
