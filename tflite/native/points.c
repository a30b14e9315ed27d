/* The codepoint table of BERT; see normalize.h. */
#include <string.h>

#include "normalize.h"
#include "tables.h"

bk_aligned bk_unchanged(bk_room *room, bk_text text)
{
    bk_aligned found = {{text.at, text.count, text.count}, {bk_take(room, (size_t) text.count + 1, 4), text.count,
                        text.count}};
    for (int i = 0; i < text.count; i++)
        found.sources.at[i] = i;
    return found;
}

bk_text bk_codes(const bk_aligned *text)
{
    bk_text found = {text->codes.at, text->codes.count};
    return found;
}

void bk_align(bk_room *room, bk_aligned *to, const bk_aligned *before, int32_t code, int from)
{
    bk_push(room, &to->codes, code);
    bk_push(room, &to->sources, before->sources.at[from]);
}

int bk_source_start(const bk_aligned *text, int start, int end)
{
    return start < end ? text->sources.at[start] : bk_source_end(text, end);
}

int bk_source_end(const bk_aligned *text, int end)
{
    return end > 0 ? text->sources.at[end - 1] + 1 : 0;
}

static void fill(bk_points *points, const int32_t *ranges, size_t count, uint8_t kind)
{
    for (size_t i = 0; i < count; i += 2)
        memset(points->kinds + ranges[i], kind, (size_t) (ranges[i + 1] - ranges[i] + 1));
}

/* Reads rows of a table: {code point: the place of its row behind the code point}. */
static bk_map rows_of(bk_room *room, const int32_t *table, size_t count)
{
    bk_map found = {0};
    for (size_t i = 0; i < count; i += 2 + (size_t) table[i + 1]) {
        bk_text key = {(int32_t *) &table[i], 1};
        bk_put(room, &found, key, (int32_t) i + 1);
    }
    return found;
}

/* Adds what a code point becomes: each code point of a text, mapped by the rows of another table. */
static void add(bk_room *room, bk_points *points, const int32_t *code, const int32_t *text, int count,
                const bk_map *rows, const int32_t *table)
{
    bk_text key = {(int32_t *) code, 1};
    int place = points->made.count;
    bk_push(room, &points->made, 0);
    for (int i = 0; i < count; i++) {
        bk_text one = {(int32_t *) &text[i], 1};
        int32_t row = bk_get(rows, one);
        if (row < 0)
            bk_push(room, &points->made, text[i]);
        for (int k = 0; row >= 0 && k < table[row]; k++)
            bk_push(room, &points->made, table[row + 1 + k]);
    }
    points->made.at[place] = points->made.count - place - 1;
    bool same = points->made.at[place] == 1 && points->made.at[place + 1] == *code;
    if (same)
        points->made.count = place;
    else
        bk_put(room, &points->becomes, key, place);
}

/* Composes what code points become: accents are stripped before lower-casing, under Google's rules behind it. */
static void compose(bk_room *room, bk_points *points, bool google, bool lowercase, bool accents)
{
    const int32_t *strip = google ? bk_google_strip : bk_huggingface_strip;
    const int32_t *lower = google ? bk_google_lower : bk_huggingface_lower;
    size_t strips = !accents ? 0 : google ? bk_google_strip_count : bk_huggingface_strip_count;
    size_t lowers = !lowercase ? 0 : google ? bk_google_lower_count : bk_huggingface_lower_count;
    const int32_t *first = google ? lower : strip, *second = google ? strip : lower;
    size_t firsts = google ? lowers : strips, seconds = google ? strips : lowers;
    bk_map one = rows_of(room, first, firsts), two = rows_of(room, second, seconds);
    for (size_t i = 0; i < seconds; i += 2 + (size_t) second[i + 1]) {
        bk_text key = {(int32_t *) &second[i], 1};
        bk_map none = {0};
        if (bk_get(&one, key) < 0)
            add(room, points, &second[i], &second[i + 2], second[i + 1], &none, NULL);
    }
    for (size_t i = 0; i < firsts; i += 2 + (size_t) first[i + 1])
        add(room, points, &first[i], &first[i + 2], first[i + 1], &two, second);
}

