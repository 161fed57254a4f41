/* The real policy's workflows in a database: every act from every state it leaves, by every role that may; and who sees and may do what, against matrix.txt. */
#include "../alarm_table.h"
#include "../test.h"
#include "ledger/inside.h"
#include <stdlib.h>

#define MINE "140214900001"
#define BODY "91140000MA0TEST00X"
static struct policy *p;
static struct db *db;
static zb_time T;

static bool one_of(const char *role, const char *words) { return word_in(words, str_of(role)); }
static struct actor actor_of(const char *role, const char *user) {
    struct actor a = {.id = 1};
    snprintf(a.role, sizeof a.role, "%s", role);
    snprintf(a.user, sizeof a.user, "%s", user);
    snprintf(a.area, sizeof a.area, "%s",
             policy_role(p, str_of(role))->mine                                             ? MINE
             : one_of(role, "parent contractor training_body third_party institute expert") ? BODY
                                                                                            : "14");
    return a;
}
static void run(const char *fmt, ...) {
    char sql[20000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sql, sizeof sql, fmt, ap);
    va_end(ap);
    if (db_exec(db, sql, &err) != ZB_OK) fail_msg("%s: %s", sql, err.msg);
}

/* A plain value of a field: every reference points at the one record of its ledger, every text is "u1", the first member of every list. */
static void plain(struct buf *b, const struct ledger_field *f) {
    switch (f->type) {
    case LF_NUM: buf_puts(b, "1.0"); break;
    case LF_INT: buf_printf(b, "%lld", f->min == ZB_FIX_NONE ? 1LL : (long long)(f->min / ZB_FIX_ONE)); break;
    case LF_BOOL: buf_puts(b, "1"); break;
    case LF_DAY: buf_printf(b, "%d", zb_day_of(T)); break;
    case LF_TIME: buf_printf(b, "%lld", (long long)T); break;
    case LF_REF: buf_printf(b, "%d", 1000 + f->to_ledger); break;
    case LF_ENUM:
    case LF_SET: buf_printf(b, "'%s'", f->list->item[0].key); break;
    case LF_REGION: buf_puts(b, "'140214'"); break;
    case LF_SEALED: buf_puts(b, "x'00'"); break;
    default: buf_puts(b, "'u1'"); break;
    }
}
static void fill(int at) {
    const struct ledger *l = &p->ledger[at];
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "insert into l_%s(id,no,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by", l->key);
    for (int i = 0; i < l->fields; i++)
        if (!l->field[i].derive[0]) buf_printf(&b, ",\"%s\"", l->field[i].key);
    buf_printf(&b, ") values(%d,'N%d',1,'%s',%lld,'140214','1402','%s',%lld,'u1',%lld,'u1'", 1000 + at, at, l->state[0].key, (long long)T,
               strcmp(l->key, "org") ? MINE : BODY, (long long)T, (long long)T);
    for (int i = 0; i < l->fields; i++)
        if (!l->field[i].derive[0]) {
            buf_puts(&b, ",");
            plain(&b, &l->field[i]);
        }
    buf_puts(&b, ")");
    for (int s = 0; s < l->subs; s++) {
        buf_printf(&b, ";insert into s_%s_%s(rec,row,since", l->key, l->sub[s].key);
        for (int i = 0; i < l->sub[s].fields; i++) buf_printf(&b, ",\"%s\"", l->sub[s].field[i].key);
        buf_printf(&b, ") values(%d,1,1", 1000 + at);
        for (int i = 0; i < l->sub[s].fields; i++) {
            buf_puts(&b, ",");
            plain(&b, &l->sub[s].field[i]);
        }
        buf_puts(&b, ")");
    }
    OK(db_exec(db, b.p, &err));
}

static int setup(void **st) {
    (void)st;
    char url[400];
    if (!p) OK(policy_load(getenv("POLICY"), &p, &err));
    snprintf(url, sizeof url, "%s/w.db", scratch());
    T = at("2026-06-10 08:00:00");
    OK(db_open(url, DB_WRITE, &db, &err));
    OK(audit_init(db, &err));
    run(ALARM_TABLE);
    OK(ledger_migrate(db, p, 0, &err));
    OK(db_clock(db, T, &err));
    OK(db_begin(db, &err));
    for (int i = 0; i < p->ledgers; i++)
        if (!p->ledger[i].view[0]) fill(i);
    /* what the records must say to lie in everybody's sight */
    run("update l_site set code='" MINE "'");
    run("update l_org set code='" BODY "', ownership='provincial'");
    run("update l_inspection set joint='energy land fire housing', team='u1 u2'");
    run("update l_finding set category='fire_building'");
    run("update l_fund set kind='reward'");
    run("update l_clue set assigned_to='u1'");
    run("update l_major_hazard set state='closed'");
    return 0;
}
static int teardown(void **st) {
    (void)st;
    db_rollback(db);
    db_close(db);
    return 0;
}

