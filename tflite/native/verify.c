/* The format is that of FlatBuffers (flatbuffers.dev, "FlatBuffer internals") with the tables of TensorFlow Lite's
 * schema.fbs, version 3; of the options of an operator the table itself is checked, and the lists of those that have
 * one. */
#define _POSIX_C_SOURCE 200809L
#include "verify.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODEL, CODE, GRAPH, TENSOR, QUANTIZATION, OPERATOR, BUFFER, METADATA, SIGNATURE, MAP, OPTIONS, LIST_OPTIONS };
enum { MOST_FIELDS = 14, MOST_TABLES = 1000000, MOST_TENSORS = 64, RESHAPE = 17, SQUEEZE = 30, BLOCKWISE = 2 };

/* A field: `n` a number of `of` bytes, `s` a string, `v` a list of numbers of `of` bytes, `t` a table of kind `of`, `l`
 * a list of such tables, `-` nothing that is read. */
typedef struct {
    char form;
    unsigned char of;
} field;

static const field FIELDS[][MOST_FIELDS] = {
    [MODEL] = {{'n', 4}, {'l', CODE}, {'l', GRAPH}, {'s', 0}, {'l', BUFFER}, {'v', 4}, {'l', METADATA},
               {'l', SIGNATURE}},
    [CODE] = {{'n', 1}, {'s', 0}, {'n', 4}, {'n', 4}},
    [GRAPH] = {{'l', TENSOR}, {'v', 4}, {'v', 4}, {'l', OPERATOR}, {'s', 0}, {'n', 4}},
    [TENSOR] = {{'v', 4}, {'n', 1}, {'n', 4}, {'s', 0}, {'t', QUANTIZATION}, {'n', 1}, {'t', OPTIONS}, {'v', 4},
                {'n', 1}},
    [QUANTIZATION] = {{'v', 4}, {'v', 4}, {'v', 4}, {'v', 8}, {'n', 1}, {'t', OPTIONS}, {'n', 4}},
    [OPERATOR] = {{'n', 4}, {'v', 4}, {'v', 4}, {'n', 1}, {'t', OPTIONS}, {'v', 1}, {'n', 1}, {'v', 1}, {'v', 4},
                  {'n', 8}, {'n', 8}, {'n', 1}, {'t', OPTIONS}, {'n', 4}},
    [BUFFER] = {{'v', 1}, {'n', 8}, {'n', 8}},
    [METADATA] = {{'s', 0}, {'n', 4}},
    [SIGNATURE] = {{'l', MAP}, {'l', MAP}, {'s', 0}, {'-', 0}, {'n', 4}},
    [MAP] = {{'s', 0}, {'n', 4}},
    [LIST_OPTIONS] = {{'v', 4}},
};

typedef struct {
    const uint8_t *bytes;
    size_t size;
    long tables;
    size_t codes, buffers, graphs;
} file;

static uint64_t number(const file *own, size_t at, int bytes)
{
    uint64_t found = 0;
    for (int i = bytes - 1; i >= 0; i--)
        found = found << 8 | own->bytes[at + (size_t) i];
    return found;
}

/* Returns where a field of a checked table stands; 0 where it is absent. */
static size_t place(const file *own, size_t table, int slot)
{
    size_t vtable = table - (size_t) (int32_t) number(own, table, 4);
    size_t entry = 4 + 2 * (size_t) slot;
    uint64_t offset = entry + 2 <= number(own, vtable, 2) ? number(own, vtable + entry, 2) : 0;
    return offset ? table + (size_t) offset : 0;
}

/* Returns a number of a checked table, `otherwise` where it is absent. */
static int64_t value(const file *own, size_t table, int slot, int bytes, int64_t otherwise)
{
    size_t at = place(own, table, slot);
    return at ? (int64_t) number(own, at, bytes) : otherwise;
}

/* Returns where a table, a list or a string of a checked table begins; 0 where it is absent. */
static size_t target(const file *own, size_t table, int slot)
{
    size_t at = place(own, table, slot);
    return at ? at + (size_t) number(own, at, 4) : 0;
}

static size_t count(const file *own, size_t list)
{
    return list ? (size_t) number(own, list, 4) : 0;
}

