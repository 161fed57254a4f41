/* To the province, several files under way at once; what counts is its own answer for each, not that of whoever carries it. */
#include "edge/edge.h"
#include "base/tar.h"
#include "mqtt/mqtt.h"
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ANSWER_WAIT 60
#define ANSWER_MAX ((size_t)256 << 10)
#define BACK_OFF_MOST 60
#define WAIT_MOST 3600

struct sender {
    const struct edge_config *c;
    CURL *curl;
    struct curl_slist *head;
    struct mqtt *mqtt;
    char down[80];
    int back_off, most;   /* files at once */
    pthread_mutex_t lock; /* answers over MQTT: what is under way, NULL nothing */
    pthread_cond_t told;
    struct parcel *p;
    int n;
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

/* Of a parcel that the object names; "ok" and no code at all say that it is there. */
static bool verdict(const json_t *o, struct parcel *p, int n) {
    const char *file = json_string_value(json_object_get(o, "file")), *code = json_string_value(json_object_get(o, "code")),
               *why = json_string_value(json_array_get(json_object_get(o, "reasons"), 0));
    int i = 0;
    while (file && i < n && !str_is(p[i].name, file)) i++;
    if (!file || i == n) return false;
    p[i].sent = !code || !strcmp(code, "ok") ? SENT : !strcmp(code, "busy") || !strcmp(code, "io") ? SENT_NOT : SENT_REFUSED;
    snprintf(p[i].why, sizeof p[i].why, "%s", why ? why : p[i].sent == SENT ? "" : code);
    return true;
}

int verdicts_read(struct str text, struct parcel *p, int n, int *wait) {
    json_t *o = json_loadb(text.p ? text.p : "", text.n, 0, NULL), *files = json_object_get(o, "files"), *one;
    json_int_t seconds = json_integer_value(json_object_get(o, "wait"));
    size_t i;
    int named = verdict(o, p, n);
    json_array_foreach(files, i, one) named += verdict(one, p, n);
    *wait = seconds > 0 && seconds < WAIT_MOST ? (int)seconds : 0;
    json_decref(o);
    return named;
}

static int open_of(const struct parcel *p, int n) {
    int open = 0;
    for (int i = 0; i < n; i++) open += p[i].sent == SENT_NOT;
    return open;
}

/* Not now: why, and after so many seconds again; 0: after 1, 2, 4 …. */
static void later(struct sender *s, struct parcel *p, int n, int seconds, int *wait, const char *why) {
    s->back_off = seconds ? 0 : s->back_off ? 2 * s->back_off : 1;
    if (s->back_off > BACK_OFF_MOST) s->back_off = BACK_OFF_MOST;
    *wait = seconds ? seconds : s->back_off;
    for (int i = 0; i < n; i++)
        if (p[i].sent == SENT_NOT) snprintf(p[i].why, sizeof p[i].why, "%s", why);
}

/* ---- HTTP ---- */
struct reply {
    struct buf body;
    long status; /* 0: none */
    curl_off_t retry;
    char trouble[300];
};
static void post(struct sender *s, const char *path, struct str body, struct reply *r) {
    char url[2000];
    snprintf(url, sizeof url, "%.1500s/api/v1/uploads%s", s->c->to, path);
    curl_easy_setopt(s->curl, CURLOPT_URL, url);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, body.p);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, &r->body);
    CURLcode rc = curl_easy_perform(s->curl);
    snprintf(r->trouble, sizeof r->trouble, "%.120s: %s", s->c->to, curl_easy_strerror(rc));
    if (rc != CURLE_OK) return;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &r->status);
    curl_easy_getinfo(s->curl, CURLINFO_RETRY_AFTER, &r->retry);
    char code[20];
    answer_read(buf_str(&r->body), "", r->trouble, code);
    if (!r->trouble[0]) snprintf(r->trouble, sizeof r->trouble, "%.120s answers with status %ld", s->c->to, r->status);
}

static void halve(struct sender *s, int n) { s->most = n > 1 ? n / 2 : 1; }

/* What the whole of it was answered with, when that says nothing of the single files. */
static void whole(struct sender *s, struct parcel *p, int n, const struct reply *r, int *wait) {
    bool unread = r->status == 200; /* somebody else's answer */
    int again = r->retry > 0 && r->retry < WAIT_MOST ? (int)r->retry : r->status == 401 ? BACK_OFF_MOST : 0;
    if (unread) later(s, p, n, 0, wait, "the answer does not name the file: is this the province?");
    if (!unread) later(s, p, n, again, wait, r->trouble);
    if (r->status == 429) halve(s, n);
}

