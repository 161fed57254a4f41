#pragma once
#include "http/http.h"
/* etag "" none */
void files_serve(const char *root, const struct http_req *r, struct http_res *res, char etag[48]);