/* Returns one of the tables of a checked list. */
static size_t element(const file *own, size_t list, size_t i)
{
    size_t at = list + 4 + 4 * i;
    return at + (size_t) number(own, at, 4);
}

static bool is_table(file *own, size_t at, int kind);

/* Whether a list of values of so many bytes, or a string with the 0 behind it, lies in the file. */
static bool is_list(const file *own, size_t at, size_t bytes, size_t behind)
{
    if (at % 4 || at > own->size - 4)
        return false;
    size_t held = count(own, at);
    return held <= (own->size - at - 4) / bytes && held * bytes + behind <= own->size - at - 4;
}

static bool is_field(file *own, size_t at, size_t left, field about)
{
    size_t bytes = about.form == 'n' ? about.of : 4;
    if (about.form == '-' || !about.form)
        return true;
    if (bytes > left || at % bytes)
        return false;
    if (about.form == 'n')
        return true;
    uint64_t offset = number(own, at, 4);
    if (!offset || offset > own->size - at)
        return false;
    at += (size_t) offset;
    if (about.form == 't')
        return is_table(own, at, about.of);
    if (about.form == 's')
        return is_list(own, at, 1, 1) && !own->bytes[at + 4 + count(own, at)];
    if (about.form == 'v')
        return is_list(own, at, about.of, 0) && (about.of < 8 || (at + 4) % 8 == 0);
    bool right = is_list(own, at, 4, 0);
    for (size_t i = 0; right && i < count(own, at); i++) {
        size_t from = at + 4 + 4 * i;
        uint64_t to = number(own, from, 4);
        right = to && to <= own->size - from && is_table(own, from + (size_t) to, about.of);
    }
    return right;
}

static bool is_table(file *own, size_t at, int kind)
{
    if (++own->tables > MOST_TABLES || at % 4 || at > own->size - 4)
        return false;
    int64_t vtable = (int64_t) at - (int32_t) number(own, at, 4);
    if (vtable < 0 || vtable % 2 || (uint64_t) vtable > own->size - 4)
        return false;
    size_t entries = (size_t) number(own, (size_t) vtable, 2);
    size_t inside = (size_t) number(own, (size_t) vtable + 2, 2);
    if (entries < 4 || entries % 2 || entries > own->size - (size_t) vtable || inside < 4 || inside > own->size - at)
        return false;
    for (size_t slot = 0; 4 + 2 * slot < entries; slot++) {
        size_t offset = (size_t) number(own, (size_t) vtable + 4 + 2 * slot, 2);
        field about = slot < MOST_FIELDS ? FIELDS[kind][slot] : (field) {'-', 0};
        if (offset && (offset < 4 || offset >= inside || !is_field(own, at + offset, inside - offset, about)))
            return false;
    }
    return true;
}

/* Whether all numbers of a list are from `least` to below `most`. */
static bool are_within(const file *own, size_t list, int64_t least, size_t most)
{
    for (size_t i = 0; i < count(own, list); i++) {
        int32_t found = (int32_t) number(own, list + 4 + 4 * i, 4);
        if (found < least || found >= (int64_t) most)
            return false;
    }
    return true;
}

static bool is_tensor_sound(const file *own, size_t tensor)
{
    size_t shape = target(own, tensor, 0), quantization = target(own, tensor, 4);
    size_t scales = quantization ? count(own, target(own, quantization, 2)) : 0;
    int64_t axis = quantization ? (int32_t) value(own, quantization, 6, 4, 0) : 0;
    uint64_t numbers = 1;
    if (!are_within(own, shape, 0, INT32_MAX) || !are_within(own, target(own, tensor, 7), -1, INT32_MAX))
        return false;
    for (size_t i = 0; i < count(own, shape); i++) {
        numbers *= number(own, shape + 4 + 4 * i, 4);
        if (numbers > INT32_MAX)
            return false;
    }
    if ((uint64_t) value(own, tensor, 2, 4, 0) >= own->buffers || (scales && axis < 0))
        return false;
    if (quantization && value(own, quantization, 4, 1, 0) == BLOCKWISE)
        return true;
    size_t zeros = quantization ? count(own, target(own, quantization, 3)) : 0;
    if (zeros > 1 && zeros != scales)
        return false;
    return scales < 2 || (axis < (int64_t) count(own, shape)
                          && number(own, shape + 4 + 4 * (size_t) axis, 4) == scales);
}

