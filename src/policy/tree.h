/* A YAML file as a node tree with the place of every node, and strict reading of it by schema: what is not asked for is refused. */
#pragma once
#include "base/arena.h"
#include "base/num.h"
#include "base/time.h"

enum node_kind { NODE_MAP, NODE_SEQ, NODE_SCALAR };
struct node {
    enum node_kind kind;
    int line, col; /* 1-based */
    bool quoted;
    const char *text; /* scalar */
    const char *key;  /* when it is a value in a map */
    struct node *child, *last, *next;
    int n;
};
struct reader { /* the first failure stays in e and everything after it is a no-op */
    struct arena *a;
    const char *file;
    struct zb_err *e;
    bool bad;
};
/* ZB_E_INPUT: file:line:column and why. */
ZB_MUST int tree_parse(struct reader *r, struct str bytes, struct node **ret);
void node_fail(struct reader *r, const struct node *n, const char *fmt, ...) ZB_PRINTF(3, 4);
/* allowed: space-separated; anything else in the map is refused with that list. */
void node_keys(struct reader *r, const struct node *map, const char *allowed);
const struct node *node_get(const struct node *map, const char *key);                                                  /* NULL absent */
const struct node *node_seq(struct reader *r, const struct node *map, const char *key);                                /* required list */
const char *node_text(struct reader *r, const struct node *map, const char *key, const char *absent);                  /* absent NULL: required */
int64_t node_int(struct reader *r, const struct node *map, const char *key, int64_t absent, int64_t min, int64_t max); /* absent INT64_MIN: required */
zb_fix node_fix(struct reader *r, const struct node *map, const char *key);                                            /* absent: NONE */
bool node_bool(struct reader *r, const struct node *map, const char *key, bool absent);
zb_time node_duration(struct reader *r, const struct node *map, const char *key, zb_time absent); /* "5 min"; absent NONE: required */
int32_t node_day(struct reader *r, const struct node *map, const char *key, int32_t absent);
int node_choice(struct reader *r, const struct node *map, const char *key, const char *const *names, int n);
