/* What the view of L22 and the rules read of the alarms, where no engine is there to make them. */
#pragma once
#define ALARM_TABLE                                                                                                                                            \
    "create table if not exists alarm(id text primary key, mine text, level integer, raised integer, cleared integer, peak integer, lim integer, "             \
    "region text, location text, unit text, point text, cause text, note text, state integer, judged integer, acked_by text, caused_by text, "                 \
    "measured_by text, closed_by text, late integer, merged text)"
