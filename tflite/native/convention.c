/* How the data that a tagger was trained on part words: bertkit/text/convention.py; see words.h. */
#include <string.h>

#include "tables.h"
#include "words.h"

struct bk_convention {
    bk_map after, alone, suffixes, known, unbroken;
    int longest;                    /* code points of a word of scripts without blanks */
    bool genitive;
};

static bool is_ideograph(int32_t c)
{
    return (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff)
        || (c >= 0x20000 && c <= 0x3ffff);
}

/* Whether a script is written without blanks between words. */
static bool is_without_blanks(int32_t c)
{
    static const int32_t RANGES[] = {0xe00, 0xeff, 0x1000, 0x109f, 0x1780, 0x17ff, 0x19e0, 0x19ff, 0x3041, 0x30ff,
        0x31f0, 0x31ff, 0xa9e0, 0xa9ff, 0xaa60, 0xaa7f, 0xff66, 0xff9d};
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i += 2)
        if (c >= RANGES[i] && c <= RANGES[i + 1])
            return true;
    return is_ideograph(c);
}

static bool is_mark(int32_t c)
{
    return (bk_category(c) & BK_SIGN) || c == 0x2bc;
}

static bool is_letter(int32_t c)
{
    return (bk_is_alphanumeric(c) && c != 0x2bc) || (bk_category(c) & BK_MARK);
}

static bool is_apostrophe(int32_t c)
{
    return c == '\'' || c == 0x2019 || c == 0x2018 || c == 0x2bc || c == 0x2032 || c == 0xff07 || c == 0x55a;
}

