/* The answers of single tasks, and what they share; see task.h. */
#ifndef BERTKIT_ANSWERS_H
#define BERTKIT_ANSWERS_H

#include "task.h"

/* Returns the vector of a text or of a pair; `second` is NULL for a single text. */
const float *bk_vector(bk_room *room, const bk_engine *engine, bk_text first, const bk_text *second);

/* Turns logits into probabilities. */
float *bk_softmax(bk_room *room, const float *logits, int count);

/* Returns the place of the largest number, the first one on ties. */
int bk_largest(const float *numbers, int count);

/* Returns the labels as tags that are spelt as B, I, E, S with a type. */
bk_text *bk_spelt(bk_room *room, const bk_text *labels, int count);

void bk_answer_question(bk_room *room, const bk_task *task, const bk_engine *engine, const bk_text *texts,
                        bk_list *out);
void bk_answer_tags(bk_room *room, const bk_task *task, const bk_engine *engine, bk_text text, bk_list *out);
void bk_answer_summary(bk_room *room, const bk_task *task, const bk_engine *engine, bk_text text, bk_list *out);

#endif
