/* A folder that is open: its tokenizer, its task, and what computes its .tflite file. */
#ifndef BERTKIT_DEVICE_H
#define BERTKIT_DEVICE_H

#include "bertkit.h"
#include "litert.h"
#include "task.h"
#include "tokenizer.h"

struct bertkit_model {
    bk_room room;                   /* what lives as long as the model */
    bk_room work;                   /* what an input needs */
    char *path;
    bk_tokenizer *tokenizer;
    bk_task *task;
    int *lengths, length_count;
    litert_model *runner;
    size_t *signatures;             /* the signature of each length */
};

/* Reads a folder; fails through the model's room. */
void bk_read_folder(bertkit_model *own, const char *folder, const char *library);

/* Computes a row at the smallest length that holds it, and leaves out the outputs of padding. */
const float *bk_compute(bk_room *room, void *model, const bk_row *row);

#endif