static int32_t lower(int32_t code)
{
    size_t low = 0, high = bk_lower_count / 2;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bk_lower[2 * middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < bk_lower_count / 2 && bk_lower[2 * low] == code ? bk_lower[2 * low + 1] : code;
}

/* Whether a capital sigma ends a word: a letter stands before it and none behind. */
static bool is_final(bk_text word, int at)
{
    return at && (bk_category(word.at[at - 1]) & BK_LETTER)
        && !(at + 1 < word.count && (bk_category(word.at[at + 1]) & BK_LETTER));
}

/* Returns a word in lower case, with ' for every apostrophe; where lower case is longer, in the case that it has. */
static bk_text plain(bk_room *room, bk_text word)
{
    bk_text found = {bk_take(room, (size_t) word.count + 1, 4), word.count};
    bool longer = false;
    for (int i = 0; i < word.count; i++)
        longer = longer || word.at[i] == 0x130;         /* the only one whose lower case is two code points */
    for (int i = 0; i < word.count; i++) {
        int32_t c = longer ? word.at[i] : word.at[i] == 0x3a3 && is_final(word, i) ? 0x3c2 : lower(word.at[i]);
        found.at[i] = is_apostrophe(c) ? '\'' : c;
    }
    return found;
}

static bk_map set_of(bk_room *room, const bk_json *fields, const char *name)
{
    bk_map found = {0};
    const bk_json *words = bk_values(room, fields, name, BK_STRING);
    for (int i = 0; i < words->count; i++)
        bk_put(room, &found, words->values[i]->text, 1);
    return found;
}

bk_convention *bk_convention_of(bk_room *room, const bk_json *fields)
{
    static const char *const KNOWN[] = {"after", "alone", "prefixes", "suffixes", "wholes", "unbroken", "genitive",
        NULL};
    bk_convention *own = bk_take(room, 1, sizeof *own);
    const bk_json *wholes = bk_values(room, fields, "wholes", BK_STRING);
    const bk_json *unbroken = bk_values(room, fields, "unbroken", BK_STRING);
    bk_only(room, fields, KNOWN);
    own->after = set_of(room, fields, "after");
    own->alone = set_of(room, fields, "alone");
    own->suffixes = set_of(room, fields, "suffixes");
    own->known = set_of(room, fields, "prefixes");
    own->unbroken = set_of(room, fields, "unbroken");
    own->genitive = bk_flag(room, fields, "genitive", true);
    for (int i = 0; i < wholes->count; i++)
        bk_put(room, &own->known, wholes->values[i]->text, 1);
    for (int i = 0; i < unbroken->count; i++)
        if (unbroken->values[i]->text.count > own->longest)
            own->longest = unbroken->values[i]->text.count;
    return own;
}

bool bk_is_whole(bk_room *room, const bk_convention *own, bk_text word)
{
    return bk_get(&own->known, plain(room, word)) >= 0;
}

bool bk_parts_genitive(const bk_convention *own)
{
    return own->genitive;
}

static void part_at_marks(bk_room *room, const bk_convention *own, bk_text text, int start, int end, bk_spans *found)
{
    for (int at = start + 1; at < end - 1; at++) {
        if (at <= start || !(is_mark(text.at[at]) && is_letter(text.at[at - 1]) && is_letter(text.at[at + 1])))
            continue;
        if (bk_is_whole(room, own, bk_part(text, start, end)))
            break;
        bk_text mark = plain(room, bk_part(text, at, at + 1));
        bool apostrophe = mark.at[0] == '\'';
        bool known = apostrophe && bk_is_whole(room, own, bk_part(text, start, at + 1));
        if (apostrophe && !known && bk_get(&own->suffixes, plain(room, bk_part(text, at, end))) >= 0) {
            bk_add_span(room, found, start, at);
            start = at;
        } else if (bk_get(&own->after, mark) >= 0 || known) {
            bk_add_span(room, found, start, at + 1);
            start = at + 1;
        } else if (bk_get(&own->alone, mark) >= 0) {
            bk_add_span(room, found, start, at);
            bk_add_span(room, found, at, at + 1);
            start = at + 1;
        }
    }
    if (start < end)
        bk_add_span(room, found, start, end);
}

static void part(bk_room *room, const bk_convention *own, bk_text text, int start, int end, bk_spans *found)
{
    bk_spans words = {{0}, {0}};
    bk_words(room, text, start, end, own, &words);
    for (int i = 0; i < words.starts.count; i++)
        part_at_marks(room, own, text, words.starts.at[i], words.ends.at[i], found);
}

/* Adds what the dictionary lacks: ideographs one by one, another script as a whole. */
static void add_unknown(bk_room *room, bk_text text, int start, int end, bk_spans *found)
{
    while (start < end) {
        int stop = start + 1;
        while (!is_ideograph(text.at[start]) && stop < end && !is_ideograph(text.at[stop]))
            stop++;
        bk_add_span(room, found, start, stop);
        start = stop;
    }
}

/* Adds the words of a stretch without blanks: the longest that the data have, and what is between them. */
static void look_up(bk_room *room, const bk_convention *own, bk_text text, int start, int end, bk_spans *found)
{
    int unknown = start, at = start;
    while (at < end) {
        int length = bk_category(text.at[at]) & BK_MARK ? 0 : own->longest < end - at ? own->longest : end - at;
        while (length && bk_get(&own->unbroken, bk_part(text, at, at + length)) < 0)
            length--;
        if (!length) {
            at++;
            continue;
        }
        add_unknown(room, text, unknown, at, found);
        bk_add_span(room, found, at, at + length);
        unknown = at += length;
    }
    add_unknown(room, text, unknown, end, found);
}

bk_spans bk_convention_words(bk_room *room, const bk_convention *own, bk_text text)
{
    bk_spans found = {{0}, {0}};
    int done = 0;
    for (int at = 0; own->longest && at < text.count;) {
        int end = at;
        while (end < text.count && is_without_blanks(text.at[end]))
            end++;
        if (end > at) {
            part(room, own, text, done, at, &found);
            look_up(room, own, text, at, end, &found);
            done = end;
        }
        at = end > at ? end : at + 1;
    }
    part(room, own, text, done, text.count, &found);
    return found;
}

void bk_at_apostrophes(bk_room *room, bk_text text, int start, int end, bk_spans *found)
{
    for (int at = start + 1; at < end - 1; at++)
        if (is_apostrophe(text.at[at]) && is_letter(text.at[at - 1]) && is_letter(text.at[at + 1])) {
            bk_add_span(room, found, start, at + 1);
            start = at + 1;
        }
    bk_add_span(room, found, start, end);
}

bool bk_is_unbroken(bk_text word)
{
    for (int at = 0; at < word.count;) {
        int stop = at + 1;
        while (!is_ideograph(word.at[at]) && stop < word.count && !is_ideograph(word.at[stop]))
            stop++;
        for (int i = at; i < stop && stop - at > 1; i++)
            if (is_without_blanks(word.at[i]))
                return true;
        at = stop;
    }
    return false;
}
