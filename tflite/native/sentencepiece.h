/* What a SentencePiece model holds, read in sentencepiece_load.c and used in sentencepiece.c. */
#ifndef BERTKIT_SENTENCEPIECE_H
#define BERTKIT_SENTENCEPIECE_H

#include "model.h"

enum bk_sentencepiece_kind { BK_UNIGRAM, BK_BPE, BK_FALLBACK };

#define BK_UNDERLINE 0x2581             /* ▁, which stands for a space */

typedef struct {
    enum bk_sentencepiece_kind kind;
    bool at_blanks, prefix, cuts_at_spaces;
    bk_map pieces;                      /* the entries that are found in a text */
    int32_t unknown;
    double *scores, unknown_score;
    bk_map lengths;                     /* two code points -> the number of their lengths */
    bk_list *sizes;
    int size_count, size_space;
    bk_merges merges;
    int32_t bytes[256];
} bk_sentences;

bk_pieces bk_cut_sentencepiece(bk_room *room, const void *own, const bk_aligned *from, bool normalised);

#endif
