/* Conversions of raw engineering values: a small fixed set of formulas with the coefficients of each instrument's sheet. */
#include "policy/bind.h"

static double number(struct reader *r, const struct node *n, const char *key, double absent) {
    const char *text = node_text(r, n, key, "");
    double v = absent;
    if (!r->bad && text[0] && !num_double(str_of(text), &v)) node_fail(r, node_get(n, key), "%s: \"%s\" is not a number", key, text);
    return v;
}

void bind_conversions(struct reader *r, const struct node *root, struct policy *p) {
    static const char *const FORMULA[] = {"linear", "thermistor", "vibrating_wire"};
    static const char *const KEYS[] = {"mine point to sensor unit location formula a b source",
                                       "mine point to sensor unit location formula a b c offset source",
                                       "mine point to sensor unit location formula a b c t0 k d temperature barometer ref scale offset source"};
    node_keys(r, root, "source conversions");
    const struct node *seq = node_seq(r, root, "conversions");
    struct conversion *out = seq ? arena_alloc(r->a, (size_t)(seq->n + 1) * sizeof *out) : NULL;
    for (const struct node *n = out ? seq->child : NULL; n && !r->bad; n = n->next) {
        if (n->kind != NODE_MAP) {
            node_fail(r, n, "a conversion is a map");
            return;
        }
        int f = node_choice(r, n, "formula", FORMULA, 3);
        if (!r->bad) node_keys(r, n, KEYS[f]);
        out[p->conversions++] = (struct conversion){.mine = node_text(r, n, "mine", NULL),
                                                    .point = node_text(r, n, "point", NULL),
                                                    .to = node_text(r, n, "to", NULL),
                                                    .sensor = node_text(r, n, "sensor", NULL),
                                                    .unit = node_text(r, n, "unit", NULL),
                                                    .location = node_text(r, n, "location", ""),
                                                    .formula = (enum formula)f,
                                                    .a = number(r, n, "a", 0),
                                                    .b = number(r, n, "b", 0),
                                                    .c = number(r, n, "c", 0),
                                                    .t0 = number(r, n, "t0", 0),
                                                    .k = number(r, n, "k", 0),
                                                    .d = number(r, n, "d", 0),
                                                    .ref = number(r, n, "ref", 101.3),
                                                    .scale = number(r, n, "scale", 1),
                                                    .offset = number(r, n, "offset", 0),
                                                    .temperature = node_text(r, n, "temperature", ""),
                                                    .barometer = node_text(r, n, "barometer", "")};
        const struct conversion *c = &out[p->conversions - 1];
        if (!r->bad && (!c->to[0] || strlen(c->to) > 47)) node_fail(r, n, "to: a point's code of 1 to 47 bytes");
        if (!r->bad && !strcmp(c->to, c->point)) node_fail(r, n, "to: a converted value is a point of its own, the raw one stays");
    }
    p->conversion = out;
}
