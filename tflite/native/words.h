/* The words of a text, as data sets of tagged words part them, and its sentences. */
#ifndef BERTKIT_WORDS_H
#define BERTKIT_WORDS_H

#include "core.h"
#include "json.h"
#include "task.h"

/* Ranges of code points: starts and ends. */
typedef struct {
    bk_list starts, ends;
} bk_spans;

void bk_add_span(bk_room *room, bk_spans *spans, int start, int end);

/* Adds the words between two places of a text; `convention` is NULL where that of the training data is not known. */
void bk_words(bk_room *room, bk_text text, int start, int end, const bk_convention *convention, bk_spans *found);

/* How the training data of a tagger part words. */
bk_convention *bk_convention_of(bk_room *room, const bk_json *fields);
bool bk_is_whole(bk_room *room, const bk_convention *convention, bk_text word);
bool bk_parts_genitive(const bk_convention *convention);
bk_spans bk_convention_words(bk_room *room, const bk_convention *convention, bk_text text);

/* Adds the parts of a word, which end behind each apostrophe that stands between letters. */
void bk_at_apostrophes(bk_room *room, bk_text text, int start, int end, bk_spans *found);

/* Whether a word holds a script without blanks other than ideographs, so that it may be several words. */
bool bk_is_unbroken(bk_text word);

/* Returns the sentences of a text, without the blanks around them. */
bk_spans bk_sentences_of(bk_room *room, bk_text text);

#endif
