/* What all parts of the library stand on: memory that is freed as a whole, errors that leave it at once, texts as code
 * points, lists, and maps from code points to numbers. */
#ifndef BERTKIT_CORE_H
#define BERTKIT_CORE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BK_SIZE 0x110000

/* Memory that is freed as a whole, and where an error leads. */
typedef struct bk_block bk_block;
typedef struct {
    bk_block *blocks;
    jmp_buf *out;
    char error[600];
} bk_room;

/* Returns memory full of zeros for so many things of a size. */
void *bk_take(bk_room *room, size_t count, size_t size);

/* Leaves the function that began: writes a sentence into room->error and jumps to room->out. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 2, 3)))
#endif
void bk_fail(bk_room *room, const char *format, ...);

/* Frees all memory of a room. */
void bk_free(bk_room *room);

/* A text of code points. */
typedef struct {
    int32_t *at;
    int count;
} bk_text;

/* A list of numbers that grows. */
typedef struct {
    int32_t *at;
    int count, space;
} bk_list;

void bk_push(bk_room *room, bk_list *list, int32_t value);

/* Returns code points from start to end of a text; they are not copied. */
bk_text bk_part(bk_text text, int start, int end);

bool bk_same(bk_text one, bk_text other);

/* Whether a text is this one in ASCII. */
bool bk_is(bk_text text, const char *ascii);

/* Reads UTF-8; each part that is not valid becomes U+FFFD, or where `strict` is set fails with `source` named. */
bk_text bk_decoded(bk_room *room, const char *bytes, size_t size, const char *strict);

/* Returns a text in UTF-8 with a 0 at its end. */
char *bk_utf8(bk_room *room, bk_text text);

/* Writes a code point in UTF-8 and returns how many bytes it has: 1 to 4. */
int bk_utf8_of(int32_t code, unsigned char *out);

/* A map from short texts to numbers. */
typedef struct {
    bk_text *keys;
    int32_t *values;
    uint32_t space;
    int count;
} bk_map;

/* Sets the value of a key, whose code points are not copied. */
void bk_put(bk_room *room, bk_map *map, bk_text key, int32_t value);

/* Returns the value of a key; -1 where there is none. */
int32_t bk_get(const bk_map *map, bk_text key);

/* A set of code points. */
typedef struct {
    uint8_t bits[BK_SIZE / 8];
} bk_set;

static inline bool bk_in(const bk_set *set, int32_t code)
{
    return set->bits[code >> 3] >> (code & 7) & 1;
}

void bk_add(bk_set *set, int32_t first, int32_t last);

/* Returns the set of pairs of first and last code points. */
bk_set *bk_set_of(bk_room *room, const int32_t *ranges, size_t count);

/* Classes of characters, as Python has them. */
int bk_category(int32_t code);
bool bk_is_blank(int32_t code);
bool bk_is_space(int32_t code);
bool bk_is_alphanumeric(int32_t code);
bool bk_is_in_word(int32_t code);

#endif
