/* What the numbers of a .tflite file name must exist; see verify.h. */
#define _POSIX_C_SOURCE 200809L
#include "verify.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flatbuffer.h"

enum { MOST_TENSORS = 64, RESHAPE = 17, SQUEEZE = 30, BLOCKWISE = 2 };

/* Whether all numbers of a list are from `least` to below `most`. */
static bool are_within(const bk_file *own, size_t list, int64_t least, size_t most)
{
    for (size_t i = 0; i < bk_fb_count(own, list); i++) {
        int32_t found = (int32_t) bk_fb_number(own, list + 4 + 4 * i, 4);
        if (found < least || found >= (int64_t) most)
            return false;
    }
    return true;
}

static bool is_tensor_sound(const bk_file *own, size_t tensor)
{
    size_t shape = bk_fb_target(own, tensor, 0), quantization = bk_fb_target(own, tensor, 4);
    size_t scales = quantization ? bk_fb_count(own, bk_fb_target(own, quantization, 2)) : 0;
    int64_t axis = quantization ? (int32_t) bk_fb_value(own, quantization, 6, 4, 0) : 0;
    uint64_t numbers = 1;
    if (!are_within(own, shape, 0, INT32_MAX) || !are_within(own, bk_fb_target(own, tensor, 7), -1, INT32_MAX))
        return false;
    for (size_t i = 0; i < bk_fb_count(own, shape); i++) {
        numbers *= bk_fb_number(own, shape + 4 + 4 * i, 4);
        if (numbers > INT32_MAX)
            return false;
    }
    if ((uint64_t) bk_fb_value(own, tensor, 2, 4, 0) >= own->buffers || (scales && axis < 0))
        return false;
    if (quantization && bk_fb_value(own, quantization, 4, 1, 0) == BLOCKWISE)
        return true;
    size_t zeros = quantization ? bk_fb_count(own, bk_fb_target(own, quantization, 3)) : 0;
    if (zeros > 1 && zeros != scales)
        return false;
    return scales < 2 || (axis < (int64_t) bk_fb_count(own, shape)
                          && bk_fb_number(own, shape + 4 + 4 * (size_t) axis, 4) == scales);
}

static bool is_operator_sound(bk_file *own, size_t operator, size_t tensors)
{
    int64_t kind = bk_fb_value(own, operator, 3, 1, 0);
    size_t options = bk_fb_target(own, operator, 4);
    if ((uint64_t) bk_fb_value(own, operator, 0, 4, 0) >= own->codes || (kind && !options))
        return false;
    if (options && (kind == RESHAPE || kind == SQUEEZE) && !bk_fb_is_table(own, options, BK_FB_LIST_OPTIONS))
        return false;
    return are_within(own, bk_fb_target(own, operator, 1), -1, tensors)
        && are_within(own, bk_fb_target(own, operator, 2), 0, tensors)
        && are_within(own, bk_fb_target(own, operator, 8), -1, tensors);
}

static bool is_graph_sound(bk_file *own, size_t graph)
{
    size_t tensors = bk_fb_target(own, graph, 0), operators = bk_fb_target(own, graph, 3);
    bool right = are_within(own, bk_fb_target(own, graph, 1), 0, bk_fb_count(own, tensors))
        && are_within(own, bk_fb_target(own, graph, 2), 0, bk_fb_count(own, tensors));
    for (size_t i = 0; right && i < bk_fb_count(own, tensors); i++)
        right = is_tensor_sound(own, bk_fb_element(own, tensors, i));
    for (size_t i = 0; right && i < bk_fb_count(own, operators); i++)
        right = is_operator_sound(own, bk_fb_element(own, operators, i), bk_fb_count(own, tensors));
    return right;
}

/* Whether a list holds a number. */
static bool holds(const bk_file *own, size_t list, uint64_t wanted)
{
    for (size_t i = 0; i < bk_fb_count(own, list); i++)
        if (bk_fb_number(own, list + 4 + 4 * i, 4) == wanted)
            return true;
    return false;
}