/* What a guard asks for beyond plain values: done before the act, undone after it. act NULL: all of the ledger. */
static const struct {
    const char *ledger, *act, *sql;
} NEED[] = {
    {"credential", "expire", "update l_credential set valid_to=valid_to-10"},
    {"setup", "expire", "update l_setup set valid_to=valid_to-10"},
    {"survey", "expire", "update l_survey set valid_to=valid_to-10"},
    {"stdgrade", "expire", "update l_stdgrade set valid_to=valid_to-10"},
    {"contract", "end", "update l_contract set to_on=to_on-10"},
    {"contract", "check", "update l_contract set kind='repair'"},
    {"drill", "miss", "update l_drill set planned_on=planned_on-40"},
    {"survey", "review", "update l_survey set valid_to=valid_to+1000"},
    {"selfcheck", "submit", "update l_selfcheck set major_n=0"},
    {"finding", "verify_own", "update l_finding set source='self'"},
    {"suspension", "resume_simple", "update l_suspension set cause='self_stop'"},
    {"suspension", "finally_failed", "update l_suspension set deadline=deadline-10"},
    {"inspection", "approve", "update l_inspection set cap_year=9"},
    {"inspection", "void", "update l_inspection set approver=null"},
    {"inspection", "start",
     "update l_credential set kind='enforcement_cert', number='C1', state='valid';insert into l_credential(id,rev,state,state_at,area,city,mine,created,"
     "created_by,updated,updated_by,number,kind,issued_on,valid_to) select 5,1,'valid',0,area,city,mine,0,'x',0,'x','C2','enforcement_cert',issued_on,valid_to "
     "from l_credential where number='C1';update l_inspection set cards='C1 C2'"},
    {"measure", "climb", "update l_measure set reply_due=reply_due-10"},
    {"measure", "close", "update l_measure set result='accepted'"},
    {"disaster_grade", "lower", "update l_disaster_grade set assigned_grade=3"},
    {"device", "outage", "update l_device set outage_to=outage_to+3600000"},
    {"task", "propose_measure", "update l_task set due_on=due_on-5, strive=0;update l_measure set kind='E01'"},
    {"major_hazard", "self_accept", "update l_major_hazard set progress_pct=100"},
    {"major_hazard", "inquire", "update l_major_hazard set source='county'"},
    {"major_hazard", "propose_measure", "update l_major_hazard set deadline=deadline-5;update l_measure set kind='E01'"},
    {"major_hazard", "propose_review",
     "insert into "
     "l_major_hazard(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,site,place,criterion,source,found_on,text,closed_on) select "
     "7,1,'closed',0,area,city,mine,0,'x',0,'x',site,place,criterion,source,found_on-9,text,found_on-5 from l_major_hazard"},
    {"site", "produce", "update l_credential set kind='safety_licence', state='valid'"},
    {"site", "reinstate", "update l_suspension set state='resumed'"},
    {"site", "close", "update l_disposal set state='decided'"},
    {"site", "closed", "update l_disposal set state='accepted'"},
};

static int wrong;
static void tell(const struct ledger *l, const struct ledger_act *k, int state, const char *role, const char *what) {
    printf("%s.%s in %s by %s: %s\n", l->key, k->key, l->state[state].key, role ? role : "auto", what);
    wrong++;
}
/* Once, or by two where two officers are asked. */
static void performed(int at, const struct ledger_act *k, const char *role, int state) {
    const struct ledger *l = &p->ledger[at];
    bool done = false;
    for (int officer = 0; officer < (role ? k->officers : 1); officer++) {
        struct actor a = role ? actor_of(role, officer ? "u2" : "u1") : (struct actor){0};
        const struct ledger_access *acc = role ? ledger_access(l, &a) : NULL;
        if (role && !acc) {
            tell(l, k, state, role, "may do it but sees no record");
            return;
        }
        if (acc && acc->see == SEE_OWN) run("update l_%s set mine='%s' where id=%d", l->key, a.area, 1000 + at);
        struct arena *ar = arena_new(16 << 20);
        struct lcall c = {.db = db, .policy = p, .actor = role ? &a : NULL, .l = l, .now = T, .arena = ar, .dir = "/tmp"};
        struct lchange ch = {.id = 1000 + at, .rev = 1, .act = k->key, .at = ZB_TIME_NONE, .why = STR("test"), .password_ok = true};
        int64_t id;
        int rc = ledger_change_in(&c, &ch, &id, &done, &err);
        arena_free(ar);
        if (rc != ZB_OK) {
            tell(l, k, state, role, err.msg);
            return;
        }
    }
    char sql[200];
    snprintf(sql, sizeof sql, "select state from l_%s where id=%d", l->key, 1000 + at);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, &err);
    assert_int_equal(stmt_row(q, &err), 1);
    if (!done || !str_is(stmt_col_text(q, 0), l->state[k->to < 0 ? state : k->to].key)) tell(l, k, state, role, "leads elsewhere");
}
static void cell(int at, const struct ledger_act *k, const char *role, int state) {
    const struct ledger *l = &p->ledger[at];
    run("savepoint cell");
    run("update l_%s set state='%s' where id=%d", l->key, l->state[state].key, 1000 + at);
    for (size_t i = 0; i < sizeof NEED / sizeof *NEED; i++)
        if (!strcmp(NEED[i].ledger, l->key) && !strcmp(NEED[i].act, k->key)) run("%s", NEED[i].sql);
    performed(at, k, role, state);
    run("rollback to cell");
    run("release cell");
}

