/* Between look.c, which finds the figures, and what shows them. */
#pragma once
#include "audit/audit.h"
#include "prove/inside.h"
#include "prove/view.h"

const char *look_name(const struct look *l, const char *area);
bool look_shows(const struct look *l, const struct indicator *x);
void look_moment(struct look *l);
bool look_below(const char *code, const char *of); /* code is of the next level down */
/* Figures by indicator; there[i]: it has one. want: only those are asked for on another day (it grows by parts). *frozen: which frozen set they are from, 0 none. */
int look_figures(struct look *l, bool *want, struct area_figure *a, bool *there, int64_t *frozen, struct zb_err *e);
