/* The sentences of a text, by the rules of bertkit/text/sentences.py; see words.h. */
#include <string.h>

#include "tables.h"
#include "words.h"

static const char *const SHORT[] = {
    "mr", "mrs", "ms", "dr", "prof", "rev", "hon", "st", "sr", "jr", "gen", "col",
    "maj", "capt", "cmdr", "lt", "sgt", "sen", "rep", "gov", "pres", "vs", "cf", "etc",
    "al", "ca", "approx", "no", "vol", "pp", "fig", "eq", "sec", "dept", "univ", "inc",
    "ltd", "co", "corp", "mt", "ave", "jan", "feb", "mar", "apr", "jun", "jul", "aug",
    "sep", "sept", "oct", "nov", "dec", "e.g", "i.e", NULL};

enum { REACH = 12 };                    /* characters before a dot that an abbreviation can fill */

static bool is_end(int32_t c)
{
    return c == '.' || c == '!' || c == '?' || c == 0x2026;
}

/* Marks of Chinese and Japanese, the danda of Hindi, Arabic's question mark and Urdu's full stop. */
static bool is_bare(int32_t c)
{
    return c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0x964 || c == 0x965 || c == 0x61f || c == 0x6d4;
}

static bool is_quote(int32_t c)
{
    return c == '"' || c == '\'' || c == 0x201d || c == 0x2019 || c == 0xbb;
}

static int blanks_end(bk_text text, int at)
{
    while (at < text.count && bk_is_space(text.at[at]))
        at++;
    return at;
}

/* Returns the place behind the next line end where only blanks stand between; -1 where something else does. */
static int empty_line(bk_text text, int at)
{
    for (at++; at < text.count && text.at[at] != '\n' && bk_is_space(text.at[at]);)
        at++;
    return at < text.count && text.at[at] == '\n' ? at + 1 : -1;
}

/* Returns the end of what may end a sentence at a place; the place itself where nothing does. */
static int break_end(bk_text text, int at)
{
    int end = at;
    if (text.at[at] == '\n') {
        end = empty_line(text, at);
        return end < 0 ? at : blanks_end(text, end);
    }
    if (is_bare(text.at[at])) {
        for (end++; end < text.count && (text.at[end] == '!' || text.at[end] == '?' || is_bare(text.at[end]));)
            end++;
        while (end < text.count && (is_quote(text.at[end]) || text.at[end] == 0x300d || text.at[end] == 0x300f))
            end++;
        return blanks_end(text, end);
    }
    while (end < text.count && is_end(text.at[end]))
        end++;
    if (end == at)
        return at;
    while (end < text.count && (is_quote(text.at[end]) || text.at[end] == ')' || text.at[end] == ']'))
        end++;
    return end < text.count && bk_is_space(text.at[end]) ? blanks_end(text, end) : at;
}

static bool is_short(bk_text text, int least, int dot)
{
    for (int start = dot - 1; start >= least; start--) {
        if (start && bk_is_in_word(text.at[start - 1]))
            continue;
        for (const char *const *word = SHORT; *word; word++) {
            int i = 0, size = (int) strlen(*word);
            while (i < size && start + i < dot
                   && ((text.at[start + i] >= 'A' && text.at[start + i] <= 'Z' ? text.at[start + i] + 32
                        : text.at[start + i]) == (*word)[i]))
                i++;
            if (i == size && start + i == dot)
                return true;
        }
    }
    return false;
}

/* Whether a dot stands behind an abbreviation, or behind one letter with no letter before it. */
static bool is_abbreviated(bk_text text, int dot)
{
    int32_t c = dot ? text.at[dot - 1] : ' ';
    bool letter = bk_is_alphanumeric(c) && !(bk_category(c) & BK_DECIMAL);
    return (letter && (dot == 1 || !bk_is_in_word(text.at[dot - 2])))
        || is_short(text, dot > REACH ? dot - REACH : 0, dot);
}

static bool ends(bk_text text, int at, int end)
{
    if (!is_end(text.at[at]))
        return true;
    for (int i = at; i < end; i++)
        if (text.at[i] == '\n' && empty_line(text, i) >= 0 && empty_line(text, i) <= end)
            return true;
    if (end < text.count && (bk_category(text.at[end]) & BK_LOWER))
        return false;
    return !(text.at[at] == '.' && is_abbreviated(text, at));
}

static void add_stripped(bk_room *room, bk_text text, int start, int end, bk_spans *found)
{
    start = blanks_end(text, start);
    while (end > start && bk_is_space(text.at[end - 1]))
        end--;
    if (start < end)
        bk_add_span(room, found, start, end);
}

bk_spans bk_sentences_of(bk_room *room, bk_text text)
{
    bk_spans found = {{0}, {0}};
    int start = 0;
    for (int at = 0; at < text.count;) {
        int end = break_end(text, at);
        if (end > at && ends(text, at, end)) {
            add_stripped(room, text, start, end, &found);
            start = end;
        }
        at = end > at ? end : at + 1;
    }
    add_stripped(room, text, start, text.count, &found);
    return found;
}
