#include "op/fns.h"

#define ALARM "{id:s,mine:s,mine_name:s,point:s,location:s,unit:s,kind:s,kind_zh:s,level:s,level_zh:s,state:s,state_zh:s,raised:t,cleared:t?,last:t,peak:n?,limit:n?," \
              "labels:[s],count:i,group:s,note:s,acked:t?,acked_by:s?,cause:s?,cause_note:s?,caused_by:s?,measure:s?,measured_by:s?,verified_by:s?,closed_by:s?," \
              "shelved_until:t?,shelved_by:s?,shelf_approver:s?,shelf_reason:s?}"
#define ME "{user:s,role:s,area:s,rights:[s],csrf:s}"
#define POINT "{mine:s,point:s,type:s,location:s,unit:s,value_type:s,v:n?,t:t?,state:i,level:s,silent:b," \
              "limits:{hi_alarm:n?,hi_clear:n?,lo_alarm:n?,lo_clear:n?,hi_cut:n?,hi_restore:n?,lo_cut:n?,lo_restore:n?},source:s}"
#define UPLOAD "{file:s,mine:s,family:s,type:s,records:i,accepted:i,refused:i,duplicate:b,reasons:[s]}"
#define MINE_ARG {"mine", ARG_TEXT, false, true, 0, 23, "mine code, 12 digits"}
#define ID_ARG {"id", ARG_TEXT, true, true, 0, 24, "alarm id"}
#define ACT(act, right_, doc_, ...)                                                                                                  \
    {"alarm." act, HTTP_POST, "/api/v1/alarms/{id}/" act, WHO_RIGHT, right_, true, doc_, {ID_ARG, __VA_ARGS__}, ALARM, NULL, op_alarm_act}

