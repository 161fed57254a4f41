/* Reply schemas in a short notation: {key:type,…} object, [type] array, s text, i whole number, n number, b true or false, t time, o any object;
 * `?` after a type: or null. Every key is required and no other is allowed. */
#include "op/op.h"

static void value(const char **p, struct json *j);

static void type_name(struct json *j, const char *t, bool nullable) {
    json_key(j, "type");
    if (!nullable) {
        json_z(j, t);
        return;
    }
    json_arr(j);
    json_z(j, t);
    json_z(j, "null");
    json_arr_end(j);
}

static struct str key_of(const char **p) {
    const char *k = *p;
    while (**p && **p != ':') (*p)++;
    if (**p != ':') ZB_BUG("schema: key without type at %s", k);
    struct str r = {k, (size_t)(*p - k)};
    (*p)++;
    return r;
}

static void object(const char **p, struct json *j) {
    struct str keys[64];
    int n = 0;
    (*p)++;
    json_key(j, "properties");
    json_obj(j);
    while (**p && **p != '}') {
        if (**p == ',') (*p)++;
        if (n == 64) ZB_BUG("schema: more than 64 keys");
        keys[n] = key_of(p);
        char name[64];
        str_copy(keys[n++], name, sizeof name);
        json_key(j, name);
        value(p, j);
    }
    if (**p != '}') ZB_BUG("schema: object not closed");
    (*p)++;
    json_end(j);
    json_key(j, "required");
    json_arr(j);
    for (int i = 0; i < n; i++) json_str(j, keys[i]);
    json_arr_end(j);
    json_key(j, "additionalProperties");
    json_bool(j, false);
}

static bool question(const char **p) {
    if (**p != '?') return false;
    (*p)++;
    return true;
}

static void value(const char **p, struct json *j) {
    json_obj(j);
    switch (**p) {
    case '{': {
        object(p, j);
        type_name(j, "object", question(p));
        break;
    }
    case '[':
        (*p)++;
        json_key(j, "items");
        value(p, j);
        if (**p != ']') ZB_BUG("schema: array not closed at %s", *p);
        (*p)++;
        type_name(j, "array", question(p));
        break;
    case 's':
        (*p)++;
        type_name(j, "string", question(p));
        break;
    case 'i':
        (*p)++;
        type_name(j, "integer", question(p));
        break;
    case 'n':
        (*p)++;
        type_name(j, "number", question(p));
        break;
    case 'b':
        (*p)++;
        type_name(j, "boolean", question(p));
        break;
    case 'o':
        (*p)++;
        type_name(j, "object", question(p));
        break;
    case 't':
        (*p)++;
        type_name(j, "string", question(p));
        json_key(j, "format");
        json_z(j, "date-time");
        break;
    case '*': (*p)++; break; /* anything */
    default: ZB_BUG("schema: unknown type at %s", *p);
    }
    json_end(j);
}

void schema_json(const char *notation, struct json *j) {
    const char *p = notation;
    value(&p, j);
    if (*p) ZB_BUG("schema: junk %s", p);
}

static void parameter(const struct op *op, const struct op_arg *a, struct json *j) {
    char mark[40] = "{";
    str_copy(str_of(a->name), mark + 1, sizeof mark - 2);
    mark[strlen(mark) + 1] = 0;
    mark[strlen(mark)] = '}';
    bool in_path = strstr(op->path, mark) != NULL;
    if (op->method != HTTP_GET && !op->file && !in_path) return;
    json_obj(j);
    json_key(j, "name");
    json_z(j, a->name);
    json_key(j, "in");
    json_z(j, in_path ? "path" : "query");
    json_key(j, "required");
    json_bool(j, in_path || a->required);
    json_key(j, "description");
    json_z(j, a->doc);
    json_key(j, "schema");
    schema_json(a->kind == ARG_INT ? "i" : "s", j);
    json_end(j);
}

static bool takes_bytes(const struct op *op) {
    return op->file || op->who == WHO_TOKEN;
}
static void body_schema(const struct op *op, struct json *j) {
    json_key(j, "requestBody");
    json_obj(j);
    json_key(j, "content");
    json_obj(j);
    json_key(j, takes_bytes(op) ? "application/octet-stream" : "application/json");
    json_obj(j);
    json_key(j, "schema");
    json_obj(j);
    json_key(j, "type");
    json_z(j, takes_bytes(op) ? "string" : "object");
    if (!takes_bytes(op)) {
        json_key(j, "properties");
        json_obj(j);
        for (int i = 0; i < OP_ARGS_MAX && op->arg[i].name; i++) {
            json_key(j, op->arg[i].name);
            schema_json(op->arg[i].kind == ARG_INT ? "i" : "s", j);
        }
        json_end(j);
    }
    for (int i = 0; i < 4; i++) json_end(j);
}

static void operation(const struct op *op, struct json *j) {
    static const char *const METHOD[] = {"get", "post", "delete"};
    json_key(j, METHOD[op->method]);
    json_obj(j);
    json_key(j, "operationId");
    json_z(j, op->name);
    json_key(j, "summary");
    json_z(j, op->doc);
    json_key(j, "x-who");
    json_z(j, op->who == WHO_ANYONE ? "anyone" : op->who == WHO_SESSION ? "session" : op->who == WHO_TOKEN ? "token" : op->right);
    json_key(j, "parameters");
    json_arr(j);
    for (int i = 0; i < OP_ARGS_MAX && op->arg[i].name; i++) parameter(op, &op->arg[i], j);
    json_arr_end(j);
    if (op->method == HTTP_POST) body_schema(op, j);
    json_key(j, "responses");
    json_obj(j);
    json_key(j, "200");
    json_obj(j);
    json_key(j, "description");
    json_z(j, "done");
    json_key(j, "content");
    json_obj(j);
    json_key(j, !strcmp(op->name, "events") ? "text/event-stream" : !strcmp(op->reply, REPLY_FILE) ? "application/octet-stream" : "application/json");
    json_obj(j);
    json_key(j, "schema");
    schema_json(op->reply, j);
    for (int i = 0; i < 5; i++) json_end(j);
}

void openapi_write(struct json *j) {
    json_obj(j);
    json_key(j, "openapi");
    json_z(j, "3.0.3");
    json_key(j, "info");
    json_obj(j);
    json_key(j, "title");
    json_z(j, "zhiben 治本");
    json_key(j, "version");
    json_z(j, "1");
    json_end(j);
    json_key(j, "paths");
    json_obj(j);
    for (int i = 0; i < OPS_N; i++) {
        bool first = OPS[i].path[0] != 0;
        for (int k = 0; k < i && first; k++) first = strcmp(OPS[k].path, OPS[i].path) != 0;
        if (!first) continue;
        json_key(j, OPS[i].path);
        json_obj(j);
        for (int k = i; k < OPS_N; k++)
            if (!strcmp(OPS[k].path, OPS[i].path)) operation(&OPS[k], j);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}
