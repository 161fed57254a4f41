/* Fixtures of rules and indicators: YAML rows put straight into l_<key> of a database made from the real policy.
 *   R14:
 *     base:    {today: 2025-06-01, rows: {site: [{id: 1, kind: coal_ug}]}}
 *     on:      {rows: {drill: [{id: 1, site: 1, held_on: 2025-01-10}]}, expect: [{site: 1}]}
 * A case adds to `base`; a row with the id of one there changes its fields. What is not named gets a plain default: required fields something neutral
 * (the first member, 0, "x" and the id, today), the state the first, the area a county, `created` and `updated` 30 days before today; other fields are null.
 * Dates 2025-06-01, times "2025-06-01 08:00:00". Rows of sub-tables stand in their record under the sub-table's key. `h_<key>`: versions, as the history
 * table has them. `raw_<table>`: a table of another room, by its columns (times as texts). */
#pragma once
#include "../test.h"
#include "policy/policy.h"
#include "store/db.h"

struct fixture {
    struct policy *p;
    struct db *db;
    struct arena *arena;
    const char *file;
    struct node *root;
};
/* Loads the policy (POLICY) once and makes the tables; url NULL: in memory. */
void fixture_open(struct fixture *f, const char *url);
void fixture_close(struct fixture *f);
/* Reads SRC/tests/fixtures/NAME. */
void fixture_read(struct fixture *f, const char *name);
/* Puts in the rows of the case and of its base; returns the case's day. */
int32_t fixture_rows(struct fixture *f, const struct node *subject, const struct node *one);
/* Opens a transaction, sets zb_today() and puts in the rows of the case and of its base; fixture_end takes all back. */
void fixture_begin(struct fixture *f, const struct node *subject, const struct node *one);
void fixture_end(struct fixture *f);
/* Calls fn for each .yaml in SRC/tests/fixtures/FOLDER. */
void fixture_files(const char *folder, void (*fn)(void *arg, const char *name), void *arg);
/* A value of a fixture as a number: a number, a day, true, false. false: it is a text. */
bool fixture_number(const struct node *n, double *ret);
