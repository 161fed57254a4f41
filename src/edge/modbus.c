/* Modbus TCP, reading only: functions 3 and 4. One request at a time; an answer that does not fit its request ends the connection. */
#include "edge/edge.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

void meter_close(struct meter *m) {
    if (m->fd >= 0) close(m->fd);
    m->fd = -1;
}

static int dial(struct meter *m, struct zb_err *e) {
    struct addrinfo hint = {.ai_socktype = SOCK_STREAM}, *list;
    int rc = getaddrinfo(m->host, m->port, &hint, &list);
    if (rc) return zb_fail(e, ZB_E_IO, "meter %s:%s: %s", m->host, m->port, gai_strerror(rc));
    m->fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool good = m->fd >= 0 && (connect(m->fd, list->ai_addr, list->ai_addrlen) == 0 || errno == EINPROGRESS);
    freeaddrinfo(list);
    struct pollfd p = {m->fd, POLLOUT, 0};
    int err = ETIMEDOUT;
    socklen_t n = sizeof err;
    if (good && poll(&p, 1, (int)m->timeout) == 1) getsockopt(m->fd, SOL_SOCKET, SO_ERROR, &err, &n);
    if (good && !err) return ZB_OK;
    meter_close(m);
    return zb_fail(e, ZB_E_IO, "meter %s:%s does not answer: %s", m->host, m->port, strerror(good ? err : errno));
}

static int receive(struct meter *m, unsigned char *to, size_t n, zb_time end) {
    for (size_t got = 0; got < n;) {
        zb_time left = end - zb_now();
        struct pollfd p = {m->fd, POLLIN, 0};
        if (left <= 0 || poll(&p, 1, (int)left) != 1) return -1;
        ssize_t k = recv(m->fd, to + got, n - got, 0);
        if (k <= 0) return -1;
        got += (size_t)k;
    }
    return 0;
}

static int registers_of(const struct meter_value *v) { return v->kind <= METER_I16 ? 1 : 2; }

void modbus_ask(const struct meter *m, const struct meter_value *v, uint16_t id, unsigned char q[MODBUS_ASK]) {
    const unsigned char made[MODBUS_ASK] = {(unsigned char)(id >> 8),
                                            (unsigned char)id,
                                            0,
                                            0,
                                            0,
                                            6,
                                            (unsigned char)m->unit,
                                            (unsigned char)v->function,
                                            (unsigned char)(v->address >> 8),
                                            (unsigned char)v->address,
                                            0,
                                            (unsigned char)registers_of(v)};
    memcpy(q, made, MODBUS_ASK);
}

int modbus_head(const struct meter *m, const struct meter_value *v, const unsigned char q[MODBUS_ASK], const unsigned char a[MODBUS_HEAD], struct zb_err *e) {
    int n = 2 * registers_of(v);
    if (memcmp(a, q, 4) != 0 || a[6] != q[6]) return zb_fail(e, ZB_E_INPUT, "meter %s:%s answers something else than was asked", m->host, m->port);
    if (a[7] == (q[7] | 0x80)) return zb_fail(e, ZB_E_INPUT, "meter %s:%s refuses %s with code %d", m->host, m->port, v->point, a[8]);
    if (a[7] != q[7] || a[8] != n || a[4] != 0 || a[5] != 3 + n)
        return zb_fail(e, ZB_E_INPUT, "meter %s:%s: an answer of %d bytes for %d registers", m->host, m->port, a[8], n / 2);
    return n;
}

bool modbus_value(const struct meter_value *v, const unsigned char *r, double *ret) {
    uint32_t hi = (uint32_t)r[0] << 8 | r[1], lo = registers_of(v) == 2 ? (uint32_t)r[2] << 8 | r[3] : 0, w = v->swap ? lo << 16 | hi : hi << 16 | lo;
    float f;
    memcpy(&f, &w, sizeof f);
    *ret = v->kind == METER_U16   ? (double)hi
           : v->kind == METER_I16 ? (double)(int16_t)hi
           : v->kind == METER_U32 ? (double)w
           : v->kind == METER_I32 ? (double)(int32_t)w
                                  : (double)f;
    *ret *= zb_fix_double(v->scale);
    return *ret == *ret && *ret > -9e12 && *ret < 9e12;
}

/* Registers of one value, at most two, big-endian as they came. */
static int ask(struct meter *m, const struct meter_value *v, unsigned char out[4], struct zb_err *e) {
    static uint16_t last;
    unsigned char q[MODBUS_ASK], a[MODBUS_HEAD];
    zb_time end = zb_now() + m->timeout;
    modbus_ask(m, v, ++last, q);
    if (send(m->fd, q, sizeof q, MSG_NOSIGNAL) != (ssize_t)sizeof q || receive(m, a, sizeof a, end) != 0)
        return zb_fail(e, ZB_E_IO, "meter %s:%s does not answer for %s", m->host, m->port, v->point);
    int n = modbus_head(m, v, q, a, e);
    if (n < 0) return n;
    if (receive(m, out, (size_t)n, end) != 0) return zb_fail(e, ZB_E_IO, "meter %s:%s: its answer for %s is cut short", m->host, m->port, v->point);
    return ZB_OK;
}

int meter_poll(struct meter *m, zb_time now, struct buf *csv, struct zb_err *e) {
    char t[ZB_TIME_CAP];
    if (m->fd < 0 && dial(m, e) != ZB_OK) return e->rc;
    buf_puts(csv, "point_code,time,value,state,unit,location\n");
    for (int i = 0; i < m->values; i++) {
        const struct meter_value *v = &m->value[i];
        unsigned char r[4];
        double x;
        if (ask(m, v, r, e) != ZB_OK) {
            meter_close(m);
            return e->rc;
        }
        if (!modbus_value(v, r, &x)) return zb_fail(e, ZB_E_INPUT, "meter %s:%s: %s is no number", m->host, m->port, v->point);
        buf_printf(csv, "%s,%s,%.6f,0,%s,%s\n", v->point, zb_time_text(now, t), x, v->unit, v->location);
    }
    return csv->over ? zb_fail(e, ZB_E_LIMIT, "meter %s:%s has too many values", m->host, m->port) : ZB_OK;
}
