/* What the commands share. */
#pragma once
#include "op/op.h"
#include <jansson.h>

struct cli { /* parsed command line */
    const char *command, *dir;
    char **rest;
    int n; /* what follows DIR, options taken out */
    const char *option[32][2];
    int options;
    bool json, coverage;
};
const char *cli_option(const struct cli *c, const char *name); /* NULL absent */
/* Prints the error as one line; returns 1. */
int cli_failed(const struct zb_err *e);
int cli_usage(const char *why); /* returns 2 */

/* client.c: the server's own socket. */
struct client {
    int fd;
    char cookie[120], csrf[40];
};
bool client_open(struct client *c, const char *dir); /* false: DIR is not being served */
void client_close(struct client *c);
/* status, body (caller's buf). */
ZB_MUST int client_call(struct client *c, const char *method, const char *target, struct str body, int *status, struct buf *reply, struct zb_err *e);
ZB_MUST int client_login(struct client *c, const char *user, const char *password, struct zb_err *e);
ZB_MUST int target_encode(struct buf *out, struct str s); /* percent-encodes */

void print_reply(const struct op *op, struct str reply, bool json);
int cmd_operation(struct cli *c, const struct op *op, int taken);
int cmd_import(struct cli *c);
int cmd_serve(struct cli *c);
int cmd_edge(struct cli *c);
int cmd_paper(struct cli *c);
int cmd_history(struct cli *c);
const char *password_ask(const char *user, char *out, size_t cap);