static void post_one(struct sender *s, struct parcel *p, int *wait) {
    ZB_AUTO(buf_done) struct buf path;
    char *escaped = curl_easy_escape(s->curl, p->name.p, (int)p->name.n);
    struct reply r = {0};
    int ignored;
    buf_init(&path, 1000);
    buf_init(&r.body, ANSWER_MAX);
    buf_printf(&path, "/%s", escaped ? escaped : "");
    curl_free(escaped);
    post(s, path.p, p->bytes, &r);
    if (r.status == 200 && verdicts_read(buf_str(&r.body), p, 1, &ignored)) {
        s->back_off = 0;
    } else if (r.status == 400 || r.status == 403 || r.status == 409 || r.status == 413) {
        s->back_off = 0;
        p->sent = SENT_REFUSED;
        snprintf(p->why, sizeof p->why, "%s", r.trouble);
    } else {
        whole(s, p, 1, &r, wait);
    }
    buf_done(&r.body);
}

/* A refusal of the body as a whole tells of no file: it goes again in halves, in the end one by one. */
static void post_many(struct sender *s, struct parcel *p, int n, int *wait) {
    ZB_AUTO(buf_done) struct buf tar;
    struct reply r = {0};
    buf_init(&tar, (size_t)64 << 20);
    buf_init(&r.body, ANSWER_MAX);
    for (int i = 0; i < n; i++) tar_put(&tar, p[i].name, p[i].bytes);
    tar_end(&tar);
    post(s, "", buf_str(&tar), &r);
    if (r.status == 200 && verdicts_read(buf_str(&r.body), p, n, wait)) {
        s->back_off = 0;
        if (*wait) halve(s, n);
    } else if (r.status >= 400 && r.status < 500 && r.status != 401 && r.status != 408 && r.status != 429) {
        halve(s, n);
        for (int i = 0; i < n; i++) snprintf(p[i].why, sizeof p[i].why, "%.200s: %d files at once, now in halves", r.trouble, n);
    } else {
        whole(s, p, n, &r, wait);
    }
    buf_done(&r.body);
}

static void http_send(struct sender *s, struct parcel *p, int n, int *wait) {
    int most = s->most, k = 0;
    while (k < n && p[k].name.n <= TAR_NAME_MAX) k++; /* a longer name goes alone */
    if (k > 1)
        post_many(s, p, k, wait);
    else
        post_one(s, p, wait);
    if (s->most != most) return;
    if (most < EDGE_GROUP) s->most++;
    if (!*wait && open_of(p, n) == n) *wait = 1; /* an answer that says neither yes, no nor when */
}

/* ---- MQTT ---- */
static bool on_answer(void *arg, struct str topic, struct str payload) {
    struct sender *s = arg;
    int ignored;
    pthread_mutex_lock(&s->lock);
    if (s->p && str_is(topic, s->down) && payload.n < ANSWER_MAX && verdicts_read(payload, s->p, s->n, &ignored)) pthread_cond_signal(&s->told);
    pthread_mutex_unlock(&s->lock);
    return true;
}

/* Under lock: until all are answered, the line ends, or nothing was answered for a long time. */
static void answers_wait(struct sender *s) {
    for (int open; (open = open_of(s->p, s->n)) && mqtt_connected(s->mqtt, NULL);) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += ANSWER_WAIT;
        if (pthread_cond_timedwait(&s->told, &s->lock, &until) && open == open_of(s->p, s->n)) break;
    }
}

static void mqtt_send(struct sender *s, struct parcel *p, int n, int *wait) {
    struct zb_err e;
    char topic[300], away[160];
    int k = 0;
    if (!mqtt_connected(s->mqtt, away)) {
        later(s, p, n, 1, wait, away);
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->p = p;
    s->n = n;
    pthread_mutex_unlock(&s->lock);
    for (; k < n; k++) {
        snprintf(topic, sizeof topic, "zhiben/up/%s/" STR_FMT, s->c->mine, STR_ARG(p[k].name));
        if (mqtt_publish(s->mqtt, topic, p[k].bytes, &e) != ZB_OK) break;
    }
    pthread_mutex_lock(&s->lock);
    s->n = k;
    answers_wait(s);
    s->p = NULL;
    pthread_mutex_unlock(&s->lock);
    s->back_off = open_of(p, n) < n ? 0 : s->back_off;
    if (k < n)
        later(s, p, n, 1, wait, e.msg);
    else if (open_of(p, n))
        later(s, p, n, 0, wait, "the broker has the file, the province has not answered: it is sent again");
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
    s->most = EDGE_GROUP;
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
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->told);
    free(s);
}

int sender_most(const struct sender *s) { return s->most; }

void sender_send(struct sender *s, struct parcel *p, int n, int *wait) {
    *wait = 0;
    if (s->curl)
        http_send(s, p, n, wait);
    else
        mqtt_send(s, p, n, wait);
}
