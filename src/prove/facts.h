/* Facts of streams 监测事实, by mine and day, that rules ask beside the ledgers. The night writes them from what came in; a day that came late is written again.
 *   mine_day(mine, day, persons, person_h, kwh, tons, belt, skip, ticket, stock, work_h, air): most underground at once, hours underground of all, load of the
 *     mine, output, its parts by belt, hoisting and sales in t, stock at the day's end in t, hours the busiest machine of work ran, m3/min of air
 *   mine_hour(mine, hour, most, least): persons underground in an hour (since 1970) in which somebody was
 *   card_day(mine, day, card, down, up, hours, area, area_h): first going down and last seen below (ms), up null while he is below at the day's end; area: where
 *     he was longest
 *   place_day(mine, day, place, name, declared, persons, persons_h, air, kwh): working places people, air or power were seen at; place: the position system's key
 *   track(mine, card, since, until, area, reader): stays of cards at readers, kept for days only
 * Null: no figure came. Personal data goes after the days clues.yaml says. */
#pragma once
#include "store/db.h"

ZB_MUST int facts_init(struct db *db, struct zb_err *e);