const struct op OPS[] = {
    {"login", HTTP_POST, "/api/v1/login", WHO_ANYONE, "", false, "opens a session",
     {{"user", ARG_TEXT, true, true, 0, 63, "account name"}, {"password", ARG_TEXT, true, true, 0, 200, "password"}}, ME, NULL, op_login},
    {"logout", HTTP_POST, "/api/v1/logout", WHO_SESSION, "", false, "closes the session", {{0}}, "{}", NULL, op_logout},
    {"me", HTTP_GET, "/api/v1/me", WHO_SESSION, "", false, "who am I and what may I do", {{0}}, ME, NULL, op_me},
    {"mines", HTTP_GET, "/api/v1/mines", WHO_RIGHT, "mine.read", false, "mines, one line each", {{0}},
     "{mines:[{mine:s,name:s,region:s,region_name:s,gas_class:s,last_heard:t?,points:i,alarms:{red:i,orange:i,yellow:i,blue:i},below:i?}]}", "mines", op_mines},
    {"mine", HTTP_GET, "/api/v1/mines/{mine}", WHO_RIGHT, "mine.read", false, "one mine with its points",
     {{"mine", ARG_TEXT, true, true, 0, 23, "mine code"}}, "{mine:s,name:s,region:s,region_name:s,gas_class:s,last_heard:t?,points:[" POINT "]}", NULL, op_mine},
    {"mine.set", HTTP_POST, "/api/v1/mines/{mine}", WHO_RIGHT, "mine.write", false, "sets a mine's name and gas class 瓦斯等级",
     {{"mine", ARG_TEXT, true, true, 0, 23, "mine code"}, {"name", ARG_TEXT, false, false, 0, 95, "name"}, {"gas_class", ARG_TEXT, false, false, 0, 10, "low, high or outburst"}},
     "{}", NULL, op_mine_set},
    {"points", HTTP_GET, "/api/v1/points", WHO_RIGHT, "mine.read", false, "points with their last value and limits", {MINE_ARG}, "{points:[" POINT "]}", "points", op_points},
    {"query", HTTP_GET, "/api/v1/samples", WHO_RIGHT, "mine.read", false, "samples of a point, rising; next: where to go on",
     {{"point", ARG_TEXT, true, true, 0, 90, "point code, or MINE/POINT"}, {"mine", ARG_TEXT, false, false, 0, 23, "mine code, when the point's code is not unique"},
      {"from", ARG_TIME, false, false, 0, 0, "first time"}, {"to", ARG_TIME, false, false, 0, 0, "before this time"}, {"limit", ARG_INT, false, false, 1, 200000, "at most so many"}},
     "{samples:[{t:t,v:n?,state:i}],next:t?}", "samples", op_samples},
    {"series", HTTP_GET, "/api/v1/series", WHO_RIGHT, "mine.read", false, "min-max buckets of a point for a chart: [ms, min, max, last, n, states]",
     {{"mine", ARG_TEXT, true, false, 0, 23, "mine code"}, {"point", ARG_TEXT, true, false, 0, 47, "point code"}, {"from", ARG_TIME, false, false, 0, 0, "first time (a day ago)"},
      {"to", ARG_TIME, false, false, 0, 0, "before this time (now)"}, {"buckets", ARG_INT, false, false, 1, 5000, "how many at most (1000)"}},
     "{mine:s,point:s,unit:s,location:s,type:s,limits:{hi_alarm:n?,hi_clear:n?,lo_alarm:n?,lo_clear:n?,hi_cut:n?,hi_restore:n?,lo_cut:n?,lo_restore:n?},source:s,buckets:[[n?]]}", "buckets", op_series},
    {"people", HTTP_GET, "/api/v1/people", WHO_RIGHT, "people.read", false, "who is below, where, last seen when", {{"mine", ARG_TEXT, true, true, 0, 23, "mine code"}},
     "{t:t?,count:i,people:[{name:s,trade:s,area:s,area_name:s,reader:s,entered:t?,last_seen:t?,leader:b}]}", "people", op_people},
    {"alarms", HTTP_GET, "/api/v1/alarms", WHO_RIGHT, "alarm.read", false, "alarms, most urgent and newest first",
     {MINE_ARG, {"active", ARG_FLAG, false, false, 0, 1, "1: only those not closed"}, {"kind", ARG_TEXT, false, false, 0, 40, "over-limit, cut, feed …"},
      {"level", ARG_TEXT, false, false, 0, 10, "red, orange, yellow, blue"}, {"point", ARG_TEXT, false, false, 0, 47, "point code"},
      {"from", ARG_TIME, false, false, 0, 0, "raised from"}, {"to", ARG_TIME, false, false, 0, 0, "raised before"}, {"limit", ARG_INT, false, false, 1, 10000, "at most so many (500)"}},
     "{alarms:[" ALARM "],total:i}", "alarms", op_alarms},
    {"alarm", HTTP_GET, "/api/v1/alarms/{id}", WHO_RIGHT, "alarm.read", false, "one alarm", {ID_ARG}, ALARM, NULL, op_alarm},
    ACT("ack", "alarm.ack", "acknowledge 确认", {0}),
    ACT("cause", "alarm.cause", "enter the cause 查因", {"cause", ARG_TEXT, true, false, 0, 40, "key from the list of causes"}, {"note", ARG_TEXT, false, false, 0, 1000, "note"}),
    ACT("measure", "alarm.measure", "enter the measure taken 处置", {"note", ARG_TEXT, true, false, 0, 1000, "what was done"}),
    ACT("verify", "alarm.verify", "verify on the spot or by data 核实", {0}),
    ACT("close", "alarm.close", "close 关闭", {0}),
    ACT("shelve", "alarm.shelve", "shelve for a while with an approver 搁置", {"minutes", ARG_INT, true, false, 1, 100000, "for how long"},
        {"reason", ARG_TEXT, true, false, 0, 1000, "why"}, {"approver", ARG_TEXT, true, false, 0, 63, "who approved it (chief engineer)"}),
    {"causes", HTTP_GET, "/api/v1/causes", WHO_RIGHT, "alarm.read", false, "causes to choose from", {{0}}, "{causes:[{key:s,zh:s,en:s}]}", "causes", op_causes},
    {"cause.counts", HTTP_GET, "/api/v1/cause-counts", WHO_RIGHT, "alarm.read", false, "how often each cause was entered, by mine", {MINE_ARG}, "{counts:[{mine:s,cause:s,n:i}]}", "counts", op_cause_counts},
    {"kpi", HTTP_GET, "/api/v1/kpi", WHO_RIGHT, "alarm.read", false, "alarm system figures (ISA-18.2)", {MINE_ARG},
     "{per_hour:[{t:t,n:i}],chattering:[{mine:s,point:s,n:i}],stale:i,flood:b,standing:i,unacknowledged:i}", NULL, op_kpi},
    {"health", HTTP_GET, "/api/v1/health", WHO_RIGHT, "health.read", false, "links, refused files, queue, disk",
     {{"mine", ARG_TEXT, false, true, 0, 23, "mine code"}},
     "{links:[{mine:s,name:s,last_file:s,last_received:t?,delay_ms:i?,files:i,records:i,refused:i,duplicates:i,late:i,reasons:[{file:s,received:t,reason:s}]}],"
     "stray:[{file:s,received:t,reason:s}],queue:i,queue_bytes:i,lag_ms:i,disk_free:i,raw_records:i,raw_bytes_in:i,raw_bytes_disk:i,policy:s,policy_hash:s,trouble:s}", NULL, op_health},
    {"journal", HTTP_GET, "/api/v1/journal", WHO_RIGHT, "journal.read", false, "the journal, newest first",
     {{"before", ARG_INT, false, false, 1, INT64_MAX, "entries before this number"}, {"n", ARG_INT, false, false, 1, 1000, "how many (100)"}},
     "{entries:[{seq:i,t:t,who:s,what:s,subject:s,body:*}]}", "entries", op_journal},
    {"audit.verify", HTTP_GET, "/api/v1/audit/verify", WHO_RIGHT, "journal.verify", false, "walks the journal's chain and its signed checkpoints", {{0}},
     "{ok:b,entries:i,checkpoints:i,bad_seq:i,what:s}", NULL, op_audit_verify},
    {"user.add", HTTP_POST, "/api/v1/users", WHO_RIGHT, "user.write", false, "makes an account",
     {{"user", ARG_TEXT, true, true, 0, 63, "name"}, {"role", ARG_TEXT, true, false, 0, 31, "role key"}, {"area", ARG_TEXT, false, false, 0, 23, "14 province, 1402 city, 140214 county or a mine's code"},
      {"password", ARG_TEXT, true, false, 0, 200, "at least 12 bytes"}}, "{user:s,role:s,area:s}", NULL, op_user_add},
    {"token.add", HTTP_POST, "/api/v1/tokens", WHO_RIGHT, "token.write", false, "makes a mine's upload token, shown once", {{"mine", ARG_TEXT, true, true, 0, 23, "mine code"}}, "{mine:s,token:s}", NULL, op_token_add},
    {"token.revoke", HTTP_POST, "/api/v1/tokens/revoke", WHO_RIGHT, "token.write", false, "ends all tokens of a mine", {{"mine", ARG_TEXT, true, true, 0, 23, "mine code"}}, "{mine:s}", NULL, op_token_revoke},
    {"upload", HTTP_POST, "/api/v1/uploads/{name}", WHO_TOKEN, "", false, "a mine's file; acknowledged when durable",
     {{"name", ARG_TEXT, true, false, 0, 120, "file name such as 140214000123_CDSS_20260301000030.txt"}, {"wait", ARG_FLAG, false, false, 0, 1, "1: answer when it is judged too"}}, UPLOAD, NULL, op_upload},
    {"events", HTTP_GET, "/api/v1/events", WHO_SESSION, "", false, "live alarms as server-sent events", {{0}}, "s", NULL, op_events},
    {"openapi", HTTP_GET, "/api/v1/openapi.json", WHO_ANYONE, "", false, "this table as an OpenAPI document", {{0}}, "o", NULL, op_openapi},
};
const int OPS_N = sizeof OPS / sizeof *OPS;
