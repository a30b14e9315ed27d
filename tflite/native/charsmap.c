/* The precompiled character map of a SentencePiece model (Kudo and Richardson 2018, section 3.2); see normalize.h. */
#include <string.h>

#include "normalize.h"
#include "tables.h"

enum { CLUSTER = 6, MOST = 1 << 20 };

struct bk_charsmap {
    bk_map entries;                 /* a text -> the number of what it becomes */
    bk_text *becomes;
    int count, space;
    bk_set keys;
    bk_set *extend, *prepend, *control;
};

typedef struct {
    bk_room *room;
    bk_charsmap *map;
    const uint8_t *units, *texts;
    size_t count, size;             /* units of 4 bytes; bytes of texts */
} reader;

static void damaged(bk_room *room)
{
    bk_fail(room, "The precompiled character map is damaged; copy the tokenizer's files again.");
}

static uint32_t unit(const reader *own, size_t place)
{
    const uint8_t *at = own->units + 4 * place;
    return at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 | (uint32_t) at[3] << 24;
}

static size_t follow(const reader *own, size_t place)
{
    uint32_t from = unit(own, place);
    size_t next = place ^ ((size_t) (from >> 10) << ((from & 1u << 9) >> 6));
    if (next >= own->count)
        damaged(own->room);
    return next;
}

static void enter(reader *own, const char *key, int length, size_t begin)
{
    bk_charsmap *map = own->map;
    const uint8_t *end = begin < own->size ? memchr(own->texts + begin, 0, own->size - begin) : NULL;
    if (!end || map->count == MOST)
        damaged(own->room);
    if (map->count == map->space) {
        map->space = map->space ? 2 * map->space : 256;
        bk_text *grown = bk_take(own->room, (size_t) map->space, sizeof *grown);
        if (map->count)
            memcpy(grown, map->becomes, (size_t) map->count * sizeof *grown);
        map->becomes = grown;
    }
    bk_text from = bk_decoded(own->room, key, (size_t) length, "The precompiled character map");
    map->becomes[map->count] = bk_decoded(own->room, (const char *) own->texts + begin,
                                          (size_t) (end - own->texts) - begin, "The precompiled character map");
    bk_put(own->room, &map->entries, from, map->count++);
    if (from.count == 1)
        bk_add(&map->keys, from.at[0], from.at[0]);
}

/* Reads the entries below a node; those of 6 bytes and more never match a text. */
static void walk(reader *own, size_t node, char *key, int length)
{
    for (uint32_t label = 1; label < 256 && length < CLUSTER - 1; label++) {
        size_t place = node ^ label;
        if (place >= own->count || (unit(own, place) & 0x800000ff) != label)
            continue;
        key[length] = (char) label;
        size_t next = follow(own, place);
        if (unit(own, place) >> 8 & 1)
            enter(own, key, length + 1, unit(own, next) & 0x7fffffff);
        walk(own, next, key, length + 1);
    }
}

static uint8_t *bytes_of(bk_room *room, bk_text base64, size_t *size)
{
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *found = bk_take(room, (size_t) base64.count + 4, 1);
    int count = base64.count, bits = 0;
    uint32_t held = 0;
    *size = 0;
    if (count % 4)
        damaged(room);
    for (int end = 0; end < 2 && count && base64.at[count - 1] == '='; end++)
        count--;
    for (int i = 0; i < count; i++) {
        int32_t c = base64.at[i];
        const char *place = c > 0 && c < 128 ? strchr(LETTERS, c) : NULL;
        if (!place)
            damaged(room);
        held = held << 6 | (uint32_t) (place - LETTERS);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            found[(*size)++] = (uint8_t) (held >> bits);
        }
    }
    return found;
}

bk_charsmap *bk_charsmap_of(bk_room *room, bk_text base64)
{
    size_t size = 0;
    char key[CLUSTER];
    bk_charsmap *map = bk_take(room, 1, sizeof *map);
    const uint8_t *bytes = bytes_of(room, base64, &size);
    reader own = {room, map, bytes, NULL, 1, 0};
    size_t trie = size < 4 ? 0 : unit(&own, 0);
    if (!trie || trie % 4 || trie > size - 4)
        damaged(room);
    own.units = bytes + 4;
    own.count = trie / 4;
    own.texts = own.units + trie;
    own.size = size - 4 - trie;
    map->extend = bk_set_of(room, bk_extend, bk_extend_count);
    map->prepend = bk_set_of(room, bk_prepend, bk_prepend_count);
    map->control = bk_set_of(room, bk_control, bk_control_count);
    walk(&own, follow(&own, 0), key, 0);
    return map;
}

static int run(bk_text text, int at, const bk_set *set)
{
    while (at < text.count && bk_in(set, text.at[at]))
        at++;
    return at;
}

/* Returns the end of the grapheme cluster that begins at a place and may change, -1 for none. */
static int cluster_end(const bk_charsmap *map, bk_text text, int at)
{
    int32_t c = text.at[at];
    if (c == '\r' && at + 1 < text.count && text.at[at + 1] == '\n')
        return at + 2;
    if (bk_in(&map->keys, c) && bk_in(map->control, c))
        return at + 1;
    int end = run(text, at, map->prepend);
    bool prepended = end > at, key = false;
    if (end < text.count) {
        c = text.at[end];
        bool base = !bk_in(map->extend, c) && !bk_in(map->prepend, c) && !bk_in(map->control, c);
        key = base && bk_in(&map->keys, c);
        end += base;
    }
    int after = run(text, end, map->extend);
    return prepended || key || after > end ? after : -1;
}

/* Adds what a text became: each code point comes from the one at its place, the last where there are no more. */
static void add(bk_room *room, bk_aligned *to, const bk_aligned *from, bk_text made, int start, int end)
{
    for (int i = 0; i < made.count; i++)
        bk_align(room, to, from, made.at[i], start + i < end ? start + i : end - 1);
}

static void change(bk_room *room, const bk_charsmap *map, const bk_aligned *from, int start, int end, bk_aligned *to)
{
    bk_text text = bk_codes(from);
    unsigned char ignored[4];
    int bytes = 0;
    for (int i = start; i < end; i++)
        bytes += bk_utf8_of(text.at[i], ignored);
    for (int stop = start + 1; bytes < CLUSTER && stop <= end; stop++) {
        int32_t found = bk_get(&map->entries, bk_part(text, start, stop));
        if (found >= 0) {
            add(room, to, from, map->becomes[found], start, end);
            return;
        }
    }
    for (int i = start; i < end; i++) {
        int32_t found = bk_get(&map->entries, bk_part(text, i, i + 1));
        add(room, to, from, found < 0 ? bk_part(text, i, i + 1) : map->becomes[found], i, i + 1);
    }
}

bk_aligned bk_apply_charsmap(bk_room *room, const bk_charsmap *map, const bk_aligned *from)
{
    bk_aligned found = {{0}, {0}};
    bk_text text = bk_codes(from);
    int done = 0;
    for (int at = 0; at < text.count; at++) {
        int32_t c = text.at[at];
        if (at < done || !(c > 0xffff || bk_in(map->extend, c) || bk_in(map->prepend, c) || bk_in(&map->keys, c)))
            continue;
        int start = at > done && cluster_end(map, text, at - 1) >= 0 ? at - 1 : at;
        int end = cluster_end(map, text, start);
        if (end < 0)
            continue;
        for (; done < start; done++)
            bk_align(room, &found, from, text.at[done], done);
        change(room, map, from, start, end, &found);
        done = end;
    }
    for (; done < text.count; done++)
        bk_align(room, &found, from, text.at[done], done);
    return found;
}
