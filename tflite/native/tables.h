/* The Unicode tables, which tables.py writes: sets as pairs of first and last code points, maps as rows of a code
 * point, how many it becomes, and these. */
#ifndef BERTKIT_TABLES_H
#define BERTKIT_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define BK_TABLE(name) extern const int32_t bk_##name[]; extern const size_t bk_##name##_count

BK_TABLE(huggingface_delete);
BK_TABLE(huggingface_blank);
BK_TABLE(huggingface_space);
BK_TABLE(huggingface_punctuation);
BK_TABLE(huggingface_ideograph);
BK_TABLE(huggingface_lower);
BK_TABLE(huggingface_strip);
BK_TABLE(google_delete);
BK_TABLE(google_blank);
BK_TABLE(google_space);
BK_TABLE(google_punctuation);
BK_TABLE(google_ideograph);
BK_TABLE(google_lower);
BK_TABLE(google_strip);
BK_TABLE(google_cased);
BK_TABLE(google_ignorable);
BK_TABLE(bytelevel_letter);
BK_TABLE(bytelevel_number);
BK_TABLE(bytelevel_blank);
BK_TABLE(classes);
BK_TABLE(accents);
BK_TABLE(extend);
BK_TABLE(prepend);
BK_TABLE(control);
BK_TABLE(canonical);
BK_TABLE(compatibility);
BK_TABLE(compositions);
BK_TABLE(categories);
BK_TABLE(lower);

/* The bits of categories: rows of first, last, bits. */
enum { BK_LETTER = 1, BK_NUMBER = 2, BK_MARK = 4, BK_CLOSING = 8, BK_SIGN = 16, BK_DECIMAL = 32, BK_LOWER = 64,
       BK_OTHER_NUMBER = 128 };

#endif
