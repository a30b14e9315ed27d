/* The functions of libLiteRt.so that litert.c calls. The declarations are those of LiteRT 2.1 to 2.3; libraries of
 * other versions are refused by a symbol that they lack, or by the first call that fails. */
#ifndef BERTKIT_LITERT_CALLS_H
#define BERTKIT_LITERT_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "litert.h"

enum { LITERT_OK = 0, LITERT_CPU = 1, LITERT_FOR_READING = 0, LITERT_FOR_WRITING = 1 };

typedef void *litert_handle;

/* LiteRtRankedTensorType. */
typedef struct {
    int element_type;
    unsigned rank : 7;
    unsigned has_strides : 1;
    int32_t dimensions[LITERT_MOST_DIMENSIONS];
    uint32_t strides[LITERT_MOST_DIMENSIONS];
} litert_ranked;

/* The functions of the library, in the order of the names in litert_calls.c. */
typedef struct {
    int (*create_environment)(int, const void *, litert_handle *);
    int (*create_model)(litert_handle, const char *, litert_handle *);
    int (*create_options)(litert_handle *);
    int (*set_accelerators)(litert_handle, int);
    int (*create_compiled)(litert_handle, litert_handle, litert_handle, litert_handle *);
    int (*signature_count)(litert_handle, size_t *);
    int (*signature)(litert_handle, size_t, litert_handle *);
    int (*signature_key)(litert_handle, const char **);
    int (*input_count)(litert_handle, size_t *);
    int (*output_count)(litert_handle, size_t *);
    int (*input_name)(litert_handle, size_t, const char **);
    int (*output_name)(litert_handle, size_t, const char **);
    int (*input_tensor)(litert_handle, size_t, litert_handle *);
    int (*output_tensor)(litert_handle, size_t, litert_handle *);
    int (*ranked)(litert_handle, litert_ranked *);
    int (*input_needs)(litert_handle, size_t, size_t, litert_handle *);
    int (*output_needs)(litert_handle, size_t, size_t, litert_handle *);
    int (*create_buffer)(litert_handle, const litert_ranked *, litert_handle, litert_handle *);
    int (*buffer_size)(litert_handle, size_t *);
    int (*lock)(litert_handle, void **, int);
    int (*unlock)(litert_handle);
    int (*run)(litert_handle, size_t, size_t, litert_handle *, size_t, litert_handle *);
    void (*destroy_buffer)(litert_handle);
    void (*destroy_compiled)(litert_handle);
    void (*destroy_options)(litert_handle);
    void (*destroy_model)(litert_handle);
    void (*destroy_environment)(litert_handle);
} litert_calls;

/* Loads the library and finds its functions; returns 0, or -1 with a sentence in `error`. */
int litert_load(litert_calls *calls, const char *library, char *error, size_t room);

#endif
