/* The proportions of a kind of paper, as read from policies/<p>/pages.yaml (GB/T 9704 for official letters, others for forms and lists).
 * Immutable, owned by the policy snapshot. Lengths in mm, type sizes and line steps in points. */
#pragma once
#include <stdbool.h>

#define PAGE_FACES(X) X(BODY, "body") X(TITLE, "title") X(HEI, "hei") X(KAI, "kai") X(SONG, "song")
enum page_face {
#define X(id, key) FACE_##id,
    PAGE_FACES(X)
#undef X
        PAGE_FACES_N
};
extern const char *const PAGE_FACE_KEY[];

struct page_style {
    const char *key;
    double width, height, top, right, bottom, left;                                        /* mm; the type area is what is left */
    double body_size, line_step, title_size, title_step, table_size, note_size, foot_size; /* pt */
    int line_chars;                                                                        /* characters a full line of body type holds; 0: as many as fit */
    bool outer_numbers;             /* page numbers at the outer edge (odd right, even left), else centred */
    const char *face[PAGE_FACES_N]; /* family names by preference, separated by commas; the first is named in DOCX */
};