/* Whether the inputs or outputs of a signature are those of its graph, each with a name. */
static bool is_side_sound(const bk_file *own, size_t maps, size_t tensors)
{
    if (bk_fb_count(own, maps) != bk_fb_count(own, tensors) || bk_fb_count(own, maps) > MOST_TENSORS)
        return false;
    for (size_t i = 0; i < bk_fb_count(own, maps); i++) {
        size_t map = bk_fb_element(own, maps, i);
        if (!bk_fb_target(own, map, 0) || !holds(own, tensors, (uint64_t) bk_fb_value(own, map, 1, 4, 0)))
            return false;
    }
    return true;
}

static bool is_signature_sound(const bk_file *own, size_t signature, size_t graphs)
{
    uint64_t number_of_graph = (uint64_t) bk_fb_value(own, signature, 4, 4, 0);
    if (number_of_graph >= own->graphs || !bk_fb_target(own, signature, 2))
        return false;
    size_t graph = bk_fb_element(own, graphs, (size_t) number_of_graph);
    return is_side_sound(own, bk_fb_target(own, signature, 0), bk_fb_target(own, graph, 1))
        && is_side_sound(own, bk_fb_target(own, signature, 1), bk_fb_target(own, graph, 2));
}

static bool is_model_sound(bk_file *own, size_t model)
{
    size_t graphs = bk_fb_target(own, model, 2), buffers = bk_fb_target(own, model, 4);
    size_t metadata = bk_fb_target(own, model, 6), signatures = bk_fb_target(own, model, 7);
    own->codes = bk_fb_count(own, bk_fb_target(own, model, 1));
    own->buffers = bk_fb_count(own, buffers);
    own->graphs = bk_fb_count(own, graphs);
    bool right = own->graphs > 0 && bk_fb_value(own, model, 0, 4, 0) == 3;
    for (size_t i = 0; right && i < own->buffers; i++) {
        uint64_t begin = (uint64_t) bk_fb_value(own, bk_fb_element(own, buffers, i), 1, 8, 0);
        uint64_t size = (uint64_t) bk_fb_value(own, bk_fb_element(own, buffers, i), 2, 8, 0);
        right = begin <= own->size && size <= own->size - begin;
    }
    for (size_t i = 0; right && i < own->graphs; i++)
        right = is_graph_sound(own, bk_fb_element(own, graphs, i));
    for (size_t i = 0; right && i < bk_fb_count(own, metadata); i++)
        right = (uint64_t) bk_fb_value(own, bk_fb_element(own, metadata, i), 1, 4, 0) < own->buffers;
    for (size_t i = 0; right && i < bk_fb_count(own, signatures); i++)
        right = is_signature_sound(own, bk_fb_element(own, signatures, i), graphs);
    return right;
}

int tflite_verify(const uint8_t *bytes, size_t size)
{
    bk_file own = {bytes, size, 0, 0, 0, 0};
    if (size < 16 || size > SIZE_MAX / 2 || memcmp(bytes + 4, "TFL3", 4))
        return -1;
    size_t model = (size_t) bk_fb_number(&own, 0, 4);
    return model <= size - 4 && bk_fb_is_table(&own, model, BK_FB_MODEL) && is_model_sound(&own, model) ? 0 : -1;
}

int tflite_verify_file(const char *path)
{
    struct stat about;
    int descriptor = open(path, O_RDONLY);
    int result = -1;
    if (descriptor >= 0 && !fstat(descriptor, &about) && S_ISREG(about.st_mode) && about.st_size > 0) {
        void *bytes = mmap(NULL, (size_t) about.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (bytes != MAP_FAILED) {
            result = tflite_verify(bytes, (size_t) about.st_size);
            munmap(bytes, (size_t) about.st_size);
        }
    }
    if (descriptor >= 0)
        close(descriptor);
    return result;
}
