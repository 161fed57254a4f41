/* Uploads over an MQTT broker: a mine publishes the bytes of FILE to zhiben/up/MINE/FILE with QoS 1, as the broker's user MINE with its upload token as
 * password; the broker's access list holds each to its own topics (docs/mqtt.md). The broker has our acknowledgement only after the door's sync. What became
 * of the file is told on zhiben/down/MINE in the shape of an upload's reply, with `code` when it was refused: only this tells a mine that it is safe.
 * A mine over its quota does not hold up the others: its message is put, synced, into its drop folder and taken from there in its turn. */
#pragma once
#include "engine/engine.h"
struct broker;
/* The password of the url's user is the first line of DIR/keys/mqtt; DIR/keys/mqtt-ca.pem, where it is, are the certificates for mqtts. */
ZB_MUST int broker_start(struct engine *en, const char *url, struct broker **ret, struct zb_err *e);
/* zhiben/up/MINE/FILE with what may be a mine's code and some name; views into the topic. Pure. */
bool broker_topic(struct str topic, struct str *mine, struct str *file);
void broker_stop(struct broker *b);
