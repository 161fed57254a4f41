/* What is not urgent: day chunks and the dropping of old samples in small portions by night, and a look at the disk. On the judge's thread. */
#include "engine/inside.h"
#include <stdio.h>
#include <sys/statvfs.h>

#define LOOK_EVERY ZB_SECOND /* at the disk, and for what a late file undid */
#define IDLE_PORTION 64      /* point-days at a time while nothing waits: about 50 ms */
#define BUSY_PORTION 2
#define FORGET_PORTION 256 /* points */

int disk_used(const char *dir, int64_t *free) { /* percent of what may be used; -1 unknown */
    struct statvfs v;
    *free = -1;
    if (statvfs(dir, &v) != 0 || !v.f_blocks) return -1;
    *free = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
    uint64_t used = v.f_blocks - v.f_bfree;
    return (int)(used * 100 / (used + v.f_bavail ? used + v.f_bavail : 1));
}

static void disk_look(struct engine *en, const struct storage_rule *r) {
    int64_t free;
    int used = disk_used(en->dir, &free), before = __atomic_exchange_n(&en->disk, used, __ATOMIC_RELAXED);
    if ((used >= r->disk_warn) != (before >= r->disk_warn) || (used >= r->disk_refuse) != (before >= r->disk_refuse))
        log_event("event=disk used_percent=%d free=%lld state=%s", used, (long long)free,
                  used >= r->disk_refuse ? "uploads_wait"
                  : used >= r->disk_warn ? "filling"
                                         : "good");
}

int disk_admits(struct engine *en, const struct policy *p, struct zb_err *e) {
    int used = __atomic_load_n(&en->disk, __ATOMIC_RELAXED);
    if (used < p->storage.disk_refuse) return ZB_OK;
    return zb_fail(e, ZB_E_IO, "the disk of the data directory is %d %% full (uploads wait from %d %%): send again when there is room", used,
                   p->storage.disk_refuse);
}

static int days_of(const void *arg, const char *family) { return policy_sample_days(arg, family); }

/* Day chunks first; when none is left, once a night, what is older than its family is kept. true: there is more of it. */
static bool portion(struct engine *en, const struct policy *p, zb_time now, bool idle) {
    struct zb_err e;
    int32_t today = zb_day_of(now);
    int did = 0, looked = 0;
    if (!policy_night(p, now) || now < en->night_at) return false;
    int rc = series_compact(en->series, today, idle ? IDLE_PORTION : BUSY_PORTION, &did, &e);
    if (rc == ZB_OK && !did && en->forgot != today) {
        rc = series_forget(en->series, today, days_of, p, FORGET_PORTION, &looked, &e);
        if (rc == ZB_OK && !looked) en->forgot = today;
    }
    if (rc != ZB_OK) log_event("event=night_failed reason=\"%s\" next=\"tried again\"", e.msg);
    if (rc == ZB_OK && (did || looked)) return true;
    en->night_at = now + LOOK_EVERY;
    return false;
}

bool night_step(struct engine *en, zb_time now, bool idle) {
    struct policy *p = engine_policy(en);
    if (now - en->disk_at >= LOOK_EVERY) {
        en->disk_at = now;
        disk_look(en, &p->storage);
    }
    bool more = portion(en, p, now, idle);
    policy_unref(p);
    return more;
}
