/* SHA-256 (FIPS 180-4). */
#ifndef BERTKIT_SHA256_H
#define BERTKIT_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state[8];
    uint64_t size;
    uint8_t block[64];
} sha256;

void sha256_begin(sha256 *own);
void sha256_add(sha256 *own, const void *bytes, size_t size);

/* Writes the 64 hexadecimal digits and a 0. */
void sha256_end(sha256 *own, char digits[65]);

#endif
