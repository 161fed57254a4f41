/* industrial-power: a year of a works' electricity as a stand-in for "stopped on paper, load in fact". Every scored day is asked the same question: had this
 * day been declared a standstill, would the load give it away, and when? What was in fact at rest is told by the day's energy: at most twice the level of the
 * lowest days of the rows fitted on. The detector does not see that sum: it counts hours. Each day is judged by the days before it alone. */
#include "accuracy.h"
#include "detect/compare.h"
#include <stdio.h>
#include <stdlib.h>

struct hours {
    double *kwh;
    int n;     /* whole days */
    int first; /* day since 1970 of hour 0 */
};

/* "31/12/2018 23:45" or "2018-12-31 23:45[:00]" → minutes since 1970; the end of a quarter of an hour. */
static bool stamp(struct str s, int64_t *minute) {
    char text[40];
    int d, m, y, h, i;
    zb_time t;
    if (s.n >= sizeof text) return false;
    str_copy(s, text, sizeof text);
    if (sscanf(text, "%2d/%2d/%4d %2d:%2d", &d, &m, &y, &h, &i) == 5)
        snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:00", y % 10000, m, d, h, i);
    else if (s.n == 16)
        snprintf(text + 16, sizeof text - 16, ":00");
    if (!zb_time_parse(str_of(text), &t)) return false;
    *minute = (t + 8 * ZB_HOUR) / ZB_MINUTE;
    return true;
}

static int hours_of(const struct table *t, struct hours *out, struct zb_err *e) {
    int64_t first = 0;
    *out = (struct hours){.n = (t->rows / 4 + 48) * 2};
    out->kwh = xmalloc((size_t)out->n * sizeof *out->kwh);
    for (int i = 0; i < out->n; i++) out->kwh[i] = NAN;
    int last = 0;
    for (int r = 0; r < t->rows; r++) {
        int64_t m;
        double v;
        if (!stamp(table_text(t, r, "date"), &m))
            return zb_fail(e, ZB_E_INPUT, "data row %d, date: \"" STR_FMT "\" is not dd/mm/yyyy hh:mm", r + 1, STR_ARG(table_text(t, r, "date")));
        if (table_num(t, r, "Usage_kWh", &v, e) != ZB_OK) return e->rc;
        if (m % 1440 == 0) m += 1440; /* the row stamped 00:00 closes the day that is written on it */
        m -= 15;                      /* its beginning */
        if (!r) first = m / 1440 * 1440;
        int64_t at = (m - first) / 60;
        if (at < 0 || at >= out->n)
            return zb_fail(e, ZB_E_INPUT, "data row %d, date: \"" STR_FMT "\" is far from the rows around it", r + 1, STR_ARG(table_text(t, r, "date")));
        if (isnan(v)) continue;
        out->kwh[at] = isnan(out->kwh[at]) ? v : out->kwh[at] + v;
        if (at > last) last = (int)at;
    }
    out->first = (int)(first / 1440);
    out->n = (last / 24 + 1) * 24;
    return ZB_OK;
}

static double day_kwh(const struct hours *h, int d) {
    double s = 0;
    for (int i = d * 24; i < d * 24 + 24; i++) s += isnan(h->kwh[i]) ? 0 : h->kwh[i];
    return s;
}

static void judge(const struct hours *h, int from, const struct policy *p, struct json *out) {
    struct idle_norm fitted = idle_learn(h->kwh, from * 24, &p->detect.idle);
    int days = h->n / 24 - from, loaded = 0, found = 0, rest = 0, wrong = 0, late = 0;
    double delay = 0;
    char missed[2000] = "", text[ZB_TIME_CAP];
    for (int d = from; d < from + days; d++) {
        struct idle_norm n = idle_learn(h->kwh, d * 24, &p->detect.idle);
        struct idle_seen s;
        idle_look(h->kwh, d * 24, d * 24 + 24, &n, &p->detect.idle, &s);
        bool in_fact = day_kwh(h, d) > 2 * fitted.rest_day, hit = s.found_at >= 0;
        loaded += in_fact, rest += !in_fact;
        found += in_fact && hit;
        wrong += !in_fact && hit;
        if (in_fact && hit) delay += s.found_at - d * 24 + 1;
        if (in_fact != hit && strlen(missed) < sizeof missed - 40)
            snprintf(missed + strlen(missed), sizeof missed - strlen(missed), "%s%s %.0f kWh", missed[0] ? ", " : "", zb_day_text(h->first + d, text),
                     day_kwh(h, d));
        late += hit && s.found_at - d * 24 >= 12;
    }
    json_key(out, "days"), json_i64(out, days);
    put(out, "rest_kwh_a_day", fitted.rest_day), put(out, "work_kwh_a_day", fitted.work_day);
    json_key(out, "loaded_days"), json_i64(out, loaded);
    put(out, "recall_within_a_day", loaded ? (double)found / loaded : NAN);
    put(out, "hours_until_found", found ? delay / found : NAN);
    json_key(out, "found_after_noon"), json_i64(out, late);
    json_key(out, "resting_days"), json_i64(out, rest);
    json_key(out, "false_clues"), json_i64(out, wrong);
    put(out, "false_clues_a_site_year", days ? wrong * 365.0 / days : NAN);
    json_key(out, "missed_or_false"), json_z(out, missed);
}

int run_power(const struct accuracy *a, struct json *out, struct zb_err *e) {
    struct split s;
    struct hours train = {0}, test = {0}, all = {0};
    struct policy *p = NULL;
    if (split_load(a, "date|Usage_kWh", &s, e) != ZB_OK) return e->rc;
    int rc = policy_load(a->policy, &p, e);
    if (rc == ZB_OK) rc = hours_of(&s.train, &train, e);
    if (rc == ZB_OK) rc = hours_of(&s.test, &test, e);
    if (rc == ZB_OK) {
        int from = train.n / 24;
        bool same_day = s.joined && test.first < train.first + from; /* the cut fell within a day: that day belongs to neither */
        if (same_day) from--;
        int skip = same_day ? 1 : 0;
        all.first = train.first, all.n = from * 24 + test.n - skip * 24;
        all.kwh = xmalloc((size_t)all.n * sizeof *all.kwh);
        memcpy(all.kwh, train.kwh, (size_t)from * 24 * sizeof *all.kwh);
        memcpy(all.kwh + from * 24, test.kwh + skip * 24, (size_t)(test.n - skip * 24) * sizeof *all.kwh);
        if (test.first + skip >= train.first + from) all.first = test.first + skip - from; /* days are named by the scored part */
        put_split(a, out);
        judge(&all, from, p, out);
    }
    policy_unref(p);
    free(train.kwh), free(test.kwh), free(all.kwh);
    split_done(&s);
    return rc;
}
