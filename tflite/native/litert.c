/* See litert.h. The declarations are those of LiteRT 2.1 to 2.3; libraries of other versions are refused by a symbol
 * that they lack, or by the first call that fails. */
#define _POSIX_C_SOURCE 200809L
#include "litert.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, CPU = 1, FOR_READING = 0, FOR_WRITING = 1 };

typedef void *handle;

/* LiteRtEnvOption with a whole number: here the least severity of a message that is logged. */
typedef struct {
    int tag;
    struct {
        int type;
        int64_t value;
    } any;
} environment_option;

static const environment_option SILENT = {25, {2, 4}};

/* LiteRtRankedTensorType. */
typedef struct {
    int element_type;
    unsigned rank : 7;
    unsigned has_strides : 1;
    int32_t dimensions[LITERT_MOST_DIMENSIONS];
    uint32_t strides[LITERT_MOST_DIMENSIONS];
} ranked_type;

/* The functions of the library, in the order of NAMES. */
typedef struct {
    int (*create_environment)(int, const void *, handle *);
    int (*create_model)(handle, const char *, handle *);
    int (*create_options)(handle *);
    int (*set_accelerators)(handle, int);
    int (*create_compiled)(handle, handle, handle, handle *);
    int (*signature_count)(handle, size_t *);
    int (*signature)(handle, size_t, handle *);
    int (*signature_key)(handle, const char **);
    int (*input_count)(handle, size_t *);
    int (*output_count)(handle, size_t *);
    int (*input_name)(handle, size_t, const char **);
    int (*output_name)(handle, size_t, const char **);
    int (*input_tensor)(handle, size_t, handle *);
    int (*output_tensor)(handle, size_t, handle *);
    int (*ranked)(handle, ranked_type *);
    int (*input_needs)(handle, size_t, size_t, handle *);
    int (*output_needs)(handle, size_t, size_t, handle *);
    int (*create_buffer)(handle, const ranked_type *, handle, handle *);
    int (*buffer_size)(handle, size_t *);
    int (*lock)(handle, void **, int);
    int (*unlock)(handle);
    int (*run)(handle, size_t, size_t, handle *, size_t, handle *);
    void (*destroy_buffer)(handle);
    void (*destroy_compiled)(handle);
    void (*destroy_options)(handle);
    void (*destroy_model)(handle);
    void (*destroy_environment)(handle);
} functions;

static const char *const NAMES[] = {
    "LiteRtCreateEnvironment", "LiteRtCreateModelFromFile", "LiteRtCreateOptions",
    "LiteRtSetOptionsHardwareAccelerators", "LiteRtCreateCompiledModel", "LiteRtGetNumModelSignatures",
    "LiteRtGetModelSignature", "LiteRtGetSignatureKey", "LiteRtGetNumSignatureInputs", "LiteRtGetNumSignatureOutputs",
    "LiteRtGetSignatureInputName", "LiteRtGetSignatureOutputName", "LiteRtGetSignatureInputTensorByIndex",
    "LiteRtGetSignatureOutputTensorByIndex", "LiteRtGetRankedTensorType",
    "LiteRtGetCompiledModelInputBufferRequirements", "LiteRtGetCompiledModelOutputBufferRequirements",
    "LiteRtCreateManagedTensorBufferFromRequirements", "LiteRtGetTensorBufferPackedSize", "LiteRtLockTensorBuffer",
    "LiteRtUnlockTensorBuffer", "LiteRtRunCompiledModel", "LiteRtDestroyTensorBuffer", "LiteRtDestroyCompiledModel",
    "LiteRtDestroyOptions", "LiteRtDestroyModel", "LiteRtDestroyEnvironment"};

enum { FUNCTIONS = sizeof NAMES / sizeof NAMES[0] };

/* The buffers of a signature. */
typedef struct {
    handle *inputs, *outputs;
} buffers;

struct litert_model {
    void *library;
    functions call;
    handle environment, model, options, compiled;
    size_t count;
    litert_signature *signatures;
    buffers *rooms;
};

static int load_library(litert_model *own, const char *path, char *error, size_t room)
{
    void *found[FUNCTIONS];
    own->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!own->library) {
        snprintf(error, room, "%s cannot be loaded (%s); give the path of libLiteRt.so.", path, dlerror());
        return -1;
    }
    for (int i = 0; i < FUNCTIONS; i++) {
        found[i] = dlsym(own->library, NAMES[i]);
        if (!found[i]) {
            snprintf(error, room, "%s has no %s; give the libLiteRt.so of LiteRT 2.1 or newer.", path, NAMES[i]);
            return -1;
        }
    }
    memcpy(&own->call, found, sizeof own->call);
    return 0;
}

static int read_tensor(litert_model *own, handle tensor, litert_tensor *into, ranked_type *type)
{
    memset(type, 0, sizeof *type);
    if (own->call.ranked(tensor, type) != OK || type->rank > LITERT_MOST_DIMENSIONS)
        return -1;
    into->type = type->element_type == LITERT_FLOAT32 || type->element_type == LITERT_INT32
        ? (enum litert_type) type->element_type : LITERT_OTHER;
    into->rank = (int) type->rank;
    into->count = 1;
    for (int i = 0; i < into->rank; i++) {
        size_t size = (size_t) type->dimensions[i];
        if (type->dimensions[i] < 0 || (size && into->count > SIZE_MAX / 8 / size))
            return -1;
        into->shape[i] = type->dimensions[i];
        into->count *= (size_t) type->dimensions[i];
    }
    return 0;
}

