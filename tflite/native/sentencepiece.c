/* The SentencePiece models: unigram (Kudo 2018), BPE, and BPE with bytes for what is no entry; see model.h. */
#include "sentencepiece.h"

#include <math.h>

static int32_t piece_of(const bk_sentences *own, int32_t code)
{
    bk_text key = {&code, 1};
    int32_t found = bk_get(&own->pieces, key);
    return found < 0 ? own->unknown : found;
}

static void step(int start, int end, int32_t piece, double score, double *best, int32_t *last, int *starts)
{
    if (best[start] + score > best[end]) {
        best[end] = best[start] + score;
        last[end] = piece;
        starts[end] = start;
    }
}

/* Finds the pieces with the largest sum of scores (Viterbi). */
static bk_pieces unigram(bk_room *room, const bk_sentences *own, bk_text word)
{
    int count = word.count;
    double *best = bk_take(room, (size_t) count + 1, sizeof *best);
    int32_t *last = bk_take(room, (size_t) count + 1, sizeof *last);
    int *starts = bk_take(room, (size_t) count + 1, sizeof *starts);
    for (int i = 1; i <= count; i++)
        best[i] = -INFINITY;
    for (int start = 0; start < count; start++) {
        int32_t one = piece_of(own, word.at[start]);
        step(start, start + 1, one, one == own->unknown ? own->unknown_score : own->scores[one], best, last, starts);
        int32_t row = start + 1 < count ? bk_get(&own->lengths, bk_part(word, start, start + 2)) : -1;
        for (int i = 0; row >= 0 && i < own->sizes[row].count && start + own->sizes[row].at[i] <= count; i++) {
            int end = start + own->sizes[row].at[i];
            int32_t longer = bk_get(&own->pieces, bk_part(word, start, end));
            if (longer >= 0)
                step(start, end, longer, own->scores[longer], best, last, starts);
        }
    }
    bk_list ids = {0}, ends = {0};
    for (int end = count; end > 0; end = starts[end])       /* unknown characters in a row are one token */
        if (last[end] != own->unknown || !ids.count || ids.at[ids.count - 1] != own->unknown) {
            bk_push(room, &ids, last[end]);
            bk_push(room, &ends, end);
        }
    bk_pieces found = {{0}, {0}, {0}};
    for (int i = ids.count - 1; i >= 0; i--)
        bk_add_piece(room, &found, ids.at[i], i + 1 < ids.count ? ends.at[i + 1] : 0, ends.at[i]);
    return found;
}

/* Merges the characters of a word, or where one is no entry and the model falls back on bytes, these. */
static bk_pieces merged(bk_room *room, const bk_sentences *own, bk_text word)
{
    bk_list symbols = {0}, starts = {0}, stops = {0}, ends = {0};
    bk_pieces found = {{0}, {0}, {0}};
    for (int i = 0; i < word.count; i++) {
        int32_t symbol = piece_of(own, word.at[i]);
        unsigned char bytes[4];
        bool in_bytes = own->kind == BK_FALLBACK && symbol == own->unknown;
        bool surrogate = word.at[i] >= 0xd800 && word.at[i] < 0xe000;
        int count = in_bytes ? bk_utf8_of(surrogate ? 0xfffd : word.at[i], bytes) : 1;
        if (!in_bytes && symbol == own->unknown && symbols.count && symbols.at[symbols.count - 1] == symbol) {
            stops.at[stops.count - 1] = i + 1;
            continue;
        }
        for (int k = 0; k < count; k++) {
            bk_push(room, &symbols, in_bytes ? own->bytes[bytes[k]] : symbol);
            bk_push(room, &starts, i);
            bk_push(room, &stops, i + 1);
        }
    }
    bk_merge(room, &own->merges, &symbols, &ends);
    for (int i = 0; i < symbols.count; i++)
        bk_add_piece(room, &found, symbols.at[i], starts.at[i ? ends.at[i - 1] : 0], stops.at[ends.at[i] - 1]);
    return found;
}

static bool ends_word(const bk_sentences *own, int32_t c)
{
    return c == BK_UNDERLINE || (own->at_blanks ? bk_is_blank(c) : c == ' ');
}

/* Returns the end of the word that begins at a place; the place itself where none does. */
static int word_end(const bk_sentences *own, bk_text text, int at)
{
    int end = at;
    if (own->kind == BK_FALLBACK) {
        if (!own->cuts_at_spaces)
            return text.count;
        while (end < text.count && text.at[end] == BK_UNDERLINE)
            end++;
        while (end < text.count && text.at[end] != BK_UNDERLINE)
            end++;
        return end;
    }
    end += text.at[at] == BK_UNDERLINE || (text.at[at] == ' ' && !own->at_blanks);
    while (end < text.count && !ends_word(own, text.at[end]))
        end++;
    return end;
}

/* Cuts one word; the ▁ that is put before it stands for the character behind it. */
static void split(bk_room *room, const bk_sentences *own, bk_text raw, int at, const bk_list *sources,
                  bk_pieces *found)
{
    bk_list word = {0};
    int shift = own->kind != BK_FALLBACK && own->prefix && raw.at[0] != BK_UNDERLINE && raw.at[0] != ' ';
    if (shift)
        bk_push(room, &word, BK_UNDERLINE);
    for (int i = 0; i < raw.count; i++)
        bk_push(room, &word, raw.at[i] == ' ' && own->kind != BK_FALLBACK ? BK_UNDERLINE : raw.at[i]);
    bk_text text = {word.at, word.count};
    bk_pieces pieces = own->kind == BK_UNIGRAM ? unigram(room, own, text) : merged(room, own, text);
    for (int i = 0; i < pieces.ids.count; i++) {
        int start = pieces.starts.at[i] - shift, end = pieces.ends.at[i] - shift;
        start = start < 0 ? 0 : start;
        end = end < 1 ? 1 : end;
        bk_add_piece(room, found, pieces.ids.at[i], sources->at[at + start], sources->at[at + end - 1] + 1);
    }
}

bk_pieces bk_cut_sentencepiece(bk_room *room, const void *data, const bk_aligned *from, bool normalised)
{
    const bk_sentences *own = data;
    bk_text text = bk_codes(from);
    bk_pieces found = {{0}, {0}, {0}};
    (void) normalised;
    for (int at = 0; at < text.count;) {
        int end = word_end(own, text, at);
        if (end > at)
            split(room, own, bk_part(text, at, end), at, &from->sources, &found);
        at = end > at ? end : at + 1;
    }
    return found;
}
