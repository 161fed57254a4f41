/* Sends small files as fast as they are answered, over HTTP or a broker, for bench/front.mjs. One JSON object.
 * usage: bench_front http|mqtt PORT TOKENS FILES SENDERS POINTS PACK    TOKENS: "MINE TOKEN" a line. HTTP: SENDERS connections, each its share of the mines. MQTT: a client a mine, SENDERS messages under way each; a file counts when the province names it. */
#include "base/tar.h"
#include "base/time.h"
#include <arpa/inet.h>
#include <math.h>
#include <mosquitto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define MINES_MAX 1200
struct sender {
    pthread_t thread;
    int first, n; /* of the mines */
    int files;
    double *ms;
    int done, waits, refused;
};
static struct {
    char mine[24], token[80];
    struct mosquitto *q;
    int told, sent;
} mine[MINES_MAX];
static int mines, port, points, pack;
static zb_time start;

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* File k of a mine: all its points, some seconds after the one before. */
static void file_make(int m, int k, char name[80], struct buf *b) {
    char stamp[ZB_TIME_CAP], text[ZB_TIME_CAP];
    zb_time t = start + (zb_time)k * 10 * ZB_SECOND;
    snprintf(name, 80, "%s_CDSS_%s.txt", mine[m].mine, zb_time_stamp(t, stamp));
    zb_time_text(t, text);
    buf_printf(b, "%s;示范矿;%s~", mine[m].mine, text);
    for (int p = 0; p < points; p++)
        buf_printf(b, "%s01MN%04d;环境瓦斯;%d工作面;%.2f;%%CH4;0;%s~", mine[m].mine, p, 1101 + p / 8, 0.2 + 0.02 * ((p * 7 + k) % 11), text);
    buf_puts(b, "||");
}

static int dial(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) perror("connect"), exit(1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* Status of the answer; its body is read and, when wanted, kept. */
static int answer(int fd, struct buf *b) {
    char part[65536];
    buf_clear(b);
    for (;;) {
        ssize_t k = recv(fd, part, sizeof part, 0);
        if (k <= 0) return 0;
        buf_put(b, part, (size_t)k);
        char *end = strstr(b->p, "\r\n\r\n"), *n = end ? strcasestr(b->p, "Content-Length: ") : NULL;
        if (n && b->n >= (size_t)(end + 4 - b->p) + strtoul(n + 16, NULL, 10)) return atoi(b->p + 9);
    }
}

/* `pack` files of a mine, from the k-th on, as one request. */
static void request_make(int m, int k, struct buf *body, struct buf *q) {
    char name[80];
    ZB_AUTO(buf_done) struct buf one;
    buf_init(&one, 20u << 20);
    buf_clear(body);
    buf_clear(q);
    for (int i = 0; i < pack; i++) {
        buf_clear(&one);
        file_make(m, k + i, name, &one);
        if (pack > 1)
            tar_put(body, str_of(name), buf_str(&one));
        else
            buf_put(body, one.p, one.n);
    }
    if (pack > 1) tar_end(body);
    buf_printf(q, "POST /api/v1/uploads%s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n", pack > 1 ? "" : "/",
               pack > 1 ? "" : name, mine[m].token, body->n);
    buf_put(q, body->p, body->n);
}

static void *http_main(void *arg) {
    struct sender *s = arg;
    ZB_AUTO(buf_done) struct buf body;
    ZB_AUTO(buf_done) struct buf q;
    ZB_AUTO(buf_done) struct buf r;
    buf_init(&body, 20u << 20);
    buf_init(&q, 21u << 20);
    buf_init(&r, 8u << 20);
    int fd = dial();
    for (int k = 0; s->done < s->files; k += pack)
        for (int m = s->first; m < s->first + s->n && s->done < s->files; m++) {
            request_make(m, k, &body, &q);
            double from = now_ms();
            for (;;) {
                if (send(fd, q.p, q.n, MSG_NOSIGNAL) != (ssize_t)q.n) perror("send"), exit(1);
                int status = answer(fd, &r);
                bool again = status == 429 || (status == 200 && strstr(r.p, "\"busy\"")); /* a part of it: what was taken is then a duplicate */
                if (status == 200 && !again) break;
                if (!again) fprintf(stderr, "status %d: %s\n", status, r.p), exit(1);
                s->waits++;
                usleep(50000);
                if (status == 200) continue;
                close(fd);
                fd = dial();
            }
            for (int i = 0; i < pack && s->done < s->files; i++) s->ms[s->done++] = now_ms() - from;
        }
    close(fd);
    return NULL;
}

static void on_told(struct mosquitto *q, void *arg, const struct mosquitto_message *msg) {
    (void)q;
    (void)msg;
    __atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED);
}

