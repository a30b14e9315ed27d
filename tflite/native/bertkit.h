/* bertkit in C99: strings in, answers out, from the folder that `bertkit export --to tflite` wrote.
 *
 *     char error[BERTKIT_ERROR];
 *     bertkit_model *model = bertkit_open("phone", getenv("LITERT_LIBRARY"), error);
 *     const char *text = "a warm, funny film";
 *     char *answer = model ? bertkit_predict(model, &text, 1, error) : NULL;      // {"label": "praise", ...}
 *     puts(answer ? answer : error);
 *     free(answer);
 *     bertkit_close(model);
 *
 * A function that fails returns NULL and writes one sentence into `error`. A model is used by one thread at a time. */
#ifndef BERTKIT_H
#define BERTKIT_H

#include <stddef.h>
#include <stdint.h>

#define BERTKIT_ERROR 600                   /* the bytes of `error` */

typedef struct bertkit_model bertkit_model;

/* The tokens of a text: their ids, and the code points from start to end that each covers. */
typedef struct {
    size_t count;
    int32_t *ids, *starts, *ends;
} bertkit_encoding;

/* Opens a folder; `library` is the path of libLiteRt.so, or NULL where texts are only encoded. */
bertkit_model *bertkit_open(const char *folder, const char *library, char error[BERTKIT_ERROR]);

/* Returns the tokens of a text of UTF-8, without special tokens around them; free it with bertkit_free. */
bertkit_encoding *bertkit_encode(bertkit_model *model, const char *text, size_t size, char error[BERTKIT_ERROR]);
void bertkit_free(bertkit_encoding *encoding);

/* Returns a text as the tokenizer finds words in it; free it with free. */
char *bertkit_normalize(bertkit_model *model, const char *text, size_t size, char error[BERTKIT_ERROR]);

/* Answers an input of one text or several, as JSON in one line; free it with free. */
char *bertkit_predict(bertkit_model *model, const char *const *texts, size_t count, char error[BERTKIT_ERROR]);

/* The same for a line in which tabs stand between the texts. */
char *bertkit_predict_line(bertkit_model *model, const char *line, size_t size, char error[BERTKIT_ERROR]);

/* Frees a model; NULL is allowed. */
void bertkit_close(bertkit_model *model);

#endif