static void every_act(void **st) {
    (void)st;
    int cells = 0;
    for (int at = 0; at < p->ledgers; at++)
        for (int a = 0; a < p->ledger[at].acts; a++) {
            const struct ledger_act *k = &p->ledger[at].act[a];
            for (int s = 0; s < p->ledger[at].states; s++) {
                if (!(k->from >> s & 1)) continue;
                struct str w, rest = str_of(k->roles);
                while (rest.p && rest.n) {
                    char role[64];
                    w = str_cut(rest, ' ', &rest);
                    if (!w.n) continue;
                    str_copy(w, role, sizeof role);
                    cell(at, k, strcmp(role, "auto") ? role : NULL, s);
                    cells++;
                }
            }
        }
    assert_int_equal(wrong, 0);
    assert_true(cells > 1000);
}

/* matrix.txt: a line a ledger, a column a role: c makes records, e edits the first state's or drafts, v sees, a acts; - nothing. */
static char *matrix_read(void) {
    char path[600];
    snprintf(path, sizeof path, "%s/tests/unit/ledger/matrix.txt", getenv("SRC"));
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = calloc(1, 65536);
    size_t n = fread(text, 1, 65535, f);
    fclose(f);
    assert_true(n > 1000);
    return text;
}
static void cell_text(const struct ledger *l, const char *role, char out[8]) {
    struct actor a = actor_of(role, "u1");
    const struct ledger_access *x = ledger_access(l, &a);
    bool acts = false;
    for (int i = 0; i < l->acts; i++) acts |= word_in(l->act[i].roles, str_of(role));
    snprintf(out, 8, "%s%s%s%s", x && x->create ? "c" : "", x && x->edit ? "e" : "", x ? "v" : "", acts ? "a" : "");
    if (!out[0]) snprintf(out, 8, "-");
}
static void rights(void **st) {
    (void)st;
    wrong = 0;
    char *text = matrix_read(), role[40][40];
    int roles = 0, ledgers = 0;
    struct str rest = str_of(text);
    while (rest.p && rest.n) {
        struct str line = str_cut(rest, '\n', &rest), name = STR("");
        if (!line.n || line.p[0] == '#') continue;
        for (int col = -1; line.p && line.n;) {
            struct str w = str_cut(line, ' ', &line);
            if (!w.n) continue;
            if (col++ < 0) {
                name = w;
                continue;
            }
            if (str_is(name, "ledger")) {
                str_copy(w, role[roles++], sizeof role[0]);
                continue;
            }
            char got[8];
            int at = policy_ledger(p, name);
            if (at < 0 || col - 1 >= roles) fail_msg("matrix.txt: " STR_FMT, STR_ARG(name));
            cell_text(&p->ledger[at], role[col - 1], got);
            if (!str_is(w, got)) {
                printf(STR_FMT " %s: the matrix says " STR_FMT ", the policy %s\n", STR_ARG(name), role[col - 1], STR_ARG(w), got);
                wrong++;
            }
            if (col == roles) ledgers++;
        }
    }
    free(text);
    assert_int_equal(wrong, 0);
    assert_int_equal(ledgers, p->ledgers);
}
/* Records in these states are not there for these roles; all else that matrix.txt lets a role see is. */
#define SUBJECTS "principal safety_manager five_post contractor training_body third_party"
static const struct {
    const char *ledger, *roles, *states;
} HIDDEN[] = {{"site", "training_body third_party institute", "closed"},
              {"inspection", SUBJECTS, "planned approved void"},
              {"inspection", "parent", "planned approved started recorded signed returned void"},
              {"inspection", "officer hazard_officer legal working_team assessment agency_energy agency_land agency_fire agency_housing", "planned approved"},
              {"case", SUBJECTS " parent", "opened evidence reviewed notice withdrawn called_up"},
              {"disposal", SUBJECTS " parent", "candidate"},
              {"approval", "principal safety_manager parent", "checked reviewing"},
              {"clue", "hazard_officer head nmsa", "trial"},
              {"tipoff", "head", "received accepted refused verifying verified untrue handling archived"},
              {"tipoff", "inspector hazard_officer agency agency_energy agency_land agency_finance agency_assets agency_fire agency_housing",
               "received accepted refused feedback reward_decided paid archived"},
              {"task", SUBJECTS " parent", "draft"},
              {"measure",
               SUBJECTS
               " parent officer inspector team_leader assessment leader agency_energy agency_land agency_finance agency_assets agency_fire agency_housing",
               "drafted checked countersigned approved void"}};
