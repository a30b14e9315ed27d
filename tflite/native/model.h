/* The models of tokenizers: they cut a text into pieces of a vocabulary. */
#ifndef BERTKIT_MODEL_H
#define BERTKIT_MODEL_H

#include "core.h"
#include "json.h"
#include "normalize.h"

/* The pieces of a text: ids, and the code points that each covers. */
typedef struct {
    bk_list ids, starts, ends;
} bk_pieces;

void bk_add_piece(bk_room *room, bk_pieces *pieces, int32_t id, int start, int end);

typedef struct {
    bk_text *entries;
    int count;
} bk_vocabulary;

/* What a model is made of; `unknown` has no code points where there is no such token. */
typedef struct {
    bk_vocabulary vocabulary;
    bk_map ids;                     /* of equal entries the last counts */
    bk_text unknown;
    const bk_json *settings, *tables;
} bk_parts;

/* A model and how it is called. */
typedef struct bk_model bk_model;
struct bk_model {
    bk_normalizer before, whole;    /* before words are found; with BERT's own behind it */
    void *own;
    bk_pieces (*cut)(bk_room *room, const void *own, const bk_aligned *text, bool normalised);
};

bk_model *bk_wordpiece(bk_room *room, const bk_parts *parts);
bk_model *bk_bytelevel(bk_room *room, const bk_parts *parts);
bk_model *bk_sentencepiece(bk_room *room, const bk_parts *parts, const char *kind);

/* Byte-pair merges: {(left id, right id): rank, id of both as one}. */
typedef struct {
    bk_map pairs;                   /* the number of a merge */
    bk_list ids;                    /* what each merge gives */
} bk_merges;

bk_merges bk_merges_of(bk_room *room, const bk_parts *parts);

/* Merges symbols until no pair of the table is left; `ends` gets how many symbols lie before the end of each. */
void bk_merge(bk_room *room, const bk_merges *merges, bk_list *symbols, bk_list *ends);

#endif
