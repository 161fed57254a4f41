/* Between the loader and the schema tables. */
#pragma once
#include "policy/policy.h"
#include "policy/tree.h"
struct schema {
    const char *file;
    void (*bind)(struct reader *r, const struct node *root, struct policy *p);
};
extern const struct schema SCHEMAS[]; /* every one must be there; formats/ holds one format a file */
extern const int SCHEMAS_N;
void bind_format(struct reader *r, const struct node *root, struct format *f);