static bool hidden_from(const char *ledger, const char *role, const char *state) {
    for (size_t i = 0; i < sizeof HIDDEN / sizeof *HIDDEN; i++)
        if (!strcmp(HIDDEN[i].ledger, ledger) && one_of(role, HIDDEN[i].roles) && one_of(state, HIDDEN[i].states)) return true;
    return false;
}
static bool listed(const struct actor *a, int at) {
    struct lcall c = {.db = db, .policy = p, .actor = a, .l = &p->ledger[at], .now = T};
    ZB_AUTO(buf_done) struct buf b;
    int n = 1;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "select count(*) from l_%s r where ", c.l->key);
    if (!scope_sql(&c, &b, &n, false)) return false;
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, &err);
    if (!q) fail_msg("%s", err.msg);
    n = 1;
    scope_bind(&c, q, &n);
    assert_int_equal(stmt_row(q, &err), 1);
    return stmt_col_i64(q, 0) > 0;
}
static bool shown(const struct actor *a, int at) {
    struct arena *ar = arena_new(1 << 20);
    struct lcall c = {.db = db, .policy = p, .actor = a, .l = &p->ledger[at], .now = T, .arena = ar};
    struct record r;
    int rc = record_load(&c, 1000 + at, false, &r, &err);
    arena_free(ar);
    return rc == ZB_OK;
}

/* Every ledger, state and role: in the list and one by one, what is hidden is hidden alike. */
static void sight(void **st) {
    (void)st;
    for (int at = 0; at < p->ledgers; at++)
        for (int s = 0; s < p->ledger[at].states && !p->ledger[at].view[0]; s++) {
            const struct ledger *l = &p->ledger[at];
            run("update l_%s set state='%s'", l->key, l->state[s].key);
            for (int r = 0; r < p->roles; r++) {
                struct actor a = actor_of(p->role[r].key, "u1");
                const struct ledger_access *x = ledger_access(l, &a);
                if (x && x->see == SEE_OWN) run("update l_%s set mine='%s'", l->key, a.area);
                bool want = x && !hidden_from(l->key, a.role, l->state[s].key);
                if (listed(&a, at) != want || shown(&a, at) != want)
                    fail_msg("%s in %s for %s: %s", l->key, l->state[s].key, a.role, want ? "not there" : "there");
                run("update l_%s set mine='%s'", l->key, strcmp(l->key, "org") ? MINE : BODY);
            }
        }
}

/* Records that are another's: another mine, another body, another county, another person. */
static void strangers(void **st) {
    (void)st;
    run("update l_tipoff set state='verifying'");
    for (int at = 0; at < p->ledgers; at++)
        for (int r = 0; r < p->roles && !p->ledger[at].view[0]; r++) {
            const struct ledger *l = &p->ledger[at];
            struct actor a = actor_of(p->role[r].key, "u9");
            const struct ledger_access *x = ledger_access(l, &a);
            snprintf(a.area, sizeof a.area, "%s", !strcmp(a.area, MINE) ? "140214900099" : !strcmp(a.area, BODY) ? "91140000MA0OTHER0X" : "140105");
            bool open_to_all = !strcmp(l->key, "org") || (!strcmp(l->key, "site") && one_of(a.role, "training_body third_party institute"));
            if (open_to_all && x && x->see == SEE_LINKED) continue;
            if (listed(&a, at) || shown(&a, at)) fail_msg("%s is there for a strange %s", l->key, a.role);
        }
}

/* Single limits of corrections 4: clues at the county only when assigned, planned visits for team and approver, tips that name officers not at the county. */
static void secrets(void **st) {
    (void)st;
    int clue = policy_ledger(p, STR("clue")), visit = policy_ledger(p, STR("inspection")), tip = policy_ledger(p, STR("tipoff"));
    struct actor county = actor_of("hazard_officer", "u9"), city = county;
    snprintf(county.area, sizeof county.area, "140214");
    snprintf(city.area, sizeof city.area, "1402");
    run("update l_clue set assigned_area=null");
    assert_true(!listed(&county, clue) && !shown(&county, clue) && listed(&city, clue));
    run("update l_clue set assigned_area='140214'");
    assert_true(listed(&county, clue) && shown(&county, clue));
    run("update l_inspection set state='planned', created_by='u1', team='u1 u2', approver='boss'");
    static const struct {
        const char *role, *user;
        bool sees;
    } V[] = {{"inspector", "u1", true},    {"inspector", "u2", true}, {"inspector", "u3", false}, {"team_leader", "boss", true},
             {"team_leader", "u9", false}, {"head", "u9", false},     {"head", "boss", true},     {"hazard_officer", "u1", false}};
    for (size_t i = 0; i < sizeof V / sizeof *V; i++) {
        struct actor a = actor_of(V[i].role, V[i].user);
        if (listed(&a, visit) != V[i].sees || shown(&a, visit) != V[i].sees) fail_msg("a planned visit for %s %s", V[i].role, V[i].user);
    }
    struct actor office = actor_of("tip_office", "u1");
    snprintf(office.area, sizeof office.area, "140214");
    assert_false(listed(&office, tip)); /* plain values: it names officers */
    run("update l_tipoff set names_officers=0");
    assert_true(listed(&office, tip));
    run("update l_tipoff set state='verifying', refer_to='u7'");
    struct actor verifier = actor_of("inspector", "u7"), other = actor_of("inspector", "u8");
    assert_true(shown(&verifier, tip) && !shown(&other, tip));
    const struct ledger_access *x = ledger_access(&p->ledger[tip], &verifier);
    assert_true(word_in(x->hide, STR("reporter")) && word_in(x->hide, STR("contact")) && word_in(x->hide, STR("content")) && !x->unseal);
    assert_true(p->ledger[tip].log_reads && p->ledger[clue].log_reads && p->ledger[visit].log_reads && !p->ledger[tip].search[0]);
}

