#include "model/page.h"

const char *const PAGE_FACE_KEY[] = {
#define X(id, key) key,
    PAGE_FACES(X)
#undef X
};
