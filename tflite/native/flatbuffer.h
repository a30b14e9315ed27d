/* Reads FlatBuffers (flatbuffers.dev, "FlatBuffer internals") with the tables of TensorFlow Lite's schema.fbs, version
 * 3, and checks that they lie inside the file. Of the options of an operator the table itself is checked, and the lists
 * of those that have one. */
#ifndef BERTKIT_FLATBUFFER_H
#define BERTKIT_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BK_FB_MODEL, BK_FB_CODE, BK_FB_GRAPH, BK_FB_TENSOR, BK_FB_QUANTIZATION, BK_FB_OPERATOR, BK_FB_BUFFER,
       BK_FB_METADATA, BK_FB_SIGNATURE, BK_FB_MAP, BK_FB_OPTIONS, BK_FB_LIST_OPTIONS };

typedef struct {
    const uint8_t *bytes;
    size_t size;
    long tables;                    /* that were checked so far */
    size_t codes, buffers, graphs;  /* how many a model has */
} bk_file;

/* Whether a table of a kind, with all that it holds, lies inside the file. */
bool bk_fb_is_table(bk_file *own, size_t at, int kind);

/* Returns the number in so many bytes at a place. */
uint64_t bk_fb_number(const bk_file *own, size_t at, int bytes);

/* Of a table that was checked: a number, and where a table, a list or a string begins, 0 where it is absent. */
int64_t bk_fb_value(const bk_file *own, size_t table, int slot, int bytes, int64_t otherwise);
size_t bk_fb_target(const bk_file *own, size_t table, int slot);

/* Of a list that was checked: how many it holds, and one of its tables. */
size_t bk_fb_count(const bk_file *own, size_t list);
size_t bk_fb_element(const bk_file *own, size_t list, size_t i);

#endif