/* ---- whole ways ---- */
static int64_t does(const char *who, const char *ledger, int64_t id, const char *act, const char *values, int *rc) { /* who: "role area user" */
    struct actor a = {.id = 1};
    assert_int_equal(sscanf(who, "%31s %23s %63s", a.role, a.area, a.user), 3);
    struct arena *ar = arena_new(16 << 20);
    struct lcall c = {.db = db, .policy = p, .actor = &a, .l = &p->ledger[policy_ledger(p, str_of(ledger))], .now = T, .arena = ar, .dir = "/tmp"};
    struct lcall all = c;
    struct record r = {0};
    json_error_t je;
    bool done = false;
    all.actor = NULL;
    if (id) OK(record_load(&all, id, false, &r, &err));
    struct lchange ch = {.id = id, .rev = r.rev, .act = act, .values = json_loads(values, 0, &je), .at = ZB_TIME_NONE, .why = STR("test"), .password_ok = true};
    assert_non_null(ch.values);
    run("savepoint way");
    int got = ledger_change_in(&c, &ch, &id, &done, &err);
    if (got != ZB_OK) run("rollback to way");
    run("release way");
    json_decref(ch.values);
    arena_free(ar);
    if (rc)
        *rc = got;
    else if (got != ZB_OK)
        fail_msg("%s %s %s: %s", who, ledger, act ? act : "new", err.msg);
    return id;
}
static void refused(const char *who, const char *ledger, int64_t id, const char *act, const char *values, const char *because) {
    int rc;
    does(who, ledger, id, act, values, &rc);
    if (rc == ZB_OK || !strstr(err.msg, because)) fail_msg("%s %s.%s: %s", who, ledger, act, rc == ZB_OK ? "was allowed" : err.msg);
}
static void state_is(const char *ledger, int64_t id, const char *want) {
    char sql[120];
    snprintf(sql, sizeof sql, "select state from l_%s where id=%lld", ledger, (long long)id);
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, &err);
    assert_int_equal(stmt_row(q, &err), 1);
    if (!str_is(stmt_col_text(q, 0), want)) fail_msg("%s is " STR_FMT ", not %s", ledger, STR_ARG(stmt_col_text(q, 0)), want);
}
static int64_t count(const char *sql) {
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, sql, &err);
    if (!q || stmt_row(q, &err) != 1) fail_msg("%s: %s", sql, err.msg);
    return stmt_col_i64(q, 0);
}
static int64_t coal_mine(void) {
    run("delete from l_site;delete from l_suspension;delete from l_disposal;delete from l_major_hazard");
    return does("head 14 h", "site", 0, NULL,
                "{\"code\":\"" MINE "\",\"name\":\"示范一矿\",\"kind\":\"coal_ug\",\"county\":\"140214\",\"sup_level\":\"county\"}", NULL);
}
static const char *with(int64_t id, const char *rest) {
    static char v[1000];
    snprintf(v, sizeof v, "{\"site\":%lld,%s}", (long long)id, rest);
    return v;
}

