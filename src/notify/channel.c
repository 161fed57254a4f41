/* Channels: webhook and SMTP by libcurl, a program of the house's own for voice and SMS gateways, the log for a trial. */
#include "base/log.h"
#include "notify/notify.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
#define HTTP_SECONDS 10L
#define EXEC_MS 30000

static size_t swallow(char *p, size_t size, size_t n, void *arg) {
    (void)p, (void)arg;
    return size * n;
}

static int answered(CURL *c, CURLcode rc, const char *what, struct zb_err *e) {
    long status = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK) return zb_fail(e, ZB_E_IO, "%s: %s", what, curl_easy_strerror(rc));
    return status >= 200 && status < 300 ? ZB_OK : zb_fail(e, ZB_E_IO, "%s answered %ld", what, status);
}

static int webhook(const struct channel_rule *ch, const struct message *m, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    struct json j;
    buf_init(&b, 16 << 10);
    json_init(&j, &b);
    json_obj(&j);
    json_key(&j, "id");
    json_i64(&j, m->id);
    const char *const K[] = {"to", "title", "body", "subject", "area"}, *const V[] = {m->address, m->title, m->body, m->subject, m->area};
    for (int i = 0; i < 5; i++) {
        json_key(&j, K[i]);
        json_z(&j, V[i]);
    }
    json_key(&j, "urgent");
    json_bool(&j, m->urgent);
    json_end(&j);
    CURL *c = curl_easy_init();
    if (!c) return zb_fail(e, ZB_E_IO, "webhook: no memory");
    struct curl_slist *h = curl_slist_append(NULL, "Content-Type: application/json; charset=utf-8");
    curl_easy_setopt(c, CURLOPT_URL, ch->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, HTTP_SECONDS);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, h);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, b.p);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)b.n);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
    int rc = answered(c, curl_easy_perform(c), "webhook", e);
    curl_slist_free_all(h);
    curl_easy_cleanup(c);
    return rc;
}

static void base64(struct buf *out, struct str s, int line) {
    static const char A[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int n = 0;
    for (size_t i = 0; i < s.n; i += 3) {
        unsigned v = (unsigned)(unsigned char)s.p[i] << 16 | (i + 1 < s.n ? (unsigned)(unsigned char)s.p[i + 1] << 8 : 0) |
                     (i + 2 < s.n ? (unsigned char)s.p[i + 2] : 0);
        char c[4] = {A[v >> 18], A[v >> 12 & 63], i + 1 < s.n ? A[v >> 6 & 63] : '=', i + 2 < s.n ? A[v & 63] : '='};
        buf_put(out, c, 4);
        if (line && ++n % 19 == 0) buf_puts(out, "\r\n");
    }
}

struct mail {
    struct str text;
    size_t at;
};
static size_t mail_read(char *p, size_t size, size_t n, void *arg) {
    struct mail *m = arg;
    size_t room = size * n, left = m->text.n - m->at, take = left < room ? left : room;
    memcpy(p, m->text.p + m->at, take);
    m->at += take;
    return take;
}

static int smtp(const struct channel_rule *ch, const struct message *m, struct zb_err *e) {
    ZB_AUTO(buf_done) struct buf b;
    buf_init(&b, 64 << 10);
    if (!m->address[0] || !header_safe(m->address) || strpbrk(m->address, "<>,; "))
        return zb_fail(e, ZB_E_INPUT, "smtp: \"%.80s\" is not one mail address", m->address);
    buf_printf(&b,
               "From: <%s>\r\nTo: <%s>\r\nMessage-ID: <zhiben-%lld@%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
               "charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
               ch->from, m->address, (long long)m->id, strchr(ch->from, '@') ? strchr(ch->from, '@') + 1 : "zhiben");
    struct str title = str_of(m->title);
    buf_puts(&b, "Subject:");
    while (title.n) { /* encoded words of at most 45 bytes, cut between letters; no byte of the title is a header's */
        size_t n = title.n < 45 ? title.n : 45;
        while (n < title.n && n > 1 && ((unsigned char)title.p[n] & 0xc0) == 0x80) n--;
        buf_puts(&b, " =?utf-8?B?");
        base64(&b, (struct str){title.p, n}, 0);
        title = (struct str){title.p + n, title.n - n};
        buf_puts(&b, title.n ? "?=\r\n" : "?=");
    }
    buf_puts(&b, "\r\n\r\n");
    base64(&b, str_of(m->body), 1);
    buf_puts(&b, "\r\n");
    CURL *c = curl_easy_init();
    if (!c || b.over) return zb_fail(e, ZB_E_IO, "smtp: no room");
    struct curl_slist *to = curl_slist_append(NULL, m->address);
    struct mail mail = {buf_str(&b), 0};
    curl_easy_setopt(c, CURLOPT_URL, ch->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(c, CURLOPT_MAIL_FROM, ch->from);
    curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, mail_read);
    curl_easy_setopt(c, CURLOPT_READDATA, &mail);
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, HTTP_SECONDS);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    char password[200] = "";
    FILE *f = ch->password_file[0] ? fopen(ch->password_file, "r") : NULL;
    if (f && fgets(password, sizeof password, f)) password[strcspn(password, "\r\n")] = 0;
    if (f) fclose(f);
    if (ch->user[0]) {
        curl_easy_setopt(c, CURLOPT_USERNAME, ch->user);
        curl_easy_setopt(c, CURLOPT_PASSWORD, password);
    }
    CURLcode rc = curl_easy_perform(c);
    curl_slist_free_all(to);
    curl_easy_cleanup(c);
    return rc == CURLE_OK ? ZB_OK : zb_fail(e, ZB_E_IO, "smtp: %s", curl_easy_strerror(rc));
}

