/* Texts to ids, and ids to rows of a model's input. */
#ifndef BERTKIT_TOKENIZER_H
#define BERTKIT_TOKENIZER_H

#include "core.h"
#include "json.h"
#include "model.h"

enum { BK_FIRST = -1, BK_SECOND = -2, BK_NO_TOKEN = -3 };

/* A place of a row: the id of a special token, BK_FIRST or BK_SECOND, and its segment. */
typedef struct {
    int32_t id, segment;
} bk_slot;

typedef struct {
    bk_slot *slots;
    int count;
} bk_layout;

/* A row, with special tokens and without padding. */
typedef struct {
    bk_list ids, segments;
} bk_row;

typedef struct bk_splitter bk_splitter;

typedef struct {
    bk_model *model;
    bk_map ids;                     /* of the vocabulary and the added tokens */
    bk_splitter *raw, *normal;      /* what finds added tokens, in a text and in a normalised one */
    bk_layout single, pair;
    bool pads_right;
    int32_t padding_segment, pad, cls;
} bk_tokenizer;

/* Makes a tokenizer; `tables` is vocabulary.json, or NULL where `lines` are those of vocab.txt. */
bk_tokenizer *bk_tokenizer_of(bk_room *room, const bk_json *settings, const bk_json *tables, bk_text lines);

/* Returns whether the vocabulary of a kind is a vocab.txt. */
bool bk_has_lines(bk_text kind);

/* Returns the tokens of a text, without special tokens around them. */
bk_pieces bk_tokens(bk_room *room, const bk_tokenizer *tokenizer, bk_text text);

/* Returns a text as the model's words are found in it. */
bk_text bk_normal_text(bk_room *room, const bk_tokenizer *tokenizer, bk_text text);

/* Returns how many tokens of text fit beside the special tokens. */
int bk_room_of(bk_room *room, const bk_tokenizer *tokenizer, int length, bool paired);

/* Makes a row of a text or of a pair, cut to a length; `second` is NULL for a single text. */
bk_row bk_row_of(bk_room *room, const bk_tokenizer *tokenizer, const bk_list *first, const bk_list *second, int length);

/* Returns how many tokens of the first and of the second text stay; the longer is cut first. */
void bk_truncate(int first, int second, int room, int kept[2]);

/* One window of a long text. */
typedef struct {
    bk_row row;
    int start, end, place, cls;
} bk_window;

typedef struct {
    bk_window *at;
    int count;
    int *chosen;                    /* for each token of the text the window where it has most context */
} bk_windows;

/* Splits the tokens of a text into overlapping windows; `query` is NULL where none stands before each. */
bk_windows bk_windows_of(bk_room *room, const bk_tokenizer *tokenizer, const bk_list *text, int length,
                         const bk_list *query, int stride);

/* What finds added tokens. */
typedef struct {
    bk_text wanted;
    int32_t id;
    bool lstrip, rstrip, single_word;
} bk_added;

/* A part of a text: a token, or BK_NO_TOKEN for the text between tokens. */
typedef struct {
    int start, end;
    int32_t id;
} bk_found;

typedef struct {
    bk_found *at;
    int count;
} bk_founds;

bk_splitter *bk_splitter_of(bk_room *room, int most);
void bk_look_for(bk_room *room, bk_splitter *splitter, bk_added added);
bool bk_is_empty(const bk_splitter *splitter);
bk_founds bk_split(bk_room *room, const bk_splitter *splitter, bk_text text);

#endif