/* A coal mine resumes by three signatures, in this order, and by no other way; an open major hazard stops it (条例 art. 48). */
static void suspension(void **st) {
    (void)st;
    int64_t site = coal_mine();
    refused("head 140214 h", "site", site, "suspend", "{}", "停产整顿台账");
    int64_t s =
        does("head 140214 h", "suspension", 0, NULL,
             with(site, "\"cause\":\"rectify\",\"reason\":\"重大隐患\",\"scope\":\"all\",\"ordered_on\":\"2026-06-10\",\"deadline\":\"2026-08-01\""), NULL);
    state_is("site", site, "suspended");
    does("principal " MINE " boss", "suspension", s, "start", "{\"plan\":\"方案\"}", NULL);
    run("insert into l_major_hazard(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,site,place,criterion,source,found_on,text) "
        "values(9,1,'rectifying',0,'140214','1402','" MINE "',0,'x',0,'x',%lld,'p','other','self',20000,'t')",
        (long long)site);
    refused("principal " MINE " boss", "suspension", s, "apply", "{\"apply_on\":\"2026-06-10\"}", "重大隐患");
    run("update l_major_hazard set state='closed'");
    does("principal " MINE " boss", "suspension", s, "apply", "{\"apply_on\":\"2026-06-10\"}", NULL);
    does("head 140214 h", "suspension", s, "begin_accept", "{\"accept_team\":\"甲、乙\"}", NULL);
    static const char ACCEPT[] =
        "{\"accept_on\":\"2026-06-10\",\"accept_result\":\"合格\",\"accept_signers\":\"甲、乙\",\"accept_items\":[{\"item\":\"通风\",\"result\":\"%s\"}]}";
    char v[400];
    snprintf(v, sizeof v, ACCEPT, "fail");
    does("inspector 140214 a", "suspension", s, "accept", v, NULL);
    refused("inspector 140214 b", "suspension", s, "accept", v, "不合格");
    snprintf(v, sizeof v, ACCEPT, "pass");
    does("inspector 140214 b", "suspension", s, "accept", v, NULL);
    state_is("suspension", s, "accepted");
    refused("head 140214 h", "suspension", s, "resume_simple", "{\"resumed_on\":\"2026-06-10\"}", "三级签字");
    refused("leader 140214 mayor", "suspension", s, "resume", "{\"gov_signed_on\":\"2026-06-10\",\"resumed_on\":\"2026-06-10\"}", "不能");
    refused("head 140214 h", "site", site, "reinstate", "{}", "批准复产");
    does("head 140214 h", "suspension", s, "sign", "{\"dept_signed_on\":\"2026-06-10\"}", NULL);
    refused("leader 140214 mayor", "suspension", s, "resume", "{\"gov_signed_on\":\"2026-06-10\",\"resumed_on\":\"2026-06-10\"}", "不能");
    does("nmsa 14 n", "suspension", s, "agree", "{\"nmsa_signed_on\":\"2026-06-10\"}", NULL);
    state_is("site", site, "suspended");
    does("leader 140214 mayor", "suspension", s, "resume", "{\"gov_signed_on\":\"2026-06-10\",\"resumed_on\":\"2026-06-10\"}", NULL);
    state_is("site", site, "producing");
    zb_time due = count("select due from ledger_clock where ledger='suspension' and clock='accept'");
    assert_int_equal(due - at("2026-06-10 00:00:00"), 20 * ZB_DAY);
}

/* Closure: no proposal without a ground in law, legal review and collective decision; the site closes only by the government's decision and acceptance. */
static void closure(void **st) {
    (void)st;
    int64_t site = coal_mine();
    int64_t d = does("head 140214 h", "disposal", 0, NULL, with(site, "\"route\":\"close\",\"condition\":\"C05.c\",\"evidence\":\"三个月内两次\""), NULL);
    static const char GROUND[] = "{\"proposed_on\":\"2026-06-10\",\"proposed_by\":\"局\",\"legal_ground\":\"coal_70\",\"collective\":\"会议纪要\"}";
    refused("head 140214 h", "disposal", d, "propose", "{\"proposed_on\":\"2026-06-10\",\"proposed_by\":\"局\"}", "法定情形");
    refused("head 140214 h", "disposal", d, "propose", GROUND, "法定情形");
    does("legal 140214 l", "disposal", d, "legal", "{\"legal_opinion\":\"符合\"}", NULL);
    does("head 140214 h", "disposal", d, "propose", GROUND, NULL);
    does("head 140214 h1", "site", site, "close", "{}", NULL); /* the first of two officers only signs */
    refused("head 140214 h2", "site", site, "close", "{}", "政府决定");
    does("leader 140214 mayor", "disposal", d, "take", "{}", NULL);
    does("leader 140214 mayor", "disposal", d, "decide",
         "{\"decided_on\":\"2026-06-10\",\"decision\":\"关闭\",\"decision_no\":\"1\",\"due_on\":\"2026-09-01\"}", NULL);
    does("leader 140214 mayor", "disposal", d, "begin", "{}", NULL);
    state_is("site", site, "closing");
    static const char DONE[] = "{\"closed_on\":\"2026-06-10\",\"power_cut\":true,\"shaft_sealed\":true}";
    does("head 140214 h1", "disposal", d, "accept", DONE, NULL);
    refused("head 140214 h2", "disposal", d, "accept", DONE, "证照注销");
    does("agency_land 14 land", "disposal", d, "cancel_licence", "{\"licence_cancelled\":true}", NULL);
    does("head 140214 h1", "disposal", d, "accept", DONE, NULL);
    does("head 140214 h2", "disposal", d, "accept", DONE, NULL);
    state_is("site", site, "closed");
}

