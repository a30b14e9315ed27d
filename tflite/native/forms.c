/* The normalization forms of Unicode (sections 3.11 and 3.12); see normalize.h. */
#include <stdlib.h>
#include <string.h>

#include "normalize.h"
#include "tables.h"

enum { HANGUL = 0xac00, LEADING = 0x1100, VOWEL = 0x1161, TRAILING = 0x11a7, VOWELS = 21, TRAILINGS = 28,
       SYLLABLES = 11172, LEADINGS = 19 };

struct bk_form {
    bool composes;
    const int32_t *table;
    bk_map rows;                    /* a code point -> the place of its row behind the code point */
    uint8_t classes[BK_SIZE];
    bk_map pairs;                   /* two code points -> what they compose */
    bk_set moving;
};

/* A code point with its change: 1 is inserted, -n takes n more of the given ones. */
typedef struct {
    int32_t code;
    int change;
} part;

typedef struct {
    part *at;
    int count, space;
} parts;

static bk_map rows_of(bk_room *room, const int32_t *table, size_t count)
{
    bk_map found = {0};
    for (size_t i = 0; i < count; i += 2 + (size_t) table[i + 1]) {
        bk_text key = {(int32_t *) &table[i], 1};
        bk_put(room, &found, key, (int32_t) i + 1);
    }
    return found;
}

/* Whether a code point decomposes in both tables to the same. */
static bool is_canonical(const bk_form *form, const bk_map *canonical, int32_t code)
{
    bk_text key = {&code, 1};
    int32_t one = bk_get(&form->rows, key), other = bk_get(canonical, key);
    return one >= 0 && other >= 0 && form->table[one] == bk_canonical[other]
        && !memcmp(form->table + one, bk_canonical + other, 4 * ((size_t) bk_canonical[other] + 1));
}

static void remove_from(bk_set *set, int32_t first, int32_t last)
{
    for (int32_t code = first; code <= last; code++)
        set->bits[code >> 3] &= (uint8_t) ~(1 << (code & 7));
}

/* Reads what composes; a code point that decomposes to what composes to it again does not move. */
static void learn_compositions(bk_room *room, bk_form *form)
{
    bk_map canonical = rows_of(room, bk_canonical, bk_canonical_count);
    for (size_t i = 0; i < bk_compositions_count; i += 3) {
        bk_text pair = {(int32_t *) &bk_compositions[i + 1], 2};
        int32_t made = bk_compositions[i];
        bk_put(room, &form->pairs, pair, made);
        if (is_canonical(form, &canonical, made) && !form->classes[made])
            remove_from(&form->moving, made, made);
    }
    remove_from(&form->moving, HANGUL, HANGUL + SYLLABLES - 1);
    for (size_t i = 0; i < bk_compositions_count; i += 3)
        bk_add(&form->moving, bk_compositions[i + 2], bk_compositions[i + 2]);
    bk_add(&form->moving, VOWEL, VOWEL + VOWELS - 1);
    bk_add(&form->moving, TRAILING + 1, TRAILING + TRAILINGS - 1);
}

bk_form *bk_form_of(bk_room *room, bool compatibility, bool composes)
{
    bk_form *form = bk_take(room, 1, sizeof *form);
    size_t count = compatibility ? bk_compatibility_count : bk_canonical_count;
    form->composes = composes;
    form->table = compatibility ? bk_compatibility : bk_canonical;
    form->rows = rows_of(room, form->table, count);
    for (size_t i = 0; i < count; i += 2 + (size_t) form->table[i + 1])
        bk_add(&form->moving, form->table[i], form->table[i]);
    for (size_t i = 0; i < bk_classes_count; i += 2) {
        form->classes[bk_classes[i]] = (uint8_t) bk_classes[i + 1];
        bk_add(&form->moving, bk_classes[i], bk_classes[i]);
    }
    bk_add(&form->moving, HANGUL, HANGUL + SYLLABLES - 1);
    if (composes)
        learn_compositions(room, form);
    return form;
}

static void push(bk_room *room, parts *to, int32_t code, int change)
{
    if (to->count == to->space) {
        to->space = to->space ? 2 * to->space : 32;
        part *grown = bk_take(room, (size_t) to->space, sizeof *grown);
        if (to->count)
            memcpy(grown, to->at, (size_t) to->count * sizeof *grown);
        to->at = grown;
    }
    to->at[to->count].code = code;
    to->at[to->count++].change = change;
}

