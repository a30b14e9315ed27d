/* Runs a .tflite file through the C interface of libLiteRt.so, which is opened at run time: plain C99.
 *
 * Every function that can fail writes one sentence into `error`, at most `room` bytes with the 0 at its end. */
#ifndef BERTKIT_LITERT_H
#define BERTKIT_LITERT_H

#include <stddef.h>
#include <stdint.h>

#define LITERT_MOST_DIMENSIONS 8

enum litert_type { LITERT_OTHER = 0, LITERT_FLOAT32 = 1, LITERT_INT32 = 2 };

/* An input or an output of a signature. */
typedef struct {
    const char *name;
    enum litert_type type;
    int rank;
    int32_t shape[LITERT_MOST_DIMENSIONS];
    size_t count;                           /* the numbers in it */
} litert_tensor;

/* A function of a .tflite file. */
typedef struct {
    const char *key;
    size_t input_count, output_count;
    litert_tensor *inputs, *outputs;
} litert_signature;

typedef struct litert_model litert_model;

/* Opens a model; returns NULL where that fails. `library` is the path of libLiteRt.so. */
litert_model *litert_open(const char *library, const char *path, char *error, size_t room);

/* Returns how many signatures a model has, and one of them. */
size_t litert_signature_count(const litert_model *model);
const litert_signature *litert_signature_at(const litert_model *model, size_t number);

/* Computes a signature: `inputs` has the numbers of each input in its order, all of them int32; the numbers of output
 * `output`, which is float32, are written to `values`. Returns 0, or -1 where it fails. */
int litert_run(litert_model *model, size_t signature, const int32_t *const *inputs, size_t output, float *values,
               char *error, size_t room);

/* Frees a model; NULL is allowed. */
void litert_close(litert_model *model);

#endif