static int mqtt_run(int files, int window) {
    mosquitto_lib_init();
    for (int m = 0; m < mines; m++) {
        char topic[80];
        struct mosquitto *q = mine[m].q = mosquitto_new(mine[m].mine, true, &mine[m].told);
        mosquitto_username_pw_set(q, mine[m].mine, mine[m].token);
        mosquitto_max_inflight_messages_set(q, (unsigned)window);
        mosquitto_message_callback_set(q, on_told);
        if (mosquitto_connect(q, "127.0.0.1", port, 60) || mosquitto_loop_start(q)) fprintf(stderr, "broker\n"), exit(1);
        snprintf(topic, sizeof topic, "zhiben/down/%s", mine[m].mine);
        mosquitto_subscribe(q, NULL, topic, 0);
    }
    sleep(2);
    double from = now_ms();
    ZB_AUTO(buf_done) struct buf body;
    buf_init(&body, 20u << 20);
    int sent = 0, told = 0;
    for (int k = 0; told < files;) {
        bool any = false;
        for (int m = 0; m < mines && sent < files; m++) {
            if (mine[m].sent - __atomic_load_n(&mine[m].told, __ATOMIC_RELAXED) >= window) continue;
            char name[80], topic[160];
            buf_clear(&body);
            file_make(m, k = mine[m].sent, name, &body);
            snprintf(topic, sizeof topic, "zhiben/up/%s/%s", mine[m].mine, name);
            mosquitto_publish(mine[m].q, NULL, topic, (int)body.n, body.p, 1, false);
            mine[m].sent++;
            sent++;
            any = true;
        }
        told = 0;
        for (int m = 0; m < mines; m++) told += __atomic_load_n(&mine[m].told, __ATOMIC_RELAXED);
        if (!any) usleep(1000);
        if (now_ms() - from > 300e3) fprintf(stderr, "only %d of %d answered\n", told, files), exit(1);
    }
    double s = (now_ms() - from) / 1e3;
    printf("{\"files\":%d,\"seconds\":%.2f,\"files_per_s\":%.0f,\"samples_per_s\":%.0f}\n", files, s, files / s, (double)files * points / s);
    return 0;
}

static int by_size(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

static int http_run(int files, int senders) {
    struct sender *s = xcalloc((size_t)senders, sizeof *s);
    double from = now_ms(), *all = xcalloc((size_t)files + (size_t)senders, sizeof *all);
    int waits = 0, n = 0;
    for (int i = 0; i < senders; i++) {
        s[i] = (struct sender){.first = mines * i / senders, .n = mines * (i + 1) / senders - mines * i / senders, .files = files / senders};
        if (!s[i].n) s[i].first = i % mines, s[i].n = 1;
        s[i].ms = xcalloc((size_t)s[i].files + 1, sizeof *s[i].ms);
        pthread_create(&s[i].thread, NULL, http_main, &s[i]);
    }
    for (int i = 0; i < senders; i++) {
        pthread_join(s[i].thread, NULL);
        memcpy(all + n, s[i].ms, (size_t)s[i].done * sizeof *all);
        n += s[i].done;
        waits += s[i].waits;
    }
    double sec = (now_ms() - from) / 1e3;
    qsort(all, (size_t)n, sizeof *all, by_size);
    printf("{\"files\":%d,\"seconds\":%.2f,\"files_per_s\":%.0f,\"samples_per_s\":%.0f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"told_to_wait\":%d}\n", n, sec, n / sec,
           (double)n * points / sec, all[n / 2], all[n * 99 / 100], waits);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 8) return 2;
    FILE *f = fopen(argv[3], "r");
    while (f && mines < MINES_MAX && fscanf(f, "%23s %79s", mine[mines].mine, mine[mines].token) == 2) mines++;
    if (!mines) fprintf(stderr, "no mines in %s\n", argv[3]), exit(1);
    fclose(f);
    port = atoi(argv[2]);
    points = atoi(argv[6]);
    pack = atoi(argv[7]);
    int files = atoi(argv[4]), senders = atoi(argv[5]);
    start = zb_now() / 10000 * 10000 - 6 * ZB_HOUR;
    return strcmp(argv[1], "mqtt") ? http_run(files, senders) : mqtt_run(files, senders);
}
