/* The operation table: name, arguments, permission, reply schema, function. It is the API, the command line, the permission test and the OpenAPI
 * document at once: nothing is reachable that has no row here. */
#pragma once
#include "base/json.h"
#include "engine/engine.h"
#include "http/http.h"

enum op_arg_kind { ARG_NONE, ARG_TEXT, ARG_INT, ARG_TIME, ARG_FLAG, ARG_JSON }; /* ARG_JSON: an object in the body, its text elsewhere */
struct op_arg {
    const char *name;
    enum op_arg_kind kind;
    bool required, positional; /* positional: on the command line it follows DIR without its name */
    int64_t min, max;          /* ARG_INT; ARG_TEXT: max bytes (0: 200) */
    const char *doc;
};
#define OP_ARGS_MAX 8
#define REPLY_FILE "s"
struct op_call {
    const struct op *op;
    struct engine *en;
    struct policy *policy; /* a reference for the length of the call */
    struct db *db;         /* a reader */
    struct actor actor;
    bool known; /* actor is somebody */
    struct str value[OP_ARGS_MAX];
    int64_t number[OP_ARGS_MAX]; /* of ARG_INT, ARG_TIME (zb_time; ZB_TIME_NONE absent), ARG_FLAG */
    struct str address;
    struct str body;  /* of operations that take a file */
    const char *type; /* set by those that give a file: its media type; NULL: JSON */
    char disposition[700];
    struct arena *arena;
    struct json *out;
    char cookie[200];                 /* set by login and logout */
    char changed_alarm[ALARM_ID_CAP]; /* for the live stream */
};
enum op_who { WHO_ANYONE, WHO_SESSION, WHO_RIGHT, WHO_TOKEN };
struct op {
    const char *name;
    enum http_method method;
    const char *path; /* "/api/v1/mines/{mine}"; "" only on the command line */
    enum op_who who;
    const char *right; /* WHO_RIGHT */
    bool human;        /* a named person's act: not the local owner without a name */
    const char *doc;
    struct op_arg arg[OP_ARGS_MAX];
    const char *reply; /* schema notation, see schema.c; REPLY_FILE: bytes of the media type that fn sets */
    const char *list;  /* name of the array in the reply, printed a line each; NULL: the object itself */
    int (*fn)(struct op_call *c, struct zb_err *e);
    bool file; /* the body is a file's bytes, up to 20 MiB; arguments stand in the address */
};
extern const struct op OPS[];
extern const int OPS_N;
const struct op *op_find(struct str name);
/* Row for a method and path; *seen_path tells 405 from 404. Path parameters go to value[]. */
const struct op *op_route(enum http_method m, struct str path, struct str value[OP_ARGS_MAX], bool *seen_path);
int op_arg_index(const struct op *op, const char *name);
struct str op_text(const struct op_call *c, const char *name);
int64_t op_int(const struct op_call *c, const char *name, int64_t absent);
/* Checks and converts c->value by the row. */
ZB_MUST int op_args_check(struct op_call *c, struct zb_err *e);
/* Permission of the row, then the function; policy and reader are taken and given back here. JSON goes to body. */
ZB_MUST int op_run(struct op_call *c, struct buf *body, struct zb_err *e);
/* The actor of whoever owns the data directory (unix socket, command line). */
struct actor op_local_actor(void);

/* The reply schema as JSON Schema; ZB_BUG on a bad notation. */
void schema_json(const char *notation, struct json *j);
void openapi_write(struct json *j);
/* One alarm's row as the API shows it; false when absent. */
bool alarm_json(struct db *db, struct str id, struct json *j, struct zb_err *e);

/* The HTTP side. */
struct api;
ZB_MUST int api_start(struct engine **en, const char *dir, const char *listen, const char *web_dir, struct api **ret,
                      struct zb_err *e); /* opens the engine too */
int api_port(const struct api *a);
void api_stop(struct api *a); /* stops the server; the engine is the caller's to close, then api_free */
void api_free(struct api *a);
