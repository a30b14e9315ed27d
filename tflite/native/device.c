/* See device.h. */
#include "device.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "folder.h"

static void read_lengths(bertkit_model *own, const bk_json *facts)
{
    bk_room *room = &own->room;
    const bk_json *given = bk_values(room, facts, "lengths", BK_NUMERAL);
    int longest = bk_whole(room, facts, "length", 1, 0);
    own->length_count = given->count ? given->count : 1;
    own->lengths = bk_take(room, (size_t) own->length_count, sizeof *own->lengths);
    own->lengths[0] = longest;
    for (int i = 0; i < given->count; i++) {
        double found = given->values[i]->number;
        if (found < 1 || found > 1 << 24 || (i && found <= own->lengths[i - 1]))
            bk_wrong(room, facts, "lengths", "a list of ascending whole numbers");
        own->lengths[i] = (int) found;
    }
    if (longest < 1 || longest > 1 << 24 || own->lengths[own->length_count - 1] != longest)
        bk_wrong(room, facts, "length", "the longest of the lengths");
}

static bool is_tensor(const litert_tensor *tensor, const char *name, enum litert_type type, const int *shape, int rank)
{
    bool right = !strcmp(tensor->name, name) && tensor->type == type && tensor->rank == rank;
    for (int i = 0; right && i < rank; i++)
        right = tensor->shape[i] == shape[i];
    return right;
}

/* Whether a signature takes and gives what the task wants at a length; families without segments leave these out. */
static bool fits(const bk_task *task, const litert_signature *about, int length)
{
    int row[] = {1, length}, one[] = {1, task->width}, each[] = {1, length, task->width};
    size_t found = 0;
    static const char *const NAMES[] = {"token_ids", "padding_mask", "segment_ids"};
    for (size_t i = 0; i < about->input_count; i++)
        for (int k = 0; k < 3; k++)
            found |= is_tensor(&about->inputs[i], NAMES[k], LITERT_INT32, row, 2) ? (size_t) 1 << k : 0;
    return about->output_count == 1 && found == (about->input_count == 2 ? 3u : 7u) && about->input_count < 4
        && is_tensor(&about->outputs[0], task->output, LITERT_FLOAT32, task->each_token ? each : one,
                     task->each_token ? 3 : 2);
}

static void find_signatures(bertkit_model *own)
{
    own->signatures = bk_take(&own->room, (size_t) own->length_count, sizeof *own->signatures);
    for (int i = 0; i < own->length_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "length_%d", own->lengths[i]);
        size_t count = litert_signature_count(own->runner), at = 0;
        while (own->length_count > 1 && at < count && strcmp(litert_signature_at(own->runner, at)->key, name))
            at++;
        if (at >= count || !fits(own->task, litert_signature_at(own->runner, at), own->lengths[i]))
            bk_fail(&own->room, "%.400s does not take and give what ondevice.json says; it belongs to another folder.",
                    own->path);
        own->signatures[i] = at;
    }
}

void bk_read_folder(bertkit_model *own, const char *folder, const char *library)
{
    static const bk_text NONE = {NULL, 0};
    bk_room *room = &own->room;
    const bk_json *facts = bk_read_object(room, bk_path(room, folder, "ondevice.json"), true);
    const bk_json *settings = bk_object(room, facts, "tokenizer"), *files = bk_object(room, facts, "files");
    bool lines = bk_has_lines(bk_string(room, settings, "kind", NONE));
    const char *words = lines ? "vocab.txt" : "vocabulary.json";
    if (bk_whole(room, facts, "format", 0, 0) != 1)
        bk_wrong(room, facts, "format", "1");
    if (!bk_entry(files, words) || (library && !bk_entry(files, "model.tflite")))
        bk_wrong(room, facts, "files", "the files that are used");
    bk_check_files(room, folder, files, library ? NULL : "model.tflite");
    read_lengths(own, facts);
    char *path = bk_path(room, folder, words);
    own->tokenizer = bk_tokenizer_of(room, settings, lines ? NULL : bk_read_object(room, path, false),
                                     lines ? bk_read(room, path) : NONE);
    own->task = bk_task_of(room, bk_object(room, facts, "task"));
    own->path = bk_path(room, folder, "model.tflite");
    if (library) {
        own->runner = litert_open(library, own->path, room->error, sizeof room->error);
        if (!own->runner)
            longjmp(*room->out, 1);
        find_signatures(own);
    }
}

const float *bk_compute(bk_room *room, void *model, const bk_row *row)
{
    bertkit_model *own = model;
    int fitting = 0, tokens = row->ids.count;
    while (fitting + 1 < own->length_count && own->lengths[fitting] < tokens)
        fitting++;
    int length = own->lengths[fitting], start = own->tokenizer->pads_right ? 0 : length - tokens;
    int32_t *numbers[3];
    for (int k = 0; k < 3; k++)
        numbers[k] = bk_take(room, (size_t) length, sizeof *numbers[k]);
    for (int i = 0; i < length; i++) {
        bool real = i >= start && i < start + tokens;
        numbers[0][i] = real ? row->ids.at[i - start] : own->tokenizer->pad;
        numbers[1][i] = real;
        numbers[2][i] = real ? row->segments.at[i - start] : own->tokenizer->padding_segment;
    }
    const litert_signature *about = litert_signature_at(own->runner, own->signatures[fitting]);
    const int32_t *inputs[3];
    for (size_t i = 0; i < about->input_count; i++)
        inputs[i] = numbers[!strcmp(about->inputs[i].name, "token_ids") ? 0
                            : !strcmp(about->inputs[i].name, "padding_mask") ? 1 : 2];
    float *values = bk_take(room, about->outputs[0].count, sizeof *values);
    if (litert_run(own->runner, own->signatures[fitting], inputs, 0, values, room->error, sizeof room->error))
        longjmp(*room->out, 1);
    for (size_t i = 0; i < about->outputs[0].count; i++)
        if (!isfinite(values[i]))
            bk_fail(room, "%.400s gives NaN or infinity; export it again.", own->path);
    return own->task->each_token ? values + (size_t) start * (size_t) own->task->width : values;
}