static void decompose(bk_room *room, const bk_form *form, int32_t code, parts *to)
{
    int number = code - HANGUL;
    bk_text key = {&code, 1};
    int32_t row = bk_get(&form->rows, key);
    if (number >= 0 && number < SYLLABLES) {
        push(room, to, LEADING + number / TRAILINGS / VOWELS, 0);
        push(room, to, VOWEL + number / TRAILINGS % VOWELS, 1);
        if (number % TRAILINGS)
            push(room, to, TRAILING + number % TRAILINGS, 1);
    } else if (row < 0) {
        push(room, to, code, 0);
    } else {
        for (int k = 0; k < form->table[row]; k++)
            push(room, to, form->table[row + 1 + k], k > 0);
    }
}

/* Sorts marks by their classes; equal ones keep their order. */
static void sort(bk_room *room, const bk_form *form, part *at, int count)
{
    part *sorted = bk_take(room, (size_t) count + 1, sizeof *sorted);
    int places[257] = {0};
    for (int i = 0; i < count; i++)
        places[form->classes[at[i].code] + 1]++;
    for (int i = 1; i < 257; i++)
        places[i] += places[i - 1];
    for (int i = 0; i < count; i++)
        sorted[places[form->classes[at[i].code]]++] = at[i];
    memcpy(at, sorted, (size_t) count * sizeof *at);
}

static parts decomposed(bk_room *room, const bk_form *form, const int32_t *codes, int count)
{
    parts found = {0};
    int begin = 0;
    for (int i = 0; i < count; i++)
        decompose(room, form, codes[i], &found);
    for (int i = 0; i <= found.count; i++)
        if (i == found.count || !form->classes[found.at[i].code]) {
            if (i - begin > 1)
                sort(room, form, found.at + begin, i - begin);
            begin = i + 1;
        }
    return found;
}

/* Returns what two code points compose, -1 for nothing. */
static int32_t composition(const bk_form *form, int32_t first, int32_t second)
{
    int number = first - HANGUL, trailing = second - TRAILING;
    int32_t both[2] = {first, second};
    bk_text key = {both, 2};
    if (first >= LEADING && first < LEADING + LEADINGS && second >= VOWEL && second < VOWEL + VOWELS)
        return HANGUL + ((first - LEADING) * VOWELS + second - VOWEL) * TRAILINGS;
    if (number >= 0 && number < SYLLABLES && number % TRAILINGS == 0 && trailing > 0 && trailing < TRAILINGS)
        return first + trailing;
    return bk_get(&form->pairs, key);
}

/* Composes what a decomposition holds, in its place (Unicode, section 3.11, D117). */
static void compose(const bk_form *form, parts *own)
{
    int count = 0, starter = -1, last = 0;
    for (int i = 0; i < own->count; i++) {
        part next = own->at[i];
        int class = form->classes[next.code];
        bool blocked = starter < 0 || (starter < count - 1 && last >= class);
        int32_t made = blocked ? -1 : composition(form, own->at[starter].code, next.code);
        if (made >= 0) {
            own->at[starter].code = made;
            own->at[starter].change += next.change - 1;
            continue;
        }
        if (!class)
            starter = count;
        own->at[count++] = next;
        last = class;
    }
    own->count = count;
}

static void place(bk_room *room, const parts *from, int start, const bk_aligned *before, bk_aligned *to)
{
    int taken = 0;
    for (int i = 0; i < from->count; i++) {
        int change = from->at[i].change;
        bk_align(room, to, before, from->at[i].code, start + (change > 0 ? taken - 1 : taken));
        taken += change > 0 ? 0 : 1 - change;
    }
}

bk_aligned bk_apply_form(bk_room *room, const bk_form *form, const bk_aligned *text)
{
    bk_aligned found = {{0}, {0}};
    const int32_t *codes = text->codes.at;
    int done = 0, count = text->codes.count;
    for (int at = 0; at < count; at++) {
        if (!bk_in(&form->moving, codes[at]))
            continue;
        int end = at;
        while (end < count && bk_in(&form->moving, codes[end]))
            end++;
        /* a code point that does not change itself may compose with those behind it */
        int start = form->composes && at > 0 ? at - 1 : at;
        for (; done < start; done++)
            bk_align(room, &found, text, codes[done], done);
        parts own = decomposed(room, form, codes + start, end - start);
        if (form->composes)
            compose(form, &own);
        place(room, &own, start, text, &found);
        done = end;
        at = end;
    }
    for (; done < count; done++)
        bk_align(room, &found, text, codes[done], done);
    return found;
}
