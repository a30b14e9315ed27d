/* Checks that the parts of a .tflite file lie inside it and that its numbers name parts that exist: LiteRT reads a file
 * without such checks, and a damaged one would end the whole process. */
#ifndef BERTKIT_VERIFY_H
#define BERTKIT_VERIFY_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0 where the bytes are a .tflite file whose structure is whole, else -1. */
int tflite_verify(const uint8_t *bytes, size_t size);

/* The same for a file; -1 also where it cannot be read. */
int tflite_verify_file(const char *path);

#endif
