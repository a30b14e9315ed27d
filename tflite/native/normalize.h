/* Normalisation: the codepoint table of BERT, the forms of Unicode, character maps, and the steps of a tokenizer. */
#ifndef BERTKIT_NORMALIZE_H
#define BERTKIT_NORMALIZE_H

#include "core.h"
#include "json.h"

/* A changed text, and for each of its code points the number of the given one that it comes from. */
typedef struct {
    bk_list codes, sources;
} bk_aligned;

bk_aligned bk_unchanged(bk_room *room, bk_text text);
bk_text bk_codes(const bk_aligned *text);

/* Adds a code point that comes from one of the text before. */
void bk_align(bk_room *room, bk_aligned *to, const bk_aligned *before, int32_t code, int from);

/* Return where the given code points begin that those from `start` to `end` are from, and where they end. */
int bk_source_start(const bk_aligned *text, int start, int end);
int bk_source_end(const bk_aligned *text, int end);

enum { BK_JOINED, BK_DELETED, BK_SPACE, BK_ISOLATED };

/* What BERT's normalisation makes of every code point. */
typedef struct {
    uint8_t kinds[BK_SIZE];
    bk_map becomes;                 /* a code point -> the number of its first code point in `made` */
    bk_list made;                   /* for each: how many, and these */
    bk_set *cased, *ignorable;      /* NULL where no rule of the final sigma applies */
} bk_points;

bk_points *bk_points_of(bk_room *room, bool google, bool lowercase, bool accents, bool clean, bool ideographs);

/* Returns what a code point becomes; where it stays, itself, which `own` holds. */
bk_text bk_becomes(const bk_points *points, int32_t code, int32_t *own);

/* Puts a final sigma in the place of every capital sigma that ends a word; the text is copied where it changes. */
bk_text bk_final_sigmas(bk_room *room, const bk_points *points, bk_text text);

/* A normalization form of Unicode. */
typedef struct bk_form bk_form;
bk_form *bk_form_of(bk_room *room, bool compatibility, bool composes);
bk_aligned bk_apply_form(bk_room *room, const bk_form *form, const bk_aligned *text);

/* The precompiled character map of a SentencePiece model, from base64. */
typedef struct bk_charsmap bk_charsmap;
bk_charsmap *bk_charsmap_of(bk_room *room, bk_text base64);
bk_aligned bk_apply_charsmap(bk_room *room, const bk_charsmap *map, const bk_aligned *text);

/* The steps of a tokenizer. */
typedef struct bk_step bk_step;
typedef struct {
    bk_step *steps;
    int count;
} bk_normalizer;

/* Reads steps; behind them stands BERT's own step with these flags, where `bert` is not NULL. */
bk_normalizer bk_normalizer_of(bk_room *room, const bk_json *steps, const bk_charsmap *map, const char *bert);
bk_aligned bk_normalized(bk_room *room, const bk_normalizer *normalizer, bk_text text);

#endif
