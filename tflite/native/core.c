/* See core.h. */
#include "core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

/* With BK_SEPARATE each piece of memory is allocated on its own, so that sanitizers see what is read behind its end. */
#ifdef BK_SEPARATE
enum { BLOCK = 0, ALIGNMENT = 1 };
#else
enum { BLOCK = 1 << 16, ALIGNMENT = 16 };
#endif

struct bk_block {
    bk_block *next;
    size_t used, space;
    size_t padding;                 /* what follows is aligned for every type */
};

void *bk_take(bk_room *room, size_t count, size_t size)
{
    if (size && count > (SIZE_MAX / 4) / size)
        bk_fail(room, "There is no memory for so long a text or so large a file; give a smaller one.");
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    bk_block *block = room->blocks;
    if (!block || bytes > block->space - block->used) {
        size_t space = bytes > BLOCK ? bytes : BLOCK;
        block = malloc(sizeof *block + space);
        if (!block)
            bk_fail(room, "There is no memory left for this text or file; give a smaller one.");
        block->used = 0;
        block->space = space;
        block->next = room->blocks;
        room->blocks = block;
    }
    void *found = (char *) (block + 1) + block->used;
    block->used += bytes;
    return memset(found, 0, bytes);
}

void bk_fail(bk_room *room, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(room->error, sizeof room->error, format, values);
    va_end(values);
    longjmp(*room->out, 1);
}

void bk_free(bk_room *room)
{
    while (room->blocks) {
        bk_block *next = room->blocks->next;
        free(room->blocks);
        room->blocks = next;
    }
}

void bk_push(bk_room *room, bk_list *list, int32_t value)
{
    if (list->count == list->space) {
        int space = list->space ? 2 * list->space : 16;
        int32_t *grown = bk_take(room, (size_t) space, sizeof *grown);
        if (list->count)
            memcpy(grown, list->at, (size_t) list->count * sizeof *grown);
        list->at = grown;
        list->space = space;
    }
    list->at[list->count++] = value;
}

bk_text bk_part(bk_text text, int start, int end)
{
    bk_text part = {text.at + start, end - start};
    return part;
}

bool bk_same(bk_text one, bk_text other)
{
    return one.count == other.count && (!one.count || !memcmp(one.at, other.at, 4 * (size_t) one.count));
}

bool bk_is(bk_text text, const char *ascii)
{
    for (int i = 0; i < text.count; i++)
        if (!ascii[i] || text.at[i] != ascii[i])
            return false;
    return !ascii[text.count];
}

/* Whether a byte may follow a leading byte; its first follower is bounded where the code would be too small. */
static bool follows(int lead, int next, bool first)
{
    int least = first && lead == 0xe0 ? 0xa0 : first && lead == 0xf0 ? 0x90 : 0x80;
    int most = first && lead == 0xed ? 0x9f : first && lead == 0xf4 ? 0x8f : 0xbf;
    return next >= least && next <= most;
}

bk_text bk_decoded(bk_room *room, const char *bytes, size_t size, const char *strict)
{
    bk_text text = {bk_take(room, size + 1, sizeof *text.at), 0};
    if (size > INT32_MAX / 8)
        bk_fail(room, "%s has too many bytes; give a smaller one.", strict ? strict : "A line");
    for (size_t at = 0; at < size;) {
        int lead = (unsigned char) bytes[at++];
        int more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
        int32_t code = more < 1 ? lead : lead & 0x3f >> more;
        int left = more;
        while (left > 0 && at < size && follows(lead, (unsigned char) bytes[at], left == more)) {
            code = code << 6 | (bytes[at++] & 0x3f);
            left--;
        }
        if (left && strict)
            bk_fail(room, "%s is not UTF-8; copy the file again.", strict);
        text.at[text.count++] = left ? 0xfffd : code;
    }
    return text;
}

int bk_utf8_of(int32_t code, unsigned char *out)
{
    int count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = count - 1; i > 0; i--) {
        out[i] = (unsigned char) (0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (unsigned char) (count == 1 ? code : (0xf00 >> count & 0xff) | code);
    return count;
}

char *bk_utf8(bk_room *room, bk_text text)
{
    char *found = bk_take(room, 4 * (size_t) text.count + 1, 1);
    size_t size = 0;
    for (int i = 0; i < text.count; i++)
        size += (size_t) bk_utf8_of(text.at[i], (unsigned char *) found + size);
    return found;
}

static uint32_t hash(bk_text key)
{
    uint32_t found = 2166136261u;
    for (int i = 0; i < key.count; i++)
        found = (found ^ (uint32_t) key.at[i]) * 16777619u;
    return found ^ found >> 15;
}

static uint32_t slot(const bk_map *map, bk_text key)
{
    uint32_t i = hash(key) & (map->space - 1);
    while (map->keys[i].at && !bk_same(map->keys[i], key))
        i = (i + 1) & (map->space - 1);
    return i;
}

static void grow(bk_room *room, bk_map *map)
{
    bk_map old = *map;
    map->space = old.space ? 2 * old.space : 64;
    map->keys = bk_take(room, map->space, sizeof *map->keys);
    map->values = bk_take(room, map->space, sizeof *map->values);
    for (uint32_t i = 0; i < old.space; i++)
        if (old.keys[i].at) {
            uint32_t to = slot(map, old.keys[i]);
            map->keys[to] = old.keys[i];
            map->values[to] = old.values[i];
        }
}

void bk_put(bk_room *room, bk_map *map, bk_text key, int32_t value)
{
    static int32_t nothing;
    if (2 * (uint32_t) (map->count + 1) > map->space)
        grow(room, map);
    uint32_t i = slot(map, key);
    if (!map->keys[i].at) {
        map->count++;
        map->keys[i] = key;
        map->keys[i].at = key.at ? key.at : &nothing;
    }
    map->values[i] = value;
}

int32_t bk_get(const bk_map *map, bk_text key)
{
    if (!map->space)
        return -1;
    uint32_t i = slot(map, key);
    return map->keys[i].at ? map->values[i] : -1;
}

void bk_add(bk_set *set, int32_t first, int32_t last)
{
    for (int32_t code = first; code <= last; code++)
        set->bits[code >> 3] |= (uint8_t) (1 << (code & 7));
}

bk_set *bk_set_of(bk_room *room, const int32_t *ranges, size_t count)
{
    bk_set *set = bk_take(room, 1, sizeof *set);
    for (size_t i = 0; i < count; i += 2)
        bk_add(set, ranges[i], ranges[i + 1]);
    return set;
}

int bk_category(int32_t code)
{
    size_t low = 0, high = bk_categories_count / 3;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bk_categories[3 * middle + 1] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < bk_categories_count / 3 && bk_categories[3 * low] <= code ? bk_categories[3 * low + 2] : 0;
}

bool bk_is_blank(int32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool bk_is_space(int32_t c)
{
    return bk_is_blank(c) || (c >= 0x1c && c <= 0x1f);
}

bool bk_is_alphanumeric(int32_t code)
{
    return bk_category(code) & (BK_LETTER | BK_NUMBER);
}

bool bk_is_in_word(int32_t code)
{
    return code == '_' || bk_is_alphanumeric(code);
}