/* Makes the buffer of an input or output, which must hold as many bytes as its shape says. */
static int make_buffer(litert_model *own, size_t signature, size_t number, bool input, const litert_tensor *tensor,
                       const ranked_type *type, handle *buffer)
{
    handle needs = NULL;
    size_t size = 0;
    int status = (input ? own->call.input_needs : own->call.output_needs)(own->compiled, signature, number, &needs);
    if (status != OK || own->call.create_buffer(own->environment, type, needs, buffer) != OK)
        return -1;
    return own->call.buffer_size(*buffer, &size) == OK && size >= 4 * tensor->count ? 0 : -1;
}

static int open_side(litert_model *own, handle from, size_t signature, bool input)
{
    litert_signature *about = &own->signatures[signature];
    size_t count = input ? about->input_count : about->output_count;
    litert_tensor *tensors = calloc(count + 1, sizeof *tensors);
    handle *made = calloc(count + 1, sizeof *made);
    *(input ? &about->inputs : &about->outputs) = tensors;
    *(input ? &own->rooms[signature].inputs : &own->rooms[signature].outputs) = made;
    for (size_t i = 0; tensors && made && i < count; i++) {
        handle tensor = NULL;
        ranked_type type;
        if ((input ? own->call.input_name : own->call.output_name)(from, i, &tensors[i].name) != OK
            || (input ? own->call.input_tensor : own->call.output_tensor)(from, i, &tensor) != OK
            || read_tensor(own, tensor, &tensors[i], &type)
            || make_buffer(own, signature, i, input, &tensors[i], &type, &made[i]))
            return -1;
    }
    return tensors && made ? 0 : -1;
}

static int open_signature(litert_model *own, size_t number)
{
    litert_signature *about = &own->signatures[number];
    handle from = NULL;
    if (own->call.signature(own->model, number, &from) != OK || own->call.signature_key(from, &about->key) != OK)
        return -1;
    if (own->call.input_count(from, &about->input_count) != OK
        || own->call.output_count(from, &about->output_count) != OK)
        return -1;
    return open_side(own, from, number, true) || open_side(own, from, number, false) ? -1 : 0;
}

static int open_model(litert_model *own, const char *path)
{
    if ((own->call.create_environment(1, &SILENT, &own->environment) != OK
         && own->call.create_environment(0, NULL, &own->environment) != OK)
        || own->call.create_model(own->environment, path, &own->model) != OK
        || own->call.create_options(&own->options) != OK || own->call.set_accelerators(own->options, CPU) != OK
        || own->call.create_compiled(own->environment, own->model, own->options, &own->compiled) != OK
        || own->call.signature_count(own->model, &own->count) != OK)
        return -1;
    own->signatures = calloc(own->count + 1, sizeof *own->signatures);
    own->rooms = calloc(own->count + 1, sizeof *own->rooms);
    for (size_t i = 0; own->signatures && own->rooms && i < own->count; i++)
        if (open_signature(own, i))
            return -1;
    return own->signatures && own->rooms ? 0 : -1;
}

litert_model *litert_open(const char *library, const char *path, char *error, size_t room)
{
    litert_model *own = calloc(1, sizeof *own);
    if (!own) {
        snprintf(error, room, "There is no memory left to open %s.", path);
        return NULL;
    }
    if (load_library(own, library, error, room)) {
        litert_close(own);
        return NULL;
    }
    if (open_model(own, path)) {
        snprintf(error, room, "%s is no model that LiteRT can run; export it again.", path);
        litert_close(own);
        return NULL;
    }
    return own;
}

size_t litert_signature_count(const litert_model *model)
{
    return model->count;
}

const litert_signature *litert_signature_at(const litert_model *model, size_t number)
{
    return &model->signatures[number];
}

/* Copies numbers of 4 bytes into a buffer, or out of it. */
static int copy(litert_model *own, handle buffer, void *numbers, size_t count, bool in)
{
    void *place = NULL;
    if (own->call.lock(buffer, &place, in ? FOR_WRITING : FOR_READING) != OK || !place)
        return -1;
    memcpy(in ? place : numbers, in ? numbers : place, 4 * count);
    return own->call.unlock(buffer) == OK ? 0 : -1;
}

int litert_run(litert_model *own, size_t signature, const int32_t *const *inputs, size_t output, float *values,
               char *error, size_t room)
{
    litert_signature *about = &own->signatures[signature];
    buffers *rooms = &own->rooms[signature];
    int failed = 0;
    for (size_t i = 0; i < about->input_count && !failed; i++)
        failed = copy(own, rooms->inputs[i], (void *) inputs[i], about->inputs[i].count, true);
    failed = failed || own->call.run(own->compiled, signature, about->input_count, rooms->inputs, about->output_count,
                                     rooms->outputs) != OK;
    failed = failed || copy(own, rooms->outputs[output], values, about->outputs[output].count, false);
    if (failed)
        snprintf(error, room, "LiteRT could not compute a row; export the model again.");
    return failed ? -1 : 0;
}

static void free_side(litert_model *own, handle *made, litert_tensor *tensors, size_t count)
{
    for (size_t i = 0; made && i < count; i++)
        if (made[i])
            own->call.destroy_buffer(made[i]);
    free(made);
    free(tensors);
}

void litert_close(litert_model *own)
{
    if (!own)
        return;
    for (size_t i = 0; own->rooms && own->signatures && i < own->count; i++) {
        free_side(own, own->rooms[i].inputs, own->signatures[i].inputs, own->signatures[i].input_count);
        free_side(own, own->rooms[i].outputs, own->signatures[i].outputs, own->signatures[i].output_count);
    }
    free(own->rooms);
    free(own->signatures);
    if (own->compiled)
        own->call.destroy_compiled(own->compiled);
    if (own->options)
        own->call.destroy_options(own->options);
    if (own->model)
        own->call.destroy_model(own->model);
    if (own->environment)
        own->call.destroy_environment(own->environment);
    free(own);          /* the library stays loaded: it does not support being closed */
}