/* A check needs an approval of its own, two valid cards, the ground of a single case, the superior's order across areas, two witnesses of a refusal. */
static void check(void **st) {
    (void)st;
    int64_t site = coal_mine();
    run("delete from l_credential;delete from l_inspection");
    int64_t i = does("inspector 140214 a", "inspection", 0, NULL,
                     with(site, "\"subject_note\":\"瓦斯\",\"kind\":\"single\",\"mode\":\"cross_region\",\"plan_on\":\"2026-06-12\",\"leader\":\"甲\","
                                "\"members\":\"甲、乙\",\"team\":\"b\""),
                     NULL);
    assert_int_equal(count("select count(*) from l_inspection where no is not null and no<>''"), 0);
    refused("team_leader 140214 t", "inspection", i, "approve", "{\"approval_no\":\"1\"}", "item_code");
    does("team_leader 140214 t", "inspection", i, "approve", "{\"approval_no\":\"1\",\"item_code\":\"0101\"}", NULL);
    static const char START[] = "{\"arrive_at\":\"2026-06-10 07:00:00\",\"cards\":\"K1 K2\",\"notice_no\":\"7\"}";
    refused("inspector 140214 a", "inspection", i, "start", START, "执法证");
    for (int k = 1; k <= 2; k++) {
        char v[300];
        snprintf(v, sizeof v, "{\"number\":\"K%d\",\"kind\":\"enforcement_cert\",\"org\":%d,\"issued_on\":\"2024-01-01\",\"valid_to\":\"%s\"}", k,
                 1000 + policy_ledger(p, STR("org")), k == 1 ? "2029-01-01" : "2026-06-09");
        does("issuer 14 i", "credential", 0, NULL, v, NULL);
    }
    refused("inspector 140214 a", "inspection", i, "start", START, "执法证"); /* the second has run out */
    run("update l_credential set valid_to=30000");
    refused("inspector 140214 a", "inspection", i, "start", START, "依据");
    run("update l_inspection set ground='线索属实'");
    refused("inspector 140214 a", "inspection", i, "start", START, "上级指令");
    run("update l_inspection set superior_order='省局令'");
    does("inspector 140214 a", "inspection", i, "start", START, NULL);
    assert_int_equal(count("select count(*) from l_inspection where no like 'JC-2026-140214-%'"), 1);
    does("inspector 140214 a", "inspection", i, "record", "{\"findings\":\"无\",\"found_general\":0,\"found_major\":0,\"leave_at\":\"2026-06-10 08:00:00\"}",
         NULL);
    does("inspector 140214 a", "inspection", i, "sign", "{\"signed_subject\":\"refused\"}", NULL);
    refused("inspector 140214 b", "inspection", i, "sign", "{\"signed_subject\":\"refused\"}", "见证");
    does("inspector 140214 b", "inspection", i, "sign", "{\"signed_subject\":\"refused\",\"witnesses\":\"丙、丁\"}", NULL);
    refused("inspector 140214 a", "inspection", i, "file", "{\"publicity_done\":true,\"quiz_done\":false}", "现场测试");
    does("inspector 140214 a", "inspection", i, "file", "{\"publicity_done\":true,\"quiz_done\":true}", NULL);
}

/* The level below never moves a task's date; a measure goes through the office's chain, a lead names its organ, the next rung is a draft the receiver cannot see. */
static void office(void **st) {
    (void)st;
    int64_t site = coal_mine();
    run("delete from l_task;delete from l_measure");
    int64_t t = does("working_team 14 w", "task", 0, NULL,
                     "{\"code\":\"T08.1\",\"level\":\"county\",\"region\":\"140214\",\"title\":\"月自查\",\"lead\":\"县局\",\"due_on\":\"2026-06-30\"}", NULL);
    refused("head 140214 h", "task", t, "publish", "{}", "上级");
    does("head 1402 hc", "task", t, "publish", "{}", NULL);
    refused("head 140214 h", "task", t, "postpone", "{\"due_on\":\"2026-12-31\"}", "上级");
    int rc;
    does("head 140214 h", "task", t, NULL, "{\"due_on\":\"2026-12-31\"}", &rc);
    assert_int_equal(rc, ZB_E_DENIED);
    does("head 1402 hc", "task", t, "postpone", "{\"due_on\":\"2026-07-31\"}", NULL);

    int64_t m = does("working_team 14 w", "measure", 0, NULL,
                     with(site, "\"kind\":\"E05\",\"basis\":\"逾期\",\"text\":\"约谈\",\"reply_days\":10,\"cosign_units\":\"能源局\""), NULL);
    refused("head 14 h", "measure", m, "approve", "{\"signed_name\":\"甲\"}", "不能");
    refused("working_team 14 w", "measure", m, "check", "{\"checked_by\":\"w\"}", "另一人");
    does("hazard_officer 14 o", "measure", m, "check", "{\"checked_by\":\"o\"}", NULL);
    refused("head 14 h", "measure", m, "approve", "{\"signed_name\":\"甲\"}", "会签");
    does("agency 14 ag", "measure", m, "countersign", "{\"cosign_note\":\"同意\"}", NULL);
    does("head 14 h", "measure", m, "approve", "{\"signed_name\":\"甲\"}", NULL);
    refused("working_team 14 w", "measure", m, "issue", "{\"doc_no\":\"晋安办函〔2026〕1号\",\"issued_on\":\"2026-06-10\",\"sealed_on\":\"2026-06-10\"}",
            "回复期限");
    does("working_team 14 w", "measure", m, "issue",
         "{\"doc_no\":\"晋安办函〔2026〕1号\",\"issued_on\":\"2026-06-10\",\"sealed_on\":\"2026-06-10\",\"reply_due\":\"2026-06-20\"}", NULL);
    does("principal " MINE " boss", "measure", m, "reply", "{\"reply\":\"已改\",\"replied_on\":\"2026-06-10\"}", NULL);
    does("working_team 14 w", "measure", m, "not_accept", "{\"reason\":\"未见证明\"}", NULL);
    does("head 14 h", "measure", m, "climb", "{}", NULL);
    assert_int_equal(count("select count(*) from l_measure where kind='E06' and state='drafted' and ladder_rung=1 and coalesce(no,'')=''"), 1);
    struct actor boss = {.role = "principal", .area = MINE, .user = "boss"};
    struct lcall c = {.db = db, .policy = p, .actor = &boss, .l = &p->ledger[policy_ledger(p, STR("measure"))], .now = T};
    ZB_AUTO(buf_done) struct buf b;
    int n = 1;
    buf_init(&b, 1 << 20);
    buf_puts(&b, "select count(*) from l_measure r where ");
    assert_true(scope_sql(&c, &b, &n, false));
    ZB_AUTO(stmt_done) struct stmt *q = db_once(db, b.p, &err);
    n = 1;
    scope_bind(&c, q, &n);
    assert_int_equal(stmt_row(q, &err), 1);
    assert_int_equal(stmt_col_i64(q, 0), 1);
    static const struct { const char *kind, *want; } LEGAL[] = {{"E07", "有权机关"}, {"E10", "须有案件"}, {"E12", "须有案件"}};
    for (size_t i = 0; i < sizeof LEGAL / sizeof *LEGAL; i++) {
        char v[200];
        snprintf(v, sizeof v, "\"kind\":\"%s\",\"basis\":\"x\",\"text\":\"y\"", LEGAL[i].kind);
        int64_t k = does("working_team 14 w", "measure", 0, NULL, with(site, v), NULL);
        does("hazard_officer 14 o", "measure", k, "check", "{\"checked_by\":\"o\"}", NULL);
        refused("head 14 h", "measure", k, "approve", "{\"signed_name\":\"甲\"}", LEGAL[i].want);
    }
}

