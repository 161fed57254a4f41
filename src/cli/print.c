/* Replies for people and for programs: --json one object a line, else aligned columns. */
#include "cli/cli.h"
#include <stdio.h>
#include <stdlib.h>

static int width(const char *s) { /* columns on a terminal: Chinese takes two */
    int w = 0;
    for (const unsigned char *p = (const unsigned char *)s; *p; p++)
        if ((*p & 0xc0) != 0x80) w += *p >= 0xe2 ? 2 : 1;
    return w;
}

static void cell(const json_t *v, char *out, size_t cap) {
    if (json_is_string(v)) {
        str_copy(str_of(json_string_value(v)), out, cap);
        for (char *p = out; *p; p++)
            if ((unsigned char)*p < ' ') *p = ' ';                           /* no control bytes from data to the terminal */
        if (strlen(out) == 25 && out[10] == 'T') out[10] = ' ', out[19] = 0; /* 2026-03-01T00:00:30+08:00 */
    } else if (json_is_null(v) || !v) {
        str_copy(STR("-"), out, cap);
    } else {
        char *t = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12));
        str_copy(str_of(t), out, cap);
        free(t);
    }
}

static void table(json_t *list) {
    json_t *first = json_array_get(list, 0), *v, *row;
    const char *key;
    size_t i;
    int w[64], n = 0;
    char text[200];
    if (!first) {
        printf("(nothing)\n");
        return;
    }
    if (!json_is_object(first)) {
        json_array_foreach(list, i, row) {
            cell(row, text, sizeof text);
            printf("%s\n", text);
        }
        return;
    }
    json_object_foreach(first, key, v) {
        if (n == 64) break;
        w[n] = width(key);
        json_array_foreach(list, i, row) {
            cell(json_object_get(row, key), text, sizeof text);
            if (width(text) > w[n]) w[n] = width(text);
        }
        printf("%s%*s", key, w[n] - width(key) + 2, "");
        n++;
    }
    printf("\n");
    json_array_foreach(list, i, row) {
        int k = 0;
        json_object_foreach(first, key, v) {
            if (k == 64) break;
            cell(json_object_get(row, key), text, sizeof text);
            printf("%s%*s", text, w[k] - width(text) + 2, "");
            k++;
        }
        printf("\n");
    }
}

static void line(const json_t *v) {
    char *t = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    puts(t);
    free(t);
}

void print_reply(const struct op *op, struct str reply, bool json) {
    json_error_t err;
    json_t *o = json_loadb(reply.p, reply.n, JSON_DECODE_ANY, &err), *v, *row;
    const char *key;
    size_t i;
    if (!o) {
        printf(STR_FMT "\n", STR_ARG(reply));
        return;
    }
    json_t *list = op->list ? json_object_get(o, op->list) : NULL;
    if (json) {
        if (list)
            json_array_foreach(list, i, row) line(row);
        else
            line(o);
    } else if (list) {
        table(list);
    } else {
        json_object_foreach(o, key, v) {
            char text[400];
            if (json_is_array(v) && json_is_object(json_array_get(v, 0))) {
                printf("%s:\n", key);
                table(v);
                continue;
            }
            cell(v, text, sizeof text);
            printf("%s: %s\n", key, text);
        }
    }
    json_decref(o);
}
