/* An MQTT 3.1.1 client (libmosquitto) with one thread of its own: it connects, and connects again after 1, 2, 4 … 30 s.
 *
 * libmosquitto answers a QoS 1 message (PUBACK) before it calls back. Where it is told that it is used with threads it only queues that answer, and
 * here one thread reads what has come, calls back for each message, then `settle` for all of them, and only then writes: so a message is acknowledged, in
 * order, after both returned true, never before. After false the connection is cut with the answers unsent, and the broker sends those messages again (a
 * persistent session), also the ones that were kept. How many come at once is the broker's max_inflight_messages. */
#pragma once
#include "base/str.h"

struct mqtt_config {
    const char *url;                                                  /* mqtt://USER@HOST:PORT, or mqtts:// for TLS */
    const char *password;                                             /* of USER */
    const char *ca;                                                   /* file of certificates for mqtts; NULL the system's */
    const char *client;                                               /* the session's name at the broker: what is queued for it while it is away waits there */
    const char *subscribe;                                            /* filter, QoS 1; NULL none */
    bool (*message)(void *arg, struct str topic, struct str payload); /* on the client's thread */
    bool (*settle)(void *arg);                                        /* on the same thread, after the messages that had come; NULL none */
    void *arg;
};
#define MQTT_GROUP_MAX 256 /* messages before settle, at most */
struct mqtt;
ZB_MUST int mqtt_start(const struct mqtt_config *c, struct mqtt **ret, struct zb_err *e); /* ZB_E_INPUT: the url; a broker that is away is no error */
/* QoS 1, any thread. ZB_E_IO: not connected. A broker's acknowledgement says nothing of who will read it: wait for an answer of theirs. */
ZB_MUST int mqtt_publish(struct mqtt *m, const char *topic, struct str payload, struct zb_err *e);
bool mqtt_connected(struct mqtt *m, char why[160]); /* and subscribed: what is sent now has an answer that is heard; why not */
void mqtt_stop(struct mqtt *m);
