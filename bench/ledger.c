/* Records: a million in one ledger; what a list, a filter, a search, a page of 2,000 rows, an undeclared filter and a transition cost. One line of JSON each. */
#include "../tests/unit/alarm_table.h"
#include "ledger/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct policy *p;
static struct db *db;
static const struct actor PROVINCE = {.id = 1, .user = "head", .role = "head", .area = "14"},
                          COUNTY = {.id = 2, .user = "insp", .role = "inspector", .area = "140214"},
                          MINE = {.id = 3, .user = "safe", .role = "safety_manager", .area = "140214000007"};
static double ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
static double cpu_ms(void) { /* of this thread: what else the machine does is not in it */
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
static void must(int rc, struct zb_err *e) {
    if (rc == ZB_OK) return;
    fprintf(stderr, "%s\n", e->msg);
    exit(1);
}
static int by_value(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

static struct lcall call(const struct actor *a, const char *l, struct arena *ar) {
    return (struct lcall){.db = db, .policy = p, .actor = a, .l = &p->ledger[policy_ledger(p, str_of(l))], .now = zb_now(), .arena = ar, .dir = "/tmp"};
}

static void list(const char *what, const struct actor *a, struct lquery q, double budget) {
    double t[41], cpu[41];
    int64_t bytes = 0;
    for (int i = 0; i < 41; i++) {
        struct zb_err e;
        struct arena *ar = arena_new((size_t)256 << 20);
        struct lcall c = call(a, "major_hazard", ar);
        struct buf b;
        struct json j;
        buf_init(&b, (size_t)64 << 20);
        json_init(&j, &b);
        double from = ms(), own = cpu_ms();
        must(ledger_list(&c, &q, &j, &e), &e);
        t[i] = ms() - from;
        cpu[i] = cpu_ms() - own;
        bytes = (int64_t)b.n;
        buf_done(&b);
        arena_free(ar);
    }
    qsort(t, 41, sizeof *t, by_value);
    qsort(cpu, 41, sizeof *cpu, by_value);
    printf("{\"bench\":\"ledger\",\"what\":\"%s\",\"median_ms\":%.2f,\"worst_ms\":%.2f,\"cpu_ms\":%.2f,\"budget_ms\":%.0f,\"bytes\":%lld}\n", what, t[20],
           t[40], cpu[20], budget, (long long)bytes);
    fflush(stdout);
}

static void fill(int n) {
    struct zb_err e;
    char sql[6000];
    must(db_begin(db, &e), &e);
    must(db_exec(db,
                 "insert into l_site(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,code,name,kind,county,sup_level) with "
                 "recursive k(i) as (select 1 union all select i+1 from k where i<1000) "
                 "select "
                 "i,1,'producing',0,1402*100+10+i%8,'1402',(140210+i%8)||printf('%06d',i),0,'b',0,'b',(140210+i%8)||printf('%06d',i),'模拟矿'||i,'coal_ug',''||"
                 "(140210+i%8),'county' from k",
                 &e),
         &e);
    must(db_exec(db, "update l_site set area=county", &e), &e);
    snprintf(sql, sizeof sql,
             "insert into "
             "l_major_hazard(id,no,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,site,place,criterion,source,found_on,text,deadline,"
             "progress_pct) with recursive k(i) as (select 1 union all select i+1 from k where i<%d) "
             "select i,'B-'||i,1,case i%%5 when 0 then 'found' when 1 then 'rectifying' else 'closed' "
             "end,0,''||(140210+i%%8),'1402',(140210+i%%1000%%8)||printf('%%06d',i%%1000),0,'b',0,'b',1+i%%1000,'工作面'||(i%%97),"
             "case i%%7 when 0 then 'COAL-2026-02.01' when 1 then 'COAL-2026-07.10' else 'COAL-2026-05.01' end,'county',20000+i%%700,'第'||i||'条：'||case "
             "i%%50 when 0 then "
             "'上隅角瓦斯超限' else '通风设施不可靠' end,20100+i%%700,i%%100 from k",
             n);
    must(db_exec(db, sql, &e), &e);
    must(db_commit(db, &e), &e);
    must(db_begin(db, &e), &e);
    struct stmt *q = db_use(db, "select id,text from l_major_hazard order by id", &e);
    while (stmt_row(q, &e) == 1) {
        struct buf b;
        buf_init(&b, 4096);
        bigrams(&b, stmt_col_text(q, 1), STORE);
        struct stmt *w = db_use(db, "insert into f_major_hazard(rowid,body) values(?1,?2)", &e);
        stmt_i64(w, 1, stmt_col_i64(q, 0));
        stmt_text(w, 2, buf_str(&b));
        must(stmt_run(w, &e), &e);
        stmt_done(&w);
        buf_done(&b);
    }
    stmt_done(&q);
    must(
        db_exec(db,
                "insert into h_major_hazard(id,rev,act,who,why,known,as_from,state,area,mine) select id,1,'new','b','',0,0,state,area,mine from l_major_hazard",
                &e),
        &e);
    must(db_commit(db, &e), &e);
    must(db_exec(db, "analyze", &e), &e);
}

static void transitions(void) {
    double t[200];
    struct zb_err e;
    for (int i = 0; i < 200; i++) {
        struct arena *ar = arena_new((size_t)16 << 20);
        struct lcall c = call(&PROVINCE, "major_hazard", ar);
        int64_t id = 1 + 5 * i;
        bool done;
        struct lchange ch = {
            .id = id, .rev = 1, .act = "extend", .at = ZB_TIME_NONE, .why = STR("bench"), .values = json_pack("{s:s}", "deadline", "2027-01-01")};
        double from = ms();
        must(ledger_change(&c, &ch, &id, &done, &e), &e);
        t[i] = ms() - from;
        json_decref(ch.values);
        arena_free(ar);
    }
    qsort(t, 200, sizeof *t, by_value);
    printf("{\"bench\":\"ledger\",\"what\":\"unsigned transition with journal, durable\",\"median_ms\":%.2f,\"p99_ms\":%.2f,\"budget_ms\":5}\n", t[100],
           t[198]);
}

int main(int argc, char **argv) { /* POLICY FILE [N] */
    struct zb_err e;
    int64_t n = 1000000;
    if (argc < 3 || (argc > 3 && !num_i64(str_of(argv[3]), 1000, 10000000, &n))) return 2;
    must(policy_load(argv[1], &p, &e), &e);
    must(db_open(argv[2], DB_WRITE, &db, &e), &e);
    must(audit_init(db, &e), &e);
    must(db_exec(db, ALARM_TABLE, &e), &e);
    must(ledger_migrate(db, p, 0, &e), &e);
    double from = ms();
    struct stmt *have = db_use(db, "select count(*) from l_major_hazard", &e);
    bool filled = stmt_row(have, &e) == 1 && stmt_col_i64(have, 0) > 0; /* FILE of an earlier run: measured as it is */
    stmt_done(&have);
    if (!filled) fill((int)n);
    fprintf(stderr, "%lld records in %.0f s\n", (long long)n, (ms() - from) / 1e3);
    list("first page, province", &PROVINCE, (struct lquery){.limit = 100}, 20);
    list("first page, county", &COUNTY, (struct lquery){.limit = 100}, 20);
    list("first page, mine", &MINE, (struct lquery){.limit = 100}, 20);
    list("declared filter", &PROVINCE, (struct lquery){.limit = 100, .where = STR("criterion=COAL-2026-02.01;state=found")}, 20);
    list("declared filter, county", &COUNTY, (struct lquery){.limit = 100, .where = STR("criterion=COAL-2026-07.10")}, 20);
    list("sorted by a declared field", &PROVINCE, (struct lquery){.limit = 100, .sort = STR("deadline")}, 20);
    list("search 瓦斯", &PROVINCE, (struct lquery){.limit = 100, .search = STR("瓦斯超限")}, 20);
    list("search, county", &COUNTY, (struct lquery){.limit = 100, .search = STR("隅角")}, 20);
    list("page of 2,000 rows", &PROVINCE, (struct lquery){.limit = 2000}, 10);
    list("undeclared filter", &PROVINCE, (struct lquery){.limit = 100, .where = STR("progress_pct>=99;place~96")}, 300);
    if (!filled) transitions();
    db_close(db);
    policy_unref(p);
    return 0;
}
