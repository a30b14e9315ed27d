/* Byte-level BPE (Radford et al. 2019); see model.h. */
#include "model.h"
#include "tables.h"

enum { NONE = -1, BLANK = 0, LETTER = 1, DIGIT = 2, OTHER = 3 };

typedef struct {
    bool prefix_space;
    int32_t ids[256];
    bk_merges merges;
    bk_set *letter, *number, *blank;
} bytelevel;

static int kind(const bytelevel *own, int32_t c)
{
    return bk_in(own->letter, c) ? LETTER : bk_in(own->number, c) ? DIGIT : bk_in(own->blank, c) ? BLANK : OTHER;
}

/* Returns the end of 's, 't, 'm, 'd, 're, 've or 'll; the place itself where none stands. */
static int ending(bk_text text, int at)
{
    int32_t one = at + 1 < text.count ? text.at[at + 1] : 0, two = at + 2 < text.count ? text.at[at + 2] : 0;
    if (one == 's' || one == 't' || one == 'm' || one == 'd')
        return at + 2;
    return (two == 'e' && (one == 'r' || one == 'v')) || (one == 'l' && two == 'l') ? at + 3 : at;
}

/* Returns the end of the word that GPT-2's pattern finds at a place. */
static int word_end(const bytelevel *own, bk_text text, int at)
{
    int end = text.at[at] == '\'' ? ending(text, at) : at;
    if (end > at)
        return end;
    int start = text.at[at] == ' ' && at + 1 < text.count ? at + 1 : at, first = kind(own, text.at[start]);
    if (first != BLANK) {
        for (end = start; end < text.count && kind(own, text.at[end]) == first;)
            end++;
        return end;
    }
    for (end = at; end < text.count && bk_in(own->blank, text.at[end]);)
        end++;
    return end < text.count && end > at + 1 ? end - 1 : end;
}

/* Adds a piece of bytes; its range leaves out the spaces at its ends. */
static void add(bk_room *room, bk_pieces *found, int32_t id, const bk_list *data, const bk_list *places, int first,
                int last, int begin, const bk_aligned *from)
{
    int before = 0, behind = 0;
    while (first + before < last && data->at[first + before] == ' ')
        before++;
    while (last - behind > first && data->at[last - behind - 1] == ' ')
        behind++;
    int end = places->at[last - 1] + 1;
    int start = places->at[first] + before < end ? places->at[first] + before : end;
    end = end - behind > start ? end - behind : start;
    bk_add_piece(room, found, id, bk_source_start(from, begin + start, begin + end), bk_source_end(from, begin + end));
}

/* Cuts one word, whose first code point is number `begin` of the prepared text. */
static void split(bk_room *room, const bytelevel *own, bk_text word, int begin, const bk_aligned *from,
                  bk_pieces *found)
{
    bk_list data = {0}, places = {0}, symbols = {0}, ends = {0};
    for (int i = 0; i < word.count; i++) {
        unsigned char bytes[4];
        bool surrogate = word.at[i] >= 0xd800 && word.at[i] < 0xe000;
        int count = bk_utf8_of(surrogate ? 0xfffd : word.at[i], bytes);
        for (int k = 0; k < count; k++)
            if (own->ids[bytes[k]] != NONE) {
                bk_push(room, &data, bytes[k]);
                bk_push(room, &places, i);
                bk_push(room, &symbols, own->ids[bytes[k]]);
            }
    }
    bk_merge(room, &own->merges, &symbols, &ends);
    for (int i = 0; i < symbols.count; i++)
        add(room, found, symbols.at[i], &data, &places, i ? ends.at[i - 1] : 0, ends.at[i], begin, from);
}

static bk_pieces cut(bk_room *room, const void *data, const bk_aligned *from, bool normalised)
{
    const bytelevel *own = data;
    bk_text text = bk_codes(from);
    bk_pieces found = {{0}, {0}, {0}};
    int shift = own->prefix_space && text.count && text.at[0] != ' ';
    (void) normalised;
    if (shift) {
        bk_list spaced = {0};
        bk_push(room, &spaced, ' ');
        for (int i = 0; i < text.count; i++)
            bk_push(room, &spaced, text.at[i]);
        text.at = spaced.at;
        text.count = spaced.count;
    }
    for (int at = 0; at < text.count;) {
        int end = word_end(own, text, at);
        split(room, own, bk_part(text, at, end), at - shift, from, &found);
        at = end;
    }
    return found;
}

bk_model *bk_bytelevel(bk_room *room, const bk_parts *parts)
{
    bytelevel *own = bk_take(room, 1, sizeof *own);
    bk_model *model = bk_take(room, 1, sizeof *model);
    int32_t other = 0x100, absent = NONE;
    bool any = false;
    bk_text words = bk_string(room, parts->settings, "words", (bk_text){NULL, 0});
    if (bk_flag(room, parts->settings, "whole_words", false) || (words.count && !bk_is(words, "gpt2")))
        bk_fail(room, "The tokenizer cuts words by other rules than GPT-2's, such as EuroBERT's, which this client "
                "does not know; answer in Python.");
    if (bk_flag(room, parts->settings, "unknown_bytes", false) && parts->unknown.count)
        absent = bk_get(&parts->ids, parts->unknown);
    for (int b = 0; b < 256; b++) {
        bool printable = (b > 0x20 && b < 0x7f) || (b > 0xa0 && b != 0xad);
        int32_t letter = printable ? b : other++;
        bk_text key = {&letter, 1};
        int32_t id = bk_get(&parts->ids, key);
        any = any || id >= 0;
        own->ids[b] = id < 0 ? absent : id;
    }
    if (!any)
        bk_fail(room, "The vocabulary has no entry for any byte; give one of byte-level BPE.");
    own->prefix_space = bk_flag(room, parts->settings, "prefix_space", false);
    own->merges = bk_merges_of(room, parts);
    own->letter = bk_set_of(room, bk_bytelevel_letter, bk_bytelevel_letter_count);
    own->number = bk_set_of(room, bk_bytelevel_number, bk_bytelevel_number_count);
    own->blank = bk_set_of(room, bk_bytelevel_blank, bk_bytelevel_blank_count);
    model->before = bk_normalizer_of(room, bk_values(room, parts->settings, "normalization", BK_LIST), NULL, NULL);
    model->whole = model->before;
    model->own = own;
    model->cut = cut;
    return model;
}
