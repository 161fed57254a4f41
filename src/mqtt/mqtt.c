#include "mqtt/mqtt.h"
#include "base/log.h"
#include "base/num.h"
#include <mosquitto.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEPALIVE 30
#define TICK 200 /* ms; libmosquitto's own timers are looked at so often */
#define WAIT_MOST 30

struct mqtt {
    struct mqtt_config c;
    struct mosquitto *mosq;
    char host[200], user[64];
    int port, wake;
    bool stop, open, connected, cut; /* open: something can be sent; connected: and answers are heard */
    int group; /* messages called back since they were settled */
    char why[160];
    pthread_mutex_t lock; /* open, connected, why, stop */
    pthread_t thread;
    bool running;
};

static int url_parse(struct mqtt *m, bool *tls, struct zb_err *e) {
    struct str rest, u = str_of(m->c.url), host, port, user;
    *tls = u.n > 8 && !memcmp(u.p, "mqtts://", 8);
    if (!*tls && !(u.n > 7 && !memcmp(u.p, "mqtt://", 7))) goto bad;
    u.p += *tls ? 8 : 7;
    u.n -= *tls ? 8 : 7;
    user = str_cut(u, '@', &rest);
    if (!rest.p || !user.n || user.n >= sizeof m->user) goto bad;
    host = str_cut(rest, ':', &port);
    int64_t number = *tls ? 8883 : 1883;
    if (!host.n || host.n >= sizeof m->host || (port.p && !num_i64(port, 1, 65535, &number))) goto bad;
    str_copy(user, m->user, sizeof m->user);
    str_copy(host, m->host, sizeof m->host);
    m->port = (int)number;
    return ZB_OK;
bad:
    return zb_fail(e, ZB_E_INPUT, "broker \"%.100s\": write mqtt://USER@HOST:PORT, or mqtts:// for TLS", m->c.url);
}

/* why NULL: as it was said before */
static void state_set(struct mqtt *m, bool connected, const char *why) {
    pthread_mutex_lock(&m->lock);
    bool news = connected != m->connected || (why && strcmp(why, m->why) != 0);
    m->open = m->connected = connected;
    if (why) str_copy(str_of(why), m->why, sizeof m->why);
    why = m->why; /* this thread alone writes it */
    pthread_mutex_unlock(&m->lock);
    if (news)
        log_event("event=mqtt broker=%s:%d state=%s%s%s%s", m->host, m->port, connected ? "connected" : "away", why[0] ? " reason=\"" : "", why,
                  why[0] ? "\"" : "");
}

static void on_connect(struct mosquitto *q, void *arg, int rc) {
    struct mqtt *m = arg;
    if (rc || !m->c.subscribe) {
        state_set(m, rc == 0, rc ? mosquitto_connack_string(rc) : "");
        return;
    }
    pthread_mutex_lock(&m->lock);
    m->open = true; /* a broker hands over what it kept before it answers the subscription: that can be answered at once */
    pthread_mutex_unlock(&m->lock);
    mosquitto_subscribe(q, NULL, m->c.subscribe, 1);
}

static void on_subscribe(struct mosquitto *q, void *arg, int id, int n, const int *granted) {
    (void)q;
    (void)id;
    bool good = n == 1 && granted[0] != 128;
    state_set(arg, good, good ? "" : "the broker does not let this user subscribe: see its access list");
}

static void on_message(struct mosquitto *q, void *arg, const struct mosquitto_message *msg) {
    (void)q;
    struct mqtt *m = arg;
    if (m->cut) return; /* nothing behind what could not be kept is taken either: the order stays */
    m->group++;
    m->cut = !m->c.message(m->c.arg, str_of(msg->topic), (struct str){msg->payload ? msg->payload : "", (size_t)msg->payloadlen});
}

static bool stopped(struct mqtt *m) {
    pthread_mutex_lock(&m->lock);
    bool s = m->stop;
    pthread_mutex_unlock(&m->lock);
    return s;
}

static bool readable(int fd) {
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, 0) == 1;
}

/* What has come, a packet a time, as one group. */
static int group_read(struct mqtt *m) {
    int rc;
    do rc = mosquitto_loop_read(m->mosq, 1);
    while (rc == MOSQ_ERR_SUCCESS && !m->cut && m->group && m->group < MQTT_GROUP_MAX && readable(mosquitto_socket(m->mosq)));
    if (m->group && m->c.settle && !m->c.settle(m->c.arg)) m->cut = true;
    m->group = 0;
    return rc;
}

