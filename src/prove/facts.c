#include "prove/facts.h"

static const char *const MIGRATIONS[] = {
    "create table track(mine text not null, card text not null, since integer not null, until integer not null, area text not null, reader text not null, "
    "primary key(mine,card,since)) strict;"
    "create index track_until on track(mine,until);"
    "create table mine_day(mine text not null, day integer not null, persons real, person_h real, kwh real, tons real, belt real, skip real, ticket real, "
    "stock real, work_h real, air real, primary key(mine,day)) strict;"
    "create table mine_hour(mine text not null, hour integer not null, most integer not null, least integer not null, primary key(mine,hour)) strict;"
    "create table card_day(mine text not null, day integer not null, card text not null, down integer not null, up integer, hours real not null, area text not "
    "null, area_h real not null, primary key(mine,day,card)) strict;"
    "create table place_day(mine text not null, day integer not null, place text not null, name text not null, declared integer not null, persons real not "
    "null, "
    "persons_h real not null, air real, kwh real, primary key(mine,day,place)) strict;"};

int facts_init(struct db *db, struct zb_err *e) { return db_migrate(db, "facts", MIGRATIONS, sizeof MIGRATIONS / sizeof *MIGRATIONS, e); }