static bool is_operator_sound(file *own, size_t operator, size_t tensors)
{
    int64_t kind = value(own, operator, 3, 1, 0);
    size_t options = target(own, operator, 4);
    if ((uint64_t) value(own, operator, 0, 4, 0) >= own->codes || (kind && !options))
        return false;
    if (options && (kind == RESHAPE || kind == SQUEEZE) && !is_table(own, options, LIST_OPTIONS))
        return false;
    return are_within(own, target(own, operator, 1), -1, tensors)
        && are_within(own, target(own, operator, 2), 0, tensors)
        && are_within(own, target(own, operator, 8), -1, tensors);
}

static bool is_graph_sound(file *own, size_t graph)
{
    size_t tensors = target(own, graph, 0), operators = target(own, graph, 3);
    bool right = are_within(own, target(own, graph, 1), 0, count(own, tensors))
        && are_within(own, target(own, graph, 2), 0, count(own, tensors));
    for (size_t i = 0; right && i < count(own, tensors); i++)
        right = is_tensor_sound(own, element(own, tensors, i));
    for (size_t i = 0; right && i < count(own, operators); i++)
        right = is_operator_sound(own, element(own, operators, i), count(own, tensors));
    return right;
}

/* Whether a list holds a number. */
static bool holds(const file *own, size_t list, uint64_t wanted)
{
    for (size_t i = 0; i < count(own, list); i++)
        if (number(own, list + 4 + 4 * i, 4) == wanted)
            return true;
    return false;
}

/* Whether the inputs or outputs of a signature are those of its graph, each with a name. */
static bool is_side_sound(const file *own, size_t maps, size_t tensors)
{
    if (count(own, maps) != count(own, tensors) || count(own, maps) > MOST_TENSORS)
        return false;
    for (size_t i = 0; i < count(own, maps); i++) {
        size_t map = element(own, maps, i);
        if (!target(own, map, 0) || !holds(own, tensors, (uint64_t) value(own, map, 1, 4, 0)))
            return false;
    }
    return true;
}

static bool is_signature_sound(const file *own, size_t signature, size_t graphs)
{
    uint64_t number_of_graph = (uint64_t) value(own, signature, 4, 4, 0);
    if (number_of_graph >= own->graphs || !target(own, signature, 2))
        return false;
    size_t graph = element(own, graphs, (size_t) number_of_graph);
    return is_side_sound(own, target(own, signature, 0), target(own, graph, 1))
        && is_side_sound(own, target(own, signature, 1), target(own, graph, 2));
}

static bool is_model_sound(file *own, size_t model)
{
    size_t graphs = target(own, model, 2), buffers = target(own, model, 4);
    size_t metadata = target(own, model, 6), signatures = target(own, model, 7);
    own->codes = count(own, target(own, model, 1));
    own->buffers = count(own, buffers);
    own->graphs = count(own, graphs);
    bool right = own->graphs > 0 && value(own, model, 0, 4, 0) == 3;
    for (size_t i = 0; right && i < own->buffers; i++) {
        uint64_t begin = (uint64_t) value(own, element(own, buffers, i), 1, 8, 0);
        uint64_t size = (uint64_t) value(own, element(own, buffers, i), 2, 8, 0);
        right = begin <= own->size && size <= own->size - begin;
    }
    for (size_t i = 0; right && i < own->graphs; i++)
        right = is_graph_sound(own, element(own, graphs, i));
    for (size_t i = 0; right && i < count(own, metadata); i++)
        right = (uint64_t) value(own, element(own, metadata, i), 1, 4, 0) < own->buffers;
    for (size_t i = 0; right && i < count(own, signatures); i++)
        right = is_signature_sound(own, element(own, signatures, i), graphs);
    return right;
}

int tflite_verify(const uint8_t *bytes, size_t size)
{
    file own = {bytes, size, 0, 0, 0, 0};
    if (size < 16 || size > SIZE_MAX / 2 || memcmp(bytes + 4, "TFL3", 4))
        return -1;
    size_t model = (size_t) number(&own, 0, 4);
    return model <= size - 4 && is_table(&own, model, MODEL) && is_model_sound(&own, model) ? 0 : -1;
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
