/* Reads the SentencePiece models; see model.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sentencepiece.h"

static const double PENALTY = 10;       /* an unknown character scores this much below the lowest piece */

/* Enters the length of a piece under its first two code points, ascending. */
static void enter_length(bk_room *room, bk_sentences *own, bk_text piece)
{
    bk_text key = bk_part(piece, 0, 2);
    int32_t row = bk_get(&own->lengths, key);
    if (row < 0) {
        if (own->size_count == own->size_space) {
            own->size_space = own->size_space ? 2 * own->size_space : 256;
            bk_list *grown = bk_take(room, (size_t) own->size_space, sizeof *grown);
            if (own->size_count)
                memcpy(grown, own->sizes, (size_t) own->size_count * sizeof *grown);
            own->sizes = grown;
        }
        row = own->size_count++;
        bk_put(room, &own->lengths, key, row);
    }
    bk_list *sizes = &own->sizes[row];
    int i = sizes->count;
    for (int k = 0; k < sizes->count; k++)
        if (sizes->at[k] == piece.count)
            return;
    bk_push(room, sizes, 0);
    for (; i && sizes->at[i - 1] > piece.count; i--)
        sizes->at[i] = sizes->at[i - 1];
    sizes->at[i] = piece.count;
}

static void make_unigram(bk_room *room, bk_sentences *own, const bk_parts *parts)
{
    const bk_json *scores = bk_values(room, parts->tables, "scores", BK_NUMERAL);
    double least = INFINITY;
    if (scores->count != parts->vocabulary.count)
        bk_fail(room, "%d scores came with %d entries of the vocabulary; give one for each.", scores->count,
                parts->vocabulary.count);
    own->scores = bk_take(room, (size_t) scores->count + 1, sizeof *own->scores);
    for (int i = 0; i < scores->count; i++) {
        own->scores[i] = scores->values[i]->number;
        least = own->scores[i] < least ? own->scores[i] : least;
    }
    own->unknown_score = least - PENALTY;
    for (uint32_t i = 0; i < own->pieces.space; i++)
        if (own->pieces.keys[i].at && own->pieces.keys[i].count > 1)
            enter_length(room, own, own->pieces.keys[i]);
}

static void make_bytes(bk_room *room, bk_sentences *own, const bk_parts *parts)
{
    const bk_json *merges = bk_values(room, parts->tables, "merges", BK_STRING);
    for (int b = 0; b < 256; b++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", b);
        own->bytes[b] = bk_get(&parts->ids, bk_decoded(room, name, 6, NULL));
        bool apart = own->bytes[b] >= 0;
        for (uint32_t i = 0; apart && i < own->merges.pairs.space; i++) {
            bk_text pair = own->merges.pairs.keys[i];
            apart = !pair.at || (pair.at[0] != own->bytes[b] && pair.at[1] != own->bytes[b]);
        }
        if (!apart)
            bk_fail(room, "The vocabulary has no %s that stays apart, and characters that are no entry are written in "
                    "bytes; give the vocabulary of the checkpoint.", name);
    }
    own->cuts_at_spaces = true;
    for (int i = 0; i < merges->count; i++) {
        bk_text merge = merges->values[i]->text;
        int32_t before = BK_UNDERLINE;
        for (int k = 0, gap = 0; k < merge.count; k++) {
            if (merge.at[k] == ' ' && !gap++)
                continue;
            own->cuts_at_spaces = own->cuts_at_spaces && !(merge.at[k] == BK_UNDERLINE && before != BK_UNDERLINE);
            before = merge.at[k];
        }
    }
}

bk_model *bk_sentencepiece(bk_room *room, const bk_parts *parts, const char *kind)
{
    static const bk_text NONE = {NULL, 0};
    const bk_json *settings = parts->settings, *controls = bk_values(room, settings, "controls", BK_STRING);
    bk_sentences *own = bk_take(room, 1, sizeof *own);
    bk_model *model = bk_take(room, 1, sizeof *model);
    bk_text words = bk_string(room, settings, "words", NONE), map = bk_string(room, parts->tables, "charsmap", NONE);
    own->kind = !strcmp(kind, "unigram") ? BK_UNIGRAM : !strcmp(kind, "bpe") ? BK_BPE : BK_FALLBACK;
    own->at_blanks = !words.count || bk_is(words, "blanks");
    own->prefix = bk_flag(room, settings, "prefix", true);
    if (!own->at_blanks && !bk_is(words, "spaces"))
        bk_wrong(room, settings, "words", "\"blanks\" or \"spaces\"");
    own->unknown = parts->unknown.count ? bk_get(&parts->ids, parts->unknown) : -1;
    if (own->unknown < 0)
        bk_fail(room, "The vocabulary has no unknown token; give one with it.");
    bk_map hidden = {0};
    for (int i = 0; i < controls->count; i++)
        bk_put(room, &hidden, controls->values[i]->text, 1);
    for (int i = 0; i < parts->vocabulary.count; i++) {
        bk_text entry = parts->vocabulary.entries[i];
        if (entry.count && !bk_same(entry, parts->unknown) && bk_get(&hidden, entry) < 0)
            bk_put(room, &own->pieces, entry, i);
    }
    if (own->kind == BK_UNIGRAM)
        make_unigram(room, own, parts);
    else
        own->merges = bk_merges_of(room, parts);
    if (own->kind == BK_FALLBACK)
        make_bytes(room, own, parts);
    model->before = bk_normalizer_of(room, bk_values(room, settings, "normalization", BK_LIST),
                                     map.count ? bk_charsmap_of(room, map) : NULL, NULL);
    model->whole = model->before;
    model->own = own;
    model->cut = bk_cut_sentencepiece;
    return model;
}