/* Gives each code point that changes the kind of the first one that it becomes, as the kinds were before. */
static void follow_first(bk_room *room, bk_points *points)
{
    bk_list codes = {0}, kinds = {0};
    memset(points->kinds + 0xd800, BK_DELETED, 0x800);
    for (uint32_t i = 0; i < points->becomes.space; i++)
        if (points->becomes.keys[i].at) {
            int place = points->becomes.values[i];
            bk_push(room, &codes, points->becomes.keys[i].at[0]);
            bk_push(room, &kinds, points->kinds[points->made.at[place] ? points->made.at[place + 1] : 0xd800]);
        }
    for (int i = 0; i < codes.count; i++)
        points->kinds[codes.at[i]] = (uint8_t) kinds.at[i];
}

bk_points *bk_points_of(bk_room *room, bool google, bool lowercase, bool accents, bool clean, bool ideographs)
{
    bk_points *points = bk_take(room, 1, sizeof *points);
    compose(room, points, google, lowercase, accents);
    if (google) {
        fill(points, bk_google_space, bk_google_space_count, BK_SPACE);
        fill(points, bk_google_punctuation, bk_google_punctuation_count, BK_ISOLATED);
    } else {
        fill(points, bk_huggingface_space, bk_huggingface_space_count, BK_SPACE);
        fill(points, bk_huggingface_punctuation, bk_huggingface_punctuation_count, BK_ISOLATED);
    }
    follow_first(room, points);
    if (ideographs && google)
        fill(points, bk_google_ideograph, bk_google_ideograph_count, BK_ISOLATED);
    if (ideographs && !google)
        fill(points, bk_huggingface_ideograph, bk_huggingface_ideograph_count, BK_ISOLATED);
    if (clean) {
        fill(points, google ? bk_google_blank : bk_huggingface_blank,
             google ? bk_google_blank_count : bk_huggingface_blank_count, BK_SPACE);
        fill(points, google ? bk_google_delete : bk_huggingface_delete,
             google ? bk_google_delete_count : bk_huggingface_delete_count, BK_DELETED);
    }
    if (lowercase && google) {
        points->cased = bk_set_of(room, bk_google_cased, bk_google_cased_count);
        points->ignorable = bk_set_of(room, bk_google_ignorable, bk_google_ignorable_count);
    }
    return points;
}

bk_text bk_becomes(const bk_points *points, int32_t code, int32_t *own)
{
    bk_text found = {own, 1};
    *own = code;
    int32_t place = points->kinds[code] == BK_DELETED ? -1 : bk_get(&points->becomes, found);
    if (points->kinds[code] == BK_DELETED)
        found.count = 0;
    if (place >= 0) {
        found.at = points->made.at + place + 1;
        found.count = points->made.at[place];
    }
    return found;
}

/* Whether the next code point in a direction that is not skipped is a cased letter. */
static bool is_cased(const bk_points *points, bk_text text, int at, int step)
{
    int i = at + step;
    while (i >= 0 && i < text.count
           && (bk_in(points->ignorable, text.at[i]) || points->kinds[text.at[i]] == BK_DELETED))
        i += step;
    return i >= 0 && i < text.count && bk_in(points->cased, text.at[i]);
}

bk_text bk_final_sigmas(bk_room *room, const bk_points *points, bk_text text)
{
    bk_text found = text;
    for (int i = 0; points->cased && i < text.count; i++)
        if (text.at[i] == 0x3a3 && is_cased(points, text, i, -1) && !is_cased(points, text, i, 1)) {
            if (found.at == text.at) {
                found.at = bk_take(room, (size_t) text.count, 4);
                memcpy(found.at, text.at, 4 * (size_t) text.count);
            }
            found.at[i] = 0x3c2;
        }
    return found;
}
