/* What the rules cost: ledgers of a province (mines, years) made by SQL, every rule once over all of it and over one mine.
 * usage: POLICY=policies/shanxi bench_rules [MINES] [YEARS] */
#include "../tests/unit/alarm_table.h"
#include "audit/audit.h"
#include "ledger/ledger.h"
#include "prove/hit.h"
#include <stdio.h>
#include <stdlib.h>

static struct zb_err e;
#define GOOD(call)                                                                                                                                             \
    do {                                                                                                                                                       \
        if ((call) != ZB_OK) {                                                                                                                                 \
            fprintf(stderr, "bench: %s\n", e.msg);                                                                                                             \
            return 1;                                                                                                                                          \
        }                                                                                                                                                      \
    } while (0)
#define FRAME "id,rev,state,state_at,area,city,mine,created,created_by,updated,updated_by"
#define ROW(id, state, mine) id ",1," state ",0,printf('1402%02d',(" mine ")%50),'1402','M'||(" mine "),0,'b',0,'b'"
#define UPTO(n) "with recursive k(i) as (select 1 union all select i+1 from k where i<" n ") "

static int fill(struct db *db, int mines, int years) {
    static const char *const SQL[] = {
        /* ?1 mines, ?2 years */
        UPTO("?1") "insert into l_site(" FRAME ",code,name,kind,county,sup_level,scale,life_y,gas,org,file_on) select " ROW(
            "i", "'producing'", "i") ",'M'||i,'m'||i,case i%4 when 0 then 'nm_ug' when 1 then 'nm_open' when 2 then 'tailings' else 'coal_ug' "
                                     "end,'140214','county','medium',20,'low',i,19000 from k",
        UPTO("?1") "insert into l_org(" FRAME ",code,name,kind) select " ROW("i", "'active'", "i") ",'E'||i,'e'||i,'enterprise' from k",
        UPTO("200*?1") "insert into l_person(" FRAME ",name,post,site,edu,major_ok,graduated,front_years,hired_on,card_no,section,employ_type) select " ROW(
            "i", "'active'", "i/200+1") ",'p'||i,case i%200 when 0 then 'principal' when 1 then 'chief_engineer' when 2 then 'dep_safety' when 3 then "
                                        "'dep_production' when 4 then "
                                        "'dep_mech' when 5 then 'section_tech' when 6 then 'safety_mgr' when 7 then 'special_op' else 'worker' "
                                        "end,i/200+1,'college',1,1,20,18000,'C'||i,'safety','own' from k where i<200*?1",
        UPTO("40*?1") "insert into l_credential(" FRAME ",number,kind,site,issued_on,valid_to) select " ROW(
            "i", "'valid'", "i/40+1") ",'n'||i,case i%40 when 0 then 'mining_licence' when 1 then 'safety_licence' else 'special_op_cert' "
                                      "end,i/40+1,19000,zb_today()+400 from k where i<40*?1",
        UPTO("16*?1*?2") "insert into l_training(" FRAME ",name,kind,site,start_on,hours,organiser) select " ROW(
            "i", "'checked'", "i%?1+1") ",'t'||i,case (i/?1)%16 when 0 then 'all_staff' when 1 then 'annual_special' when 2 then 'anti_3v' when 3 then "
                                        "'law_study' else 'self_rescuer' end,i%?1+1,zb_today()-(i/?1)*365/16,24,1 from k",
        "insert into s_training_participants(rec,row,since,person,present,pass,wear_s,blind,training_unit) with recursive n(j) as (select 1 union all select "
        "j+1 from n where j<200) select t.id,n.j,1,"
        "(t.site-1)*200+n.j,1,1,25,1,1 from l_training t join n on n.j<=case t.kind when 'all_staff' then 200 when 'self_rescuer' then 30 else 8 end",
        UPTO("12*?1*?2") "insert into l_selfcheck(" FRAME ",site,kind,period,zero,major_n,general_n,submitted_at,technicians) select " ROW(
            "i", "'accepted'", "i%?1+1") ",i%?1+1,'monthly_major',printf('%04d-%02d',2026-(i/?1)/12,12-(i/?1)%12),0,0,2,0,'a' from k",
        UPTO("2*?1*?2") "insert into l_major_hazard(" FRAME ",site,place,criterion,source,found_on,text,closed_on,deadline,verify_note) select " ROW(
            "i", "case when i%40=0 then 'rectifying' else 'closed' end",
            "i%?1+1") ",i%?1+1,'p','COAL-2020-02.02',case i%3 when 0 then 'county' else 'self' end,zb_today()-(i/?1)*180-i%170,'t',case when i%40<>0 then "
                      "zb_today()-(i/?1)*180-i%170+20 end,zb_today()-(i/?1)*180-i%170+30,'v' from k",
        UPTO("30*?1*?2") "insert into l_finding(" FRAME ",site,source,category,text,found_on,severity,deadline,person) select " ROW(
            "i", "'closed'", "i%?1+1") ",i%?1+1,'county',case i%5 when 0 then 'unsafe_act' else 'gas' "
                                       "end,'t',zb_today()-(i/?1)*12,'general',zb_today()-(i/?1)*12+15,'p'||i from k",
        UPTO("6*?1*?2") "insert into l_inspection(" FRAME
                        ",site,subject_note,kind,mode,plan_on,leader,arrive_at,leave_at,level,found_major,serious_n,members,signed_subject) select " ROW(
                            "i", "'closed'", "i%?1+1") ",i%?1+1,'s','daily','routine',zb_today()-(i/?1)*60,'l',zb_now()-(i/?1)*5184000000,zb_now()-(i/"
                                                       "?1)*5184000000+3600000,'county',0,0,'m','signed' from k",
        UPTO("2*?1*?2") "insert into l_drill(" FRAME ",site,name,kind,year,half,planned_on,held_on,planned_n,attended_n) select " ROW(
            "i", "'checked'", "i%?1+1") ",i%?1+1,'d','evacuation',2025,'H1',zb_today()-(i/?1)*180,zb_today()-(i/?1)*180,100,100 from k",
        UPTO("30*?1") "insert into l_device(" FRAME ",name,site,kind) select " ROW("i", "'online'", "i%?1+1") ",'d',i%?1+1,'gas' from k",
        UPTO("3*?1") "insert into l_factor(" FRAME
                     ",site,name,kind,found_on,plan) select " ROW("i", "'treated'", "i%?1+1") ",i%?1+1,'f','goaf',19000,'p' from k",
        UPTO("2*?1") "insert into l_project(" FRAME
                     ",name,site,kind,due_on) select " ROW("i", "'started'", "i%?1+1") ",'p',i%?1+1,'intelligent',zb_today()+200 from k",
        UPTO("12*?1*?2") "insert into l_fund(" FRAME
                         ",site,kind,period,due_amount,received) select " ROW("i", "'drawn'", "i%?1+1") ",i%?1+1,'safety_fund','2025-01',10,10 from k"};
    for (size_t i = 0; i < sizeof SQL / sizeof *SQL; i++) {
        struct stmt *q = db_once(db, SQL[i], &e);
        if (!q) {
            fprintf(stderr, "bench: %s\n", e.msg);
            return 1;
        }
        if (strstr(SQL[i], "?1")) stmt_i64(q, 1, mines);
        if (strstr(SQL[i], "?2")) stmt_i64(q, 2, years);
        GOOD(stmt_run(q, &e));
        stmt_done(&q);
    }
    return 0;
}

