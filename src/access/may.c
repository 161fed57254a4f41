/* Pure: may this person do it, may this person see it. */
#include "access/access.h"

bool may(const struct policy *p, const struct actor *a, const char *right) {
    const struct role_rule *r = policy_role(p, str_of(a->role));
    if (!r || a->upload) return false;
    struct str rest = str_of(r->rights);
    while (rest.p) {
        struct str one = str_cut(rest, ' ', &rest);
        if (str_is(one, "*") || str_is(one, right)) return true;
    }
    return false;
}

bool may_see(const struct actor *a, const char *region, const char *mine) {
    size_t n = strlen(a->area);
    if (!n) return false;
    return !strncmp(region, a->area, n) || !strcmp(mine, a->area);
}
