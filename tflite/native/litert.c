/* See litert.h. */
#include "litert.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "litert_calls.h"
#include "verify.h"

/* LiteRtEnvOption with a whole number: here the least severity of a message that is logged. */
typedef struct {
    int tag;
    struct {
        int type;
        int64_t value;
    } any;
} environment_option;

static const environment_option SILENT = {25, {2, 4}};

/* The buffers of a signature. */
typedef struct {
    litert_handle *inputs, *outputs;
} buffers;

struct litert_model {
    litert_calls call;
    litert_handle environment, model, options, compiled;
    size_t count;
    litert_signature *signatures;
    buffers *rooms;
};

static int read_tensor(litert_model *own, litert_handle tensor, litert_tensor *into, litert_ranked *type)
{
    memset(type, 0, sizeof *type);
    if (own->call.ranked(tensor, type) != LITERT_OK || type->rank > LITERT_MOST_DIMENSIONS)
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
                       const litert_ranked *type, litert_handle *buffer)
{
    litert_handle needs = NULL;
    size_t size = 0;
    int status = (input ? own->call.input_needs : own->call.output_needs)(own->compiled, signature, number, &needs);
    if (status != LITERT_OK || own->call.create_buffer(own->environment, type, needs, buffer) != LITERT_OK)
        return -1;
    return own->call.buffer_size(*buffer, &size) == LITERT_OK && size >= 4 * tensor->count ? 0 : -1;
}

static int open_side(litert_model *own, litert_handle from, size_t signature, bool input)
{
    litert_signature *about = &own->signatures[signature];
    size_t count = input ? about->input_count : about->output_count;
    litert_tensor *tensors = calloc(count + 1, sizeof *tensors);
    litert_handle *made = calloc(count + 1, sizeof *made);
    *(input ? &about->inputs : &about->outputs) = tensors;
    *(input ? &own->rooms[signature].inputs : &own->rooms[signature].outputs) = made;
    for (size_t i = 0; tensors && made && i < count; i++) {
        litert_handle tensor = NULL;
        litert_ranked type;
        if ((input ? own->call.input_name : own->call.output_name)(from, i, &tensors[i].name) != LITERT_OK
            || (input ? own->call.input_tensor : own->call.output_tensor)(from, i, &tensor) != LITERT_OK
            || read_tensor(own, tensor, &tensors[i], &type)
            || make_buffer(own, signature, i, input, &tensors[i], &type, &made[i]))
            return -1;
    }
    return tensors && made ? 0 : -1;
}

static int open_signature(litert_model *own, size_t number)
{
    litert_signature *about = &own->signatures[number];
    litert_handle from = NULL;
    if (own->call.signature(own->model, number, &from) != LITERT_OK
        || own->call.signature_key(from, &about->key) != LITERT_OK)
        return -1;
    if (own->call.input_count(from, &about->input_count) != LITERT_OK
        || own->call.output_count(from, &about->output_count) != LITERT_OK)
        return -1;
    return open_side(own, from, number, true) || open_side(own, from, number, false) ? -1 : 0;
}

static int open_model(litert_model *own, const char *path)
{
    if ((own->call.create_environment(1, &SILENT, &own->environment) != LITERT_OK
         && own->call.create_environment(0, NULL, &own->environment) != LITERT_OK)
        || own->call.create_model(own->environment, path, &own->model) != LITERT_OK
        || own->call.create_options(&own->options) != LITERT_OK
        || own->call.set_accelerators(own->options, LITERT_CPU) != LITERT_OK
        || own->call.create_compiled(own->environment, own->model, own->options, &own->compiled) != LITERT_OK
        || own->call.signature_count(own->model, &own->count) != LITERT_OK)
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
    if (litert_load(&own->call, library, error, room)) {
        litert_close(own);
        return NULL;
    }
    if (tflite_verify_file(path) || open_model(own, path)) {
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
static int copy(litert_model *own, litert_handle buffer, void *numbers, size_t count, bool in)
{
    void *place = NULL;
    if (own->call.lock(buffer, &place, in ? LITERT_FOR_WRITING : LITERT_FOR_READING) != LITERT_OK || !place)
        return -1;
    memcpy(in ? place : numbers, in ? numbers : place, 4 * count);
    return own->call.unlock(buffer) == LITERT_OK ? 0 : -1;
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
                                     rooms->outputs) != LITERT_OK;
    failed = failed || copy(own, rooms->outputs[output], values, about->outputs[output].count, false);
    if (failed)
        snprintf(error, room, "LiteRT could not compute a row; export the model again.");
    return failed ? -1 : 0;
}

static void free_side(litert_model *own, litert_handle *made, litert_tensor *tensors, size_t count)
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
