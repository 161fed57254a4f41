/* basemap.yaml: outlines of the areas from a map that was approved for publication; without outlines the wall shows tiles.
 * screens.yaml: the daily screens, each a ledger's list with a filter, for roles. statistics.yaml: tables counted over the ledgers, for a screen and XLSX. */
#pragma once
#include "policy/ledger.h"

struct outline {
    const char *area; /* six digits */
    const char *path; /* as of SVG's d: letters of drawing commands and numbers, nothing else */
};
struct basemap {
    const char *approval;      /* 审图号, shown with the map */
    const char *source, *view; /* SVG's viewBox: "0 0 1000 1400" */
    struct outline *outline;
    int outlines;
};

struct screen {
    const char *key, *zh, *en, *help_zh, *help_en;
    const char *group;  /* of struct screen_group */
    const char *ledger; /* key */
    const char *where;  /* as of ledger.list: "valid_to<=today+90;state=valid" */
    const char *sort;
    const char *roles; /* "" every role that sees the ledger */
    int of_ledger;
    const struct node *at;
};
struct screen_group {
    const char *key, *zh, *en;
};

/* A table by SQL: columns `area` (six digits, whose it is) and those named; `rec` (record of ledger, may be null) when it has a ledger. */
struct statistic {
    const char *key, *zh, *en, *note_zh, *note_en, *source;
    const char *roles;  /* who may see it */
    const char *ledger; /* of rec; "" none */
    const char *rule;   /* whose parameters its SQL names as :key; "" none */
    const char *sql;
    int of_ledger; /* -1 none */
    struct table_column *column;
    int columns;
    const struct node *at;
};
