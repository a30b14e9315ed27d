/* What a model's numbers mean: a task makes rows of an input and answers from their outputs. */
#ifndef BERTKIT_TASK_H
#define BERTKIT_TASK_H

#include "core.h"
#include "json.h"
#include "tokenizer.h"

enum bk_task_kind { BK_CLASSIFY, BK_DOCUMENTS, BK_SCORE, BK_TAG, BK_ANSWER, BK_CHOOSE, BK_EMBED, BK_RANK, BK_SUMMARISE,
                    BK_CENTRAL };

typedef struct bk_convention bk_convention;

typedef struct {
    enum bk_task_kind kind;
    const char *output;             /* the name of the output that is read */
    int width;                      /* the numbers of a vector */
    bool each_token;                /* whether there is a vector for each token */
    int least, most;                /* texts of an input; -1 for any number more */
    bool either;                    /* whether a line with a tab is a pair and another a text */
    const char *reads;              /* what an input is, for messages */
    bk_text *labels;
    int label_count;
    bool multi_label;
    double threshold;
    double abstain_below, set_from; /* limits of probabilities, or -1 where answers say nothing of them */
    int positive;
    int stride, query, longest, tried, count, shortest, windows;
    bool may_be_none, largest;
    bk_text prompt;
    bk_convention *convention;
} bk_task;

/* A model that computes rows. */
typedef struct bk_engine bk_engine;
struct bk_engine {
    const bk_tokenizer *tokenizer;
    int length;                     /* the most tokens of a row */
    void *model;
    /* Returns the output of a row: one vector, or one for each of its tokens. */
    const float *(*output)(bk_room *room, void *model, const bk_row *row);
};

/* Reads what ondevice.json says of the task. */
bk_task *bk_task_of(bk_room *room, const bk_json *settings);

/* Reads the texts of a line; returns how many there are. */
int bk_input(bk_room *room, const bk_task *task, bk_text line, bk_text **texts);

/* Fails where an input has too few texts or too many. */
void bk_check_input(bk_room *room, const bk_task *task, int count);

/* Returns the answer to an input, as JSON. */
bk_list bk_answer(bk_room *room, const bk_task *task, const bk_engine *engine, const bk_text *texts, int count);

#endif