/* The legal hours of an accident run from when the head of the unit knew, the internal one beside; the name of who tips off is never in the clear. */
static void accident_and_tip(void **st) {
    (void)st;
    int64_t site = coal_mine();
    int64_t a = does("principal " MINE " boss", "accident", 0, NULL,
                     with(site, "\"at\":\"2026-06-10 05:00:00\",\"place\":\"1101\",\"class\":\"general\",\"kind\":\"roof\",\"informed_at\":\"2026-06-10 "
                                "05:20:00\",\"reported_at\":\"2026-06-10 06:30:00\""),
                     NULL);
    char sql[300];
    snprintf(sql, sizeof sql, "select (due-%lld)/60000 from ledger_clock where ledger='accident' and rec=%lld and clock='legal_unit'",
             (long long)at("2026-06-10 05:00:00"), (long long)a);
    assert_int_equal(count(sql), 80);
    snprintf(sql, sizeof sql, "select (due-%lld)/60000 from ledger_clock where ledger='accident' and rec=%lld and clock='legal_county'",
             (long long)at("2026-06-10 06:30:00"), (long long)a);
    assert_int_equal(count(sql), 120);
    assert_int_equal(count("select late_report from v_accident where id<>0 order by id desc limit 1"), 1);
    int64_t tip = does("tip_office 1402 t", "tipoff", 0, NULL,
                       "{\"subject\":\"隐瞒工作面\",\"channel\":\"web\",\"received_at\":\"2026-06-10 "
                       "07:00:00\",\"region\":\"140214\",\"content\":\"王五看见的内容\",\"reporter\":\"王五\",\"contact\":\"13900000000\"}",
                       NULL);
    (void)tip;
    assert_int_equal(count("select count(*) from journal where body like '%王五%' or body like '%13900000000%'"), 0);
    assert_int_equal(count("select count(*) from l_tipoff where cast(reporter as text) like '%王五%' or cast(contact as text) like '%139%'"), 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test_setup_teardown(every_act, setup, teardown), cmocka_unit_test_setup_teardown(rights, setup, teardown),
    cmocka_unit_test_setup_teardown(sight, setup, teardown),     cmocka_unit_test_setup_teardown(strangers, setup, teardown),
    cmocka_unit_test_setup_teardown(secrets, setup, teardown),   cmocka_unit_test_setup_teardown(suspension, setup, teardown),
    cmocka_unit_test_setup_teardown(closure, setup, teardown),   cmocka_unit_test_setup_teardown(check, setup, teardown),
    cmocka_unit_test_setup_teardown(office, setup, teardown),    cmocka_unit_test_setup_teardown(accident_and_tip, setup, teardown)};

int main(void) {
    int bad = cmocka_run_group_tests(TESTS, NULL, NULL);
    policy_unref(p);
    return bad;
}
