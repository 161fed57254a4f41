/* Completeness 数据完整性: what was expected and what came, point by point and hour by hour, and what happened to a point: it vanished, came back under another
 * code, was masked, or was calibrated together with many others. Pure: the hours come from the series, the rule from links.yaml. */
#pragma once
#include "model/point.h"
#include <stdbool.h>

struct complete_rule {
    int vanish_hours;              /* without data while the mine sends */
    int bulk_points, bulk_percent; /* so many calibrated in one hour, and so large a share of those that sent */
};
#define POINT_MARKS(X)                                                                                                                                         \
    X(NEVER, "never", "从未上传")                                                                                                                              \
    X(VANISHED, "vanished", "消失")                                                                                                                            \
    X(FRESH, "new", "新增") X(RENAMED, "renamed", "疑似改名") X(MASKED, "masked", "屏蔽") X(CALIBRATED, "calibrated", "标校") X(BULK, "bulk", "集中标校")
enum point_mark {
#define X(id, key, zh) MARK_##id,
    POINT_MARKS(X)
#undef X
        POINT_MARKS_N
};
extern const char *const POINT_MARK_KEY[], *const POINT_MARK_ZH[];

struct point_hour {
    int n;           /* samples */
    uint32_t states; /* OR of their bits */
};
struct point_feed {
    const struct point_def *def;
    int per_hour; /* samples expected; 0: on change, nothing is expected */
    bool before;  /* it has sent before the window */
    struct point_hour *hour;
    /* what is found */
    int64_t expected, received; /* received: at most what was expected in each hour */
    unsigned marks;             /* 1 << enum point_mark */
    int first, last;            /* hours with data; -1 none */
    int masked, calibrated;     /* hours */
    int renamed;                /* index of the point that took its place; -1 */
};
/* hours: of the window, the last one only so many ms old. bulk[hours]: how many were calibrated together in that hour, 0: not many. */
void complete_judge(const struct complete_rule *r, struct point_feed *p, int n, int hours, zb_time last_part, int *bulk);