static zb_time best(struct db *db, const struct policy *p, int64_t site, int times, bool table) {
    zb_time least = INT64_MAX;
    for (int k = 0; k < times; k++) {
        struct hits *h;
        struct hits_sum s;
        zb_time t = zb_now();
        if (hits_look(db, p, site, &h, &e) != ZB_OK || hits_store(db, p, h, zb_now(), &s, &e) != ZB_OK) exit(1);
        hits_free(h);
        t = zb_now() - t;
        if (t < least) least = t;
        if (k == 0) printf("%s: %d hits, %d rules failed%s%s\n", site ? "one mine" : "province", s.found, s.failed, s.failed ? ": " : "", s.trouble);
    }
    struct stmt *q = table ? db_use(db, "select rule,ms,found+excused+unknown from rule_run order by ms desc limit 12", &e) : NULL;
    while (q && stmt_row(q, &e) == 1)
        printf("  %-5.*s %6lld ms %6lld hits\n", STR_ARG(stmt_col_text(q, 0)), (long long)stmt_col_i64(q, 1), (long long)stmt_col_i64(q, 2));
    if (q) stmt_done(&q);
    return least;
}

int main(int n, char **arg) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    int mines = n > 1 ? (int)strtol(arg[1], NULL, 10) : 1000, years = n > 2 ? (int)strtol(arg[2], NULL, 10) : 3;
    struct policy *p;
    struct db *db;
    char path[] = "/tmp/zbrulesXXXXXX", file[60];
    if (!mkdtemp(path)) return 1;
    snprintf(file, sizeof file, "%s/r.db", path);
    GOOD(policy_load(getenv("POLICY") ? getenv("POLICY") : "policies/shanxi", &p, &e));
    GOOD(db_open(file, DB_WRITE, &db, &e));
    GOOD(audit_init(db, &e));
    GOOD(db_exec(db, ALARM_TABLE "; create index alarm_mine on alarm(mine,raised)", &e));
    GOOD(ledger_migrate(db, p, 0, &e));
    GOOD(hits_init(db, &e));
    GOOD(db_begin(db, &e));
    if (fill(db, mines, years)) return 1;
    GOOD(db_commit(db, &e));
    zb_time all = best(db, p, 0, 2, true), one = best(db, p, mines / 2, 3, false);
    printf("%d mines, %d years: province %.1f s a night, one changed mine %.0f ms\n", mines, years, (double)all / 1000, (double)one);
    db_close(db);
    policy_unref(p);
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -rf %s", path);
    return system(cmd) != 0;
}
