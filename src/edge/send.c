/* One file at a time to the province; what counts is its own answer, not that of whoever carries it. */
#include "edge/edge.h"
#include "mqtt/mqtt.h"
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ANSWER_WAIT 60
#define ANSWER_MAX ((size_t)64 << 10)
#define BACK_OFF_MOST 60

struct sender {
    const struct edge_config *c;
    CURL *curl;
    struct curl_slist *head;
    struct mqtt *mqtt;
    char down[80];
    int back_off;
    pthread_mutex_t lock; /* the answer over MQTT */
    pthread_cond_t told;
    char file[200], *answer;
};

static size_t body_keep(char *p, size_t size, size_t n, void *arg) {
    struct buf *b = arg;
    buf_put(b, p, size * n);
    return size * n;
}

void answer_read(struct str text, const char *absent, char why[300], char code[20]) {
    json_t *o = json_loadb(text.p ? text.p : "", text.n, 0, NULL);
    const char *w = json_string_value(json_object_get(o, "error")), *k = json_string_value(json_object_get(o, "code"));
    if (!w) w = json_string_value(json_array_get(json_object_get(o, "reasons"), 0));
    snprintf(why, 300, "%s", w ? w : absent);
    snprintf(code, 20, "%s", k ? k : "");
    json_decref(o);
}

static enum sent later(struct sender *s, int seconds, int *wait) {
    s->back_off = seconds ? 0 : s->back_off ? 2 * s->back_off : 1;
    if (s->back_off > BACK_OFF_MOST) s->back_off = BACK_OFF_MOST;
    *wait = seconds ? seconds : s->back_off;
    return SENT_NOT;
}

static bool refused_for_good(long status) { return status == 400 || status == 403 || status == 409 || status == 413; }

static enum sent http_send(struct sender *s, struct str name, struct str bytes, int *wait, char why[300]) {
    ZB_AUTO(buf_done) struct buf reply;
    ZB_AUTO(buf_done) struct buf url;
    char code[20], *escaped = curl_easy_escape(s->curl, name.p, (int)name.n);
    curl_off_t retry = 0;
    long status = 0;
    buf_init(&reply, ANSWER_MAX);
    buf_init(&url, 2000);
    buf_printf(&url, "%s/api/v1/uploads/%s", s->c->to, escaped ? escaped : "");
    curl_free(escaped);
    curl_easy_setopt(s->curl, CURLOPT_URL, url.p);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, bytes.p);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes.n);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, &reply);
    CURLcode rc = curl_easy_perform(s->curl);
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(s->curl, CURLINFO_RETRY_AFTER, &retry);
    if (rc != CURLE_OK) {
        snprintf(why, 300, "%.120s: %s", s->c->to, curl_easy_strerror(rc));
        return later(s, 0, wait);
    }
    s->back_off = 0;
    answer_read(buf_str(&reply), "", why, code);
    if (status == 200) return SENT;
    if (!why[0]) snprintf(why, 300, "%.120s answers with status %ld", s->c->to, status);
    if (refused_for_good(status)) return SENT_REFUSED;
    return later(s, retry > 0 && retry < 3600 ? (int)retry : status == 401 ? BACK_OFF_MOST : 0, wait);
}

static bool on_answer(void *arg, struct str topic, struct str payload) {
    struct sender *s = arg;
    json_t *o = str_is(topic, s->down) && payload.n < ANSWER_MAX ? json_loadb(payload.p, payload.n, 0, NULL) : NULL;
    const char *file = json_string_value(json_object_get(o, "file"));
    pthread_mutex_lock(&s->lock);
    if (file && !strcmp(file, s->file)) {
        free(s->answer);
        s->answer = xstrndup(payload.p, payload.n);
        pthread_cond_signal(&s->told);
    }
    pthread_mutex_unlock(&s->lock);
    json_decref(o);
    return true;
}

static enum sent mqtt_send(struct sender *s, struct str name, struct str bytes, int *wait, char why[300]) {
    struct zb_err e;
    char topic[300], code[20];
    struct timespec until;
    snprintf(topic, sizeof topic, "zhiben/up/%s/" STR_FMT, s->c->mine, STR_ARG(name));
    pthread_mutex_lock(&s->lock);
    free(s->answer);
    s->answer = NULL;
    str_copy(name, s->file, sizeof s->file);
    pthread_mutex_unlock(&s->lock);
    bool heard = mqtt_connected(s->mqtt, why);
    if (heard && mqtt_publish(s->mqtt, topic, bytes, &e) != ZB_OK) {
        snprintf(why, 300, "%.290s", e.msg);
        heard = false;
    }
    if (!heard) return later(s, 1, wait);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ANSWER_WAIT;
    pthread_mutex_lock(&s->lock);
    while (!s->answer && mqtt_connected(s->mqtt, NULL))
        if (pthread_cond_timedwait(&s->told, &s->lock, &until)) break;
    char *answer = s->answer;
    s->answer = NULL;
    s->file[0] = 0;
    pthread_mutex_unlock(&s->lock);
    if (!answer) {
        snprintf(why, 300, "the broker has the file, the province has not answered: it is sent again");
        return later(s, 0, wait);
    }
    s->back_off = 0;
    answer_read(str_of(answer), "", why, code);
    free(answer);
    return code[0] ? SENT_REFUSED : SENT;
}

static int http_open(struct sender *s, struct zb_err *e) {
    char line[300];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    s->curl = curl_easy_init();
    if (!s->curl) return zb_fail(e, ZB_E_IO, "libcurl does not start");
    snprintf(line, sizeof line, "Authorization: Bearer %s", s->c->token);
    s->head = curl_slist_append(NULL, line);
    s->head = curl_slist_append(s->head, "Content-Type: application/octet-stream");
    s->head = curl_slist_append(s->head, "Expect:");
    curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(s->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT, 120L);
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->head);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, body_keep);
    if (s->c->ca[0]) curl_easy_setopt(s->curl, CURLOPT_CAINFO, s->c->ca);
    return ZB_OK;
}

int sender_open(const struct edge_config *c, struct sender **ret, struct zb_err *e) {
    struct sender *s = xcalloc(1, sizeof *s);
    s->c = c;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->told, NULL);
    snprintf(s->down, sizeof s->down, "zhiben/down/%s", c->mine);
    char client[60];
    snprintf(client, sizeof client, "edge-%s", c->mine);
    int rc;
    if (!strncmp(c->to, "mqtt", 4)) {
        const struct mqtt_config m = {
            .url = c->to, .password = c->token, .ca = c->ca[0] ? c->ca : NULL, .client = client, .subscribe = s->down, .message = on_answer, .arg = s};
        rc = mqtt_start(&m, &s->mqtt, e);
    } else if (!strncmp(c->to, "http://", 7) || !strncmp(c->to, "https://", 8)) {
        rc = http_open(s, e);
    } else {
        rc = zb_fail(e, ZB_E_INPUT, "to: \"%.100s\": write https://HOST, or mqtts://%s@HOST", c->to, c->mine);
    }
    if (rc != ZB_OK) {
        sender_close(s);
        return rc;
    }
    *ret = s;
    return ZB_OK;
}

void sender_close(struct sender *s) {
    if (!s) return;
    mqtt_stop(s->mqtt);
    if (s->curl) curl_easy_cleanup(s->curl);
    curl_slist_free_all(s->head);
    free(s->answer);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->told);
    free(s);
}

enum sent sender_send(struct sender *s, struct str name, struct str bytes, int *wait, char why[300]) {
    why[0] = 0;
    return s->curl ? http_send(s, name, bytes, wait, why) : mqtt_send(s, name, bytes, wait, why);
}
