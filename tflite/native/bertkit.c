/* See bertkit.h. */
#include "bertkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

/* Reads a folder; returns 0, or -1 with a sentence in `error`. */
static int read_it(bertkit_model *own, const char *folder, const char *library, char error[BERTKIT_ERROR])
{
    jmp_buf out;
    own->room.out = &out;
    if (setjmp(out)) {
        memcpy(error, own->room.error, BERTKIT_ERROR);
        return -1;
    }
    bk_read_folder(own, folder, library);
    return 0;
}

bertkit_model *bertkit_open(const char *folder, const char *library, char error[BERTKIT_ERROR])
{
    bertkit_model *own = calloc(1, sizeof *own);
    if (!own) {
        snprintf(error, BERTKIT_ERROR, "There is no memory left to open %.400s.", folder);
        return NULL;
    }
    if (read_it(own, folder, library, error)) {
        bertkit_close(own);
        return NULL;
    }
    return own;
}

void bertkit_close(bertkit_model *own)
{
    if (!own)
        return;
    litert_close(own->runner);
    bk_free(&own->work);
    bk_free(&own->room);
    free(own);
}

/* Runs something with memory that is freed behind it; returns what it returns, NULL with `error` where it fails. */
static void *with_work(bertkit_model *own, void *(*run)(bertkit_model *, const void *, size_t), const void *given,
                       size_t count, char error[BERTKIT_ERROR])
{
    jmp_buf out;
    own->work.out = &out;
    if (setjmp(out)) {
        memcpy(error, own->work.error, BERTKIT_ERROR);
        bk_free(&own->work);
        return NULL;
    }
    void *found = run(own, given, count);
    bk_free(&own->work);
    return found;
}

static void *allocated(bertkit_model *own, const void *bytes, size_t size)
{
    void *found = malloc(size ? size : 1);
    if (!found)
        bk_fail(&own->work, "There is no memory left for an answer.");
    return size ? memcpy(found, bytes, size) : found;
}

static void *encode(bertkit_model *own, const void *text, size_t size)
{
    bk_room *room = &own->work;
    bk_pieces pieces = bk_tokens(room, own->tokenizer, bk_decoded(room, text, size, NULL));
    size_t count = (size_t) pieces.ids.count, bytes = count * sizeof(int32_t);
    bertkit_encoding *found = allocated(own, "", 0);
    found = realloc(found, sizeof *found + 3 * bytes + 1);
    if (!found)
        return NULL;
    found->count = count;
    found->ids = (int32_t *) (found + 1);
    found->starts = found->ids + count;
    found->ends = found->starts + count;
    if (count) {
        memcpy(found->ids, pieces.ids.at, bytes);
        memcpy(found->starts, pieces.starts.at, bytes);
        memcpy(found->ends, pieces.ends.at, bytes);
    }
    return found;
}

bertkit_encoding *bertkit_encode(bertkit_model *own, const char *text, size_t size, char error[BERTKIT_ERROR])
{
    return with_work(own, encode, text, size, error);
}

void bertkit_free(bertkit_encoding *encoding)
{
    free(encoding);
}

static void *normalize(bertkit_model *own, const void *text, size_t size)
{
    bk_room *room = &own->work;
    char *found = bk_utf8(room, bk_normal_text(room, own->tokenizer, bk_decoded(room, text, size, NULL)));
    return allocated(own, found, strlen(found) + 1);
}

char *bertkit_normalize(bertkit_model *own, const char *text, size_t size, char error[BERTKIT_ERROR])
{
    return with_work(own, normalize, text, size, error);
}

static void *answered(bertkit_model *own, const bk_text *texts, int count)
{
    bk_room *room = &own->work;
    bk_engine engine = {own->tokenizer, own->lengths[own->length_count - 1], own, bk_compute};
    if (!own->runner)
        bk_fail(room, "Only the tokenizer was opened; give the path of libLiteRt.so to get answers.");
    bk_check_input(room, own->task, count);
    bk_list found = bk_answer(room, own->task, &engine, texts, count);
    bk_text line = {found.at, found.count};
    char *bytes = bk_utf8(room, line);
    return allocated(own, bytes, strlen(bytes) + 1);
}

static void *predict(bertkit_model *own, const void *given, size_t count)
{
    const char *const *texts = given;
    bk_text *decoded = bk_take(&own->work, count + 1, sizeof *decoded);
    for (size_t i = 0; i < count; i++)
        decoded[i] = bk_decoded(&own->work, texts[i], strlen(texts[i]), NULL);
    return answered(own, decoded, (int) count);
}

char *bertkit_predict(bertkit_model *own, const char *const *texts, size_t count, char error[BERTKIT_ERROR])
{
    return with_work(own, predict, texts, count, error);
}

static void *predict_line(bertkit_model *own, const void *line, size_t size)
{
    bk_text *texts;
    int count = bk_input(&own->work, own->task, bk_decoded(&own->work, line, size, NULL), &texts);
    return answered(own, texts, count);
}

char *bertkit_predict_line(bertkit_model *own, const char *line, size_t size, char error[BERTKIT_ERROR])
{
    return with_work(own, predict_line, line, size, error);
}
