/* The words of a text, by the rules of bertkit/text/words.py; see words.h. */
#include "words.h"

#include <string.h>

#include "tables.h"

/* These are always words of their own: ideographs, the marks between them, and the dash. */
static const int32_t ALONE[] = {0x2014, 0x2014, 0x3001, 0x3003, 0x3008, 0x301f, 0x3400, 0x4dbf, 0x4e00, 0x9fff, 0xf900,
    0xfaff, 0xff01, 0xff0f, 0xff1a, 0xff20, 0xff3b, 0xff40, 0xff5b, 0xff65, 0x20000, 0x3ffff, -1};
static const int32_t EMOJI[] = {0x231a, 0x231b, 0x23e9, 0x23fa, 0x2600, 0x27bf, 0x2b05, 0x2b55, 0x1f000, 0x1faff, -1};
static const int32_t JOINED[] = {0x200d, 0x200d, 0x20e3, 0x20e3, 0xfe0f, 0xfe0f, 0xe0020, 0xe007f, -1};
static const int32_t OPENING[] = {'"', 0x201c, 0x201e, 0xab, 0x2039, '(', '[', '{', '<', 0xbf, 0xa1};

static bool within(const int32_t *ranges, int32_t code)
{
    for (; *ranges >= 0; ranges += 2)
        if (code >= ranges[0] && code <= ranges[1])
            return true;
    return false;
}

void bk_add_span(bk_room *room, bk_spans *spans, int start, int end)
{
    bk_push(room, &spans->starts, start);
    bk_push(room, &spans->ends, end);
}

/* Returns the end of one ideograph or mark, of joined emoji, or of a run of all else but blanks. */
static int stretch_end(bk_text text, int at, int end)
{
    if (within(ALONE, text.at[at]))
        return at + 1;
    bool emoji = within(EMOJI, text.at[at]);
    int stop = at + emoji;
    for (; stop < end; stop++) {
        int32_t c = text.at[stop];
        bool pictured = within(EMOJI, c);
        if (emoji ? !pictured && !within(JOINED, c) : pictured || bk_is_space(c) || within(ALONE, c))
            break;
    }
    return stop;
}

static int word_end(bk_text text, int at, int end)
{
    while (at < end && bk_is_in_word(text.at[at]))
        at++;
    return at;
}

/* Whether a mark opens a word; a quote before one or two letters ('s, 've) does not. */
static bool opens(bk_text text, int start, int end)
{
    for (size_t i = 0; i < sizeof OPENING / sizeof *OPENING; i++)
        if (text.at[start] == OPENING[i])
            return true;
    int letters = word_end(text, start + 1, end) - start - 1;
    return (text.at[start] == '\'' || text.at[start] == 0x2018) && letters != 1 && letters != 2;
}

/* Whether dots follow single letters (J. U.S.), or at least two times one or two (Ph.D.). */
static bool is_shortened(bk_text text, int start, int end)
{
    int parts = 0, longest = 0;
    while (start < end) {
        int stop = word_end(text, start, end), size = stop - start;
        if (!size || size > 2 || stop == end || text.at[stop] != '.')
            return false;
        longest = size > longest ? size : longest;
        parts++;
        start = stop + 1;
    }
    return longest == 1 || parts > 1;
}

/* Whether the last character of a word is a mark behind it. */
static bool closes(bk_text text, int start, int end)
{
    int32_t last = text.at[end - 1];
    if (last == '.' && is_shortened(text, start, end))
        return false;
    return last == '"' || last == '>'
        || ((bk_category(last) & BK_CLOSING) && !(last < 128 && strchr("@#&%*/\\", last)));
}

static void split(bk_room *room, bk_text text, int start, int end, const bk_convention *convention, bk_spans *found)
{
    bool letters = false;
    for (int i = start; i < end && !letters; i++)
        letters = bk_is_alphanumeric(text.at[i]);
    if (!letters) {
        bk_add_span(room, found, start, end);
        return;
    }
    for (; opens(text, start, end); start++)
        bk_add_span(room, found, start, start + 1);
    int last = end;
    while (closes(text, start, end)
           && !(convention && bk_is_whole(room, convention, bk_part(text, start, end))))
        end--;
    int stop = end;
    bool genitive = !convention || bk_parts_genitive(convention);
    if (genitive && end - start > 2 && (text.at[end - 2] == '\'' || text.at[end - 2] == 0x2019)
        && (text.at[end - 1] == 's' || text.at[end - 1] == 'S'))
        stop = end - 2;
    bk_add_span(room, found, start, stop);
    if (stop < end)
        bk_add_span(room, found, stop, end);
    for (; end < last; end++)
        bk_add_span(room, found, end, end + 1);
}

void bk_words(bk_room *room, bk_text text, int start, int end, const bk_convention *convention, bk_spans *found)
{
    while (start < end) {
        int stop = stretch_end(text, start, end);
        if (stop > start)
            split(room, text, start, stop, convention, found);
        start = stop > start ? stop : start + 1;
    }
}