/* argv: number, address; title and body on stdin. No shell. Killed after 30 s; exit 0 is success. */
static int exec(const struct channel_rule *ch, const struct message *m, struct zb_err *e) {
    int in[2];
    pid_t pid;
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)m->id);
    char *argv[] = {(char *)ch->program, id, (char *)m->address, NULL};
    if (pipe2(in, O_CLOEXEC) != 0) return zb_fail(e, ZB_E_IO, "exec: %s", strerror(errno));
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    sigset_t none;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, in[0], 0);
    posix_spawnattr_init(&at);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&at, &none);
    posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK);
    int bad = posix_spawn(&pid, ch->program, &fa, &at, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&at);
    close(in[0]);
    if (!bad) {
        signal(SIGPIPE, SIG_IGN);
        fcntl(in[1], F_SETFL, O_NONBLOCK); /* a pipe holds it all: 64 KiB */
        ssize_t w = write(in[1], m->title, strlen(m->title));
        w = w < 0 ? w : write(in[1], "\n", 1);
        w = w < 0 ? w : write(in[1], m->body, strlen(m->body));
    }
    close(in[1]);
    if (bad) return zb_fail(e, ZB_E_IO, "exec: cannot start %s: %s", ch->program, strerror(bad));
    int status = 0;
    for (int waited = 0;; waited += 20) {
        pid_t done = waitpid(pid, &status, WNOHANG);
        if (done == pid) break;
        if (waited >= EXEC_MS || (done < 0 && errno != EINTR)) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return zb_fail(e, ZB_E_IO, "exec: %s did not end within %d s", ch->program, EXEC_MS / 1000);
        }
        poll(NULL, 0, 20);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? ZB_OK
               : zb_fail(e, ZB_E_IO, "exec: %s ended with %d", ch->program, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

int channel_send(void *arg, const struct policy *p, const struct message *m, struct zb_err *e) {
    (void)arg;
    for (int i = 0; i < p->channels; i++) {
        const struct channel_rule *ch = &p->channel[i];
        if (strcmp(ch->key, m->channel)) continue;
        if (ch->kind == CHANNEL_WEBHOOK) return webhook(ch, m, e);
        if (ch->kind == CHANNEL_SMTP) return smtp(ch, m, e);
        if (ch->kind == CHANNEL_EXEC) return exec(ch, m, e);
        log_event("event=notice id=%lld subject=%s urgent=%d", (long long)m->id, m->subject, m->urgent);
        return ZB_OK;
    }
    return zb_fail(e, ZB_E_INPUT, "channel \"%s\" is not in the policy any more", m->channel);
}
