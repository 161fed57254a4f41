/* The plan room at a province's size: 1,000 mines in 117 counties, 100 persons each with a class, 50,000 major hazards with two versions each, in SQLite.
 * What it costs to ask every indicator anew, to follow one changed record, to ask another day. One line of JSON each.
 * usage: bench_prove POLICY */
#include "../tests/unit/alarm_table.h"
#include "ledger/ledger.h"
#include "prove/office.h"
#include "prove/prove.h"
#include "audit/audit.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct policy *p;
static struct db *db;
static char path[] = "/tmp/zbprove-bench.db";
static double ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
static struct zb_err e;
static void must(int rc) {
    if (rc == ZB_OK) return;
    fprintf(stderr, "%s\n", e.msg);
    exit(1);
}
static void told(const char *what, double took, double budget) {
    printf("{\"bench\":\"prove\",\"what\":\"%s\",\"ms\":%.1f,\"budget_ms\":%.0f}\n", what, took, budget);
    fflush(stdout);
}

#define COUNTY "(select g.code from county g where g.n=i%117+1)"
static void fill(void) {
    must(db_exec(
        db, "create temp table county(n integer primary key, code text);insert into county(code) select code from zb_region where level='county' order by code",
        &e));
    must(db_begin(db, &e));
    must(db_exec(db,
                 "insert into l_site(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,code,name,kind,county,sup_level) "
                 "with recursive k(i) as (select 1 union all select i+1 from k where i<1000) "
                 "select i,1,'producing',0," COUNTY ",substr(" COUNTY
                 ",1,4),'M'||i,0,'b',0,'b','M'||i,'模拟矿'||i,case i%5 when 0 then 'nm_ug' else 'coal_ug' end," COUNTY ",'county' from k",
                 &e));
    must(db_exec(db,
                 "insert into l_person(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,name,site,post,edu,major_ok,front_years) "
                 "with recursive k(i) as (select 0 union all select i+1 from k where i<99999) "
                 "select i+1,1,'active',0,s.area,s.city,s.mine,0,'b',0,'b','人'||i,s.id,case when i%100<1 then 'principal' when i%100<6 then 'mine_manager' "
                 "when i%100<16 then "
                 "'special_op' else 'worker' end,case i%3 when 0 then 'college' else 'senior_high' end,1,i%20 from k join l_site s on s.id=i/100+1",
                 &e));
    must(db_exec(
        db,
        "insert into l_training(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,name,kind,site,start_on,hours) "
        "with recursive k(i) as (select 0 union all select i+1 from k where i<11999) "
        "select i+1,1,'held',0,s.area,s.city,s.mine,0,'b',0,'b','班',case i%12 when 0 then 'all_staff' else 'self_rescuer' end,s.id,zb_today()-30*(i%12),8 "
        "from k join l_site s on s.id=i/12+1",
        &e));
    must(db_exec(
        db,
        "insert into s_training_participants(rec,row,since,person,present,pass,wear_s,blind,training_unit) select t.id,r.id%100+1,1,r.id,1,1,20+r.id%15,1,1 "
        "from l_training t join l_person r on r.site=t.site",
        &e));
    must(db_exec(
        db,
        "insert into "
        "l_major_hazard(id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by,site,place,criterion,source,found_on,text,deadline,closed_"
        "on) "
        "with recursive k(i) as (select 0 union all select i+1 from k where i<49999) "
        "select i+1,2,'closed',0,s.area,s.city,s.mine,0,'b',0,'b',s.id,'面','C'||(i%80),case i%2 when 0 then 'self' else 'county' end,zb_today()-i%1000,'隐患',"
        "zb_today()-i%1000+30,zb_today()-i%1000+20+i%15 from k join l_site s on s.id=i%1000+1",
        &e));
    must(db_exec(
        db,
        "insert into h_site(id,rev,act,who,why,known,as_from,no,state,area,mine,code,name,kind,county,sup_level) select "
        "id,1,'new','b','',0,0,no,state,area,mine,code,"
        "name,kind,county,sup_level from l_site;"
        "insert into h_person(id,rev,act,who,why,known,as_from,state,area,mine,name,site,post,edu,major_ok,front_years) select "
        "id,1,'new','b','',0,0,state,area,mine,"
        "name,site,post,edu,major_ok,front_years from l_person;"
        "insert into h_training(id,rev,act,who,why,known,as_from,state,area,mine,name,kind,site,start_on,hours) select "
        "id,1,'new','b','',0,0,state,area,mine,name,kind,"
        "site,start_on,hours from l_training;"
        "insert into h_major_hazard(id,rev,act,who,why,known,as_from,state,area,mine,site,place,criterion,source,found_on,text,deadline) select "
        "id,1,'new','b','',"
        "found_on*86400000,found_on*86400000,'found',area,mine,site,place,criterion,source,found_on,text,deadline from l_major_hazard;"
        "insert into h_major_hazard(id,rev,act,who,why,known,as_from,state,area,mine,site,place,criterion,source,found_on,text,deadline,closed_on) select "
        "id,2,'close',"
        "'b','',closed_on*86400000,closed_on*86400000,'closed',area,mine,site,place,criterion,source,found_on,text,deadline,closed_on from l_major_hazard",
        &e));
    must(db_commit(db, &e));
    must(db_exec(db, "analyze", &e));
}

int main(int argc, char **argv) {
    struct prover *pr;
    int did;
    char side[2][60];
    if (argc != 2) return fprintf(stderr, "usage: bench_prove POLICY\n"), 2;
    snprintf(side[0], sizeof side[0], "%s-wal", path);
    snprintf(side[1], sizeof side[1], "%s-shm", path);
    unlink(path), unlink(side[0]), unlink(side[1]);
    must(policy_load(argv[1], &p, &e));
    must(db_open(path, DB_WRITE, &db, &e));
    must(audit_init(db, &e));
    must(db_exec(db, ALARM_TABLE, &e));
    must(ledger_migrate(db, p, 0, &e));
    must(prove_migrate(db, p, &e));
    fill();
    printf("{\"bench\":\"prove\",\"indicators\":%d,\"mines\":1000,\"persons\":100000,\"participants\":1200000,\"hazards\":50000}\n", p->indicators);
    must(prover_open(path, &pr, &e));
    double from = ms();
    must(prover_step(pr, p, zb_now(), &did, &e));
    told("all indicators for 129 areas and 1,000 mines", ms() - from, 60000);
    if (prover_trouble(pr)[0]) fprintf(stderr, "%s\n", prover_trouble(pr));
    must(db_exec(db, "insert into ledger_touch(ledger,area,mine) select 'person',area,mine from l_site where id=7", &e));
    from = ms();
    must(prover_step(pr, p, zb_now(), &did, &e));
    told("one changed record of a mine", ms() - from, 2000);
    from = ms();
    struct other_day past;
    must(past_open(path, p, NULL, past_end_of(zb_day_of(zb_now()) - 300), zb_now(), &past, &e));
    told("the records of another day", ms() - from, 60000);
    past_close(&past);
    prover_close(pr);
    db_close(db);
    unlink(path), unlink(side[0]), unlink(side[1]);
    return 0;
}
