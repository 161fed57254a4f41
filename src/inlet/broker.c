#include "inlet/broker.h"
#include "access/access.h"
#include "base/log.h"
#include "inlet/drop.h"
#include "mqtt/mqtt.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define UP "zhiben/up/"
#define ANSWER_MAX ((size_t)8 << 10)

struct taken { /* in the log's hands */
    char mine[24], file[200];
    struct upload_result u;
    struct ticket ticket;
};
struct broker {
    struct engine *en;
    struct mqtt *mqtt;
    char password[200], ca[500];
    struct taken taken[MQTT_GROUP_MAX];
    int n;
};

static void answer(struct broker *b, struct str mine, struct str file, const struct upload_result *u, const char *code) {
    ZB_AUTO(buf_done) struct buf out;
    struct json j;
    struct zb_err e;
    char topic[60];
    buf_init(&out, ANSWER_MAX);
    json_init(&j, &out);
    upload_json(&j, file, u, code);
    snprintf(topic, sizeof topic, "zhiben/down/" STR_FMT, STR_ARG(mine));
    if (mqtt_publish(b->mqtt, topic, buf_str(&out), &e) != ZB_OK) log_event("event=mqtt_answer_lost mine=" STR_FMT " reason=\"%s\"", STR_ARG(mine), e.msg);
}

/* Has a token that stands? A broker may still know a mine whose token was revoked here. 1, 0, -1 cannot tell now. */
static int known(struct broker *b, struct str mine) {
    struct zb_err e;
    struct db *db = engine_reader(b->en, &e);
    int r = db ? token_stands(db, mine, &e) : ZB_E_IO;
    engine_reader_back(b->en, db);
    return r == ZB_OK ? 1 : r == ZB_E_DENIED ? 0 : -1;
}

bool broker_topic(struct str topic, struct str *mine, struct str *file) {
    size_t head = sizeof UP - 1;
    int64_t digits;
    if (topic.n <= head || memcmp(topic.p, UP, head)) return false;
    *mine = str_cut((struct str){topic.p + head, topic.n - head}, '/', file);
    return file->p && file->n && mine->n >= 8 && mine->n < sizeof((struct taken *)0)->mine && num_i64((struct str){mine->p, 8}, 0, INT64_MAX, &digits);
}

static const char *code_of(int rc) { return rc == ZB_OK ? NULL : rc == ZB_E_LIMIT ? "limit" : rc == ZB_E_DENIED ? "denied" : "input"; }

static bool waits(struct str mine, const struct zb_err *e) {
    log_event("event=mqtt_waits mine=" STR_FMT " reason=\"%s\"", STR_ARG(mine), e->msg);
    return false;
}

/* false: it cannot be kept now. Otherwise the log has it in hand, or it was refused for what it is. */
static bool take(void *arg, struct str topic, struct str payload) {
    struct broker *b = arg;
    struct taken *t = &b->taken[b->n];
    struct zb_err e;
    struct str file, mine;
    int who = broker_topic(topic, &mine, &file) ? known(b, mine) : 0;
    if (who < 0) return false;
    if (!who) {
        log_event("event=mqtt_stray topic=\"" STR_FMT "\" reason=\"no mine with a valid upload token\"", (int)(topic.n < 100 ? topic.n : 100), topic.p);
        return true;
    }
    str_copy(mine, t->mine, sizeof t->mine);
    str_copy(file, t->file, sizeof t->file);
    int rc = engine_submit_begin(b->en, mine, STR("mqtt"), file, payload, false, &t->u, &t->ticket, &e);
    if (rc == ZB_OK) {
        b->n++;
        return true;
    }
    if (rc == ZB_E_BUSY) {
        rc = drop_put(engine_dir(b->en), mine, file, payload, &e);
        str_copy(rc == ZB_OK ? STR("the mine is over its share: the file is kept and waits for its turn") : str_of(e.msg), t->u.reason, sizeof t->u.reason);
    }
    if (rc == ZB_E_IO) return waits(mine, &e);
    answer(b, mine, file, &t->u, code_of(rc));
    return true;
}

/* One sync for all that came together; then each is answered, in order. Only the log can fail now. */
static bool settle(void *arg) {
    struct broker *b = arg;
    struct zb_err e;
    bool good = true;
    for (int i = 0; i < b->n; i++) {
        struct taken *t = &b->taken[i];
        if (engine_submit_end(b->en, &t->ticket, &t->u, &e) == ZB_OK)
            answer(b, str_of(t->mine), str_of(t->file), &t->u, NULL);
        else
            good = waits(str_of(t->mine), &e);
    }
    b->n = 0;
    return good;
}

static int password_read(struct broker *b, const char *dir, struct zb_err *e) {
    char path[500];
    snprintf(path, sizeof path, "%s/keys/mqtt", dir);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(b->password, sizeof b->password, f)) b->password[0] = 0;
    if (f) fclose(f);
    b->password[strcspn(b->password, "\r\n")] = 0;
    if (!b->password[0]) return zb_fail(e, ZB_E_INPUT, "%s must hold the broker's password of the url's user in its first line", path);
    snprintf(b->ca, sizeof b->ca, "%.400s/keys/mqtt-ca.pem", dir);
    return ZB_OK;
}

int broker_start(struct engine *en, const char *url, struct broker **ret, struct zb_err *e) {
    struct broker *b = xcalloc(1, sizeof *b);
    b->en = en;
    int rc = password_read(b, engine_dir(en), e);
    const struct mqtt_config c = {.url = url,
                                  .password = b->password,
                                  .ca = access(b->ca, R_OK) == 0 ? b->ca : NULL,
                                  .client = "zhiben",
                                  .subscribe = UP "+/+",
                                  .message = take,
                                  .settle = settle,
                                  .arg = b};
    if (rc == ZB_OK) rc = mqtt_start(&c, &b->mqtt, e);
    if (rc != ZB_OK) {
        free(b);
        return rc;
    }
    *ret = b;
    return ZB_OK;
}

void broker_stop(struct broker *b) {
    if (!b) return;
    mqtt_stop(b->mqtt);
    free(b);
}