/* Until the connection ends. */
static const char *converse(struct mqtt *m) {
    int rc = MOSQ_ERR_SUCCESS;
    while (!stopped(m) && rc == MOSQ_ERR_SUCCESS) {
        int fd = mosquitto_socket(m->mosq);
        struct pollfd p[2] = {{fd, (short)(POLLIN | (mosquitto_want_write(m->mosq) ? POLLOUT : 0)), 0}, {m->wake, POLLIN, 0}};
        if (fd < 0 || poll(p, 2, TICK) < 0) break;
        uint64_t n;
        if (p[1].revents && read(m->wake, &n, sizeof n) < 0) ZB_BUG("eventfd");
        if (p[0].revents & (POLLIN | POLLERR | POLLHUP)) rc = group_read(m);
        if (m->cut) return "a message could not be kept: the broker sends it again";
        if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(m->mosq)) rc = mosquitto_loop_write(m->mosq, 1);
        if (rc == MOSQ_ERR_SUCCESS) rc = mosquitto_loop_misc(m->mosq);
    }
    return rc == MOSQ_ERR_SUCCESS ? "" : mosquitto_strerror(rc);
}

static void *mqtt_main(void *arg) {
    struct mqtt *m = arg;
    pthread_setname_np(pthread_self(), "mqtt");
    for (int wait = 1; !stopped(m);) {
        m->cut = false;
        int rc = mosquitto_connect(m->mosq, m->host, m->port, KEEPALIVE);
        const char *why = rc == MOSQ_ERR_SUCCESS ? converse(m) : mosquitto_strerror(rc);
        bool was = mqtt_connected(m, NULL);
        state_set(m, false, was || why[0] ? why : NULL);
        if (mosquitto_socket(m->mosq) >= 0) shutdown(mosquitto_socket(m->mosq), SHUT_RDWR); /* not a goodbye: that would send what is queued */
        wait = was && !m->cut ? 1 : wait;
        for (int i = 0; i < wait * 1000 / TICK && !stopped(m); i++) usleep(TICK * 1000);
        wait = wait * 2 < WAIT_MOST ? wait * 2 : WAIT_MOST;
    }
    return NULL;
}

static int start(struct mqtt *m, struct zb_err *e) {
    bool tls;
    if (url_parse(m, &tls, e) != ZB_OK) return e->rc;
    mosquitto_lib_init();
    m->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    m->mosq = mosquitto_new(m->c.client, false, m);
    if (!m->mosq || m->wake < 0) return zb_fail(e, ZB_E_IO, "libmosquitto does not start");
    mosquitto_threaded_set(m->mosq, true); /* see the header */
    mosquitto_connect_callback_set(m->mosq, on_connect);
    mosquitto_subscribe_callback_set(m->mosq, on_subscribe);
    mosquitto_message_callback_set(m->mosq, on_message);
    if (mosquitto_username_pw_set(m->mosq, m->user, m->c.password) != MOSQ_ERR_SUCCESS) return zb_fail(e, ZB_E_INPUT, "broker: user or password are not UTF-8");
    if (tls && mosquitto_tls_set(m->mosq, m->c.ca, m->c.ca ? NULL : "/etc/ssl/certs", NULL, NULL, NULL) != MOSQ_ERR_SUCCESS)
        return zb_fail(e, ZB_E_INPUT, "broker: cannot read the certificates of %s", m->c.ca ? m->c.ca : "/etc/ssl/certs");
    m->running = pthread_create(&m->thread, NULL, mqtt_main, m) == 0;
    return m->running ? ZB_OK : zb_fail(e, ZB_E_IO, "cannot start the broker's thread");
}

int mqtt_start(const struct mqtt_config *c, struct mqtt **ret, struct zb_err *e) {
    struct mqtt *m = xcalloc(1, sizeof *m);
    m->c = *c;
    m->wake = -1;
    str_copy(STR("not yet connected"), m->why, sizeof m->why);
    pthread_mutex_init(&m->lock, NULL);
    if (start(m, e) != ZB_OK) {
        mqtt_stop(m);
        return e->rc;
    }
    *ret = m;
    return ZB_OK;
}

int mqtt_publish(struct mqtt *m, const char *topic, struct str payload, struct zb_err *e) {
    pthread_mutex_lock(&m->lock);
    int away = m->open ? ZB_OK : zb_fail(e, ZB_E_IO, "the broker is away: %s", m->why);
    pthread_mutex_unlock(&m->lock);
    if (away) return away;
    int rc = mosquitto_publish(m->mosq, NULL, topic, (int)payload.n, payload.p, 1, false);
    uint64_t one = 1;
    if (write(m->wake, &one, sizeof one) < 0) log_event("event=mqtt_wake_failed");
    return rc == MOSQ_ERR_SUCCESS ? ZB_OK : zb_fail(e, ZB_E_IO, "the broker does not take it: %s", mosquitto_strerror(rc));
}

bool mqtt_connected(struct mqtt *m, char why[160]) {
    pthread_mutex_lock(&m->lock);
    bool c = m->connected;
    if (why) str_copy(str_of(m->why), why, sizeof m->why);
    pthread_mutex_unlock(&m->lock);
    return c;
}

void mqtt_stop(struct mqtt *m) {
    if (!m) return;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    pthread_mutex_unlock(&m->lock);
    if (m->running) pthread_join(m->thread, NULL);
    if (m->mosq) {
        mosquitto_destroy(m->mosq);
        mosquitto_lib_cleanup();
    }
    if (m->wake >= 0) close(m->wake);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
