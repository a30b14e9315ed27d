/* The answers of the tasks that give one vector a row; see answers.h. */
#include "answers.h"

#include <math.h>
#include <string.h>

const float *bk_vector(bk_room *room, const bk_engine *engine, bk_text first, const bk_text *second)
{
    bk_list ids = bk_tokens(room, engine->tokenizer, first).ids, others = {0};
    if (second)
        others = bk_tokens(room, engine->tokenizer, *second).ids;
    bk_row row = bk_row_of(room, engine->tokenizer, &ids, second ? &others : NULL, engine->length);
    return engine->output(room, engine->model, &row);
}

float *bk_softmax(bk_room *room, const float *logits, int count)
{
    float *found = bk_take(room, (size_t) count + 1, sizeof *found);
    double most = -INFINITY, sum = 0;
    for (int i = 0; i < count; i++)
        most = logits[i] > most ? logits[i] : most;
    for (int i = 0; i < count; i++)
        sum += exp(logits[i] - most);
    for (int i = 0; i < count; i++)
        found[i] = (float) (exp(logits[i] - most) / sum);
    return found;
}

int bk_largest(const float *numbers, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        best = numbers[i] > numbers[best] ? i : best;
    return best;
}

static void write_numbers(bk_room *room, bk_list *out, const float *numbers, int count)
{
    bk_write_ascii(room, out, "[");
    for (int i = 0; i < count; i++) {
        bk_write_ascii(room, out, i ? ", " : "");
        bk_write_number(room, out, numbers[i]);
    }
    bk_write_ascii(room, out, "]");
}

/* Returns the label of each text that probabilities decide. */
static int chosen_of(const bk_task *task, const float *p)
{
    if (task->threshold == 0.5)
        return bk_largest(p, task->label_count);
    return p[task->positive] > (float) task->threshold ? task->positive : 1 - task->positive;
}

/* What the limits that dev chose say of an answer: whether it abstains, and which labels belong to its set. */
static void write_trust(bk_room *room, const bk_task *task, const float *p, bk_list *out)
{
    const char *comma = "";
    int chosen = chosen_of(task, p);
    if (task->abstain_below >= 0)
        bk_write_ascii(room, out, p[chosen] < (float) task->abstain_below ? ", \"abstain\": true"
                                                                          : ", \"abstain\": false");
    if (task->set_from < 0)
        return;
    bk_write_ascii(room, out, ", \"set\": [");
    for (int i = 0; i < task->label_count; i++)
        if (i == chosen || p[i] >= (float) task->set_from) {
            bk_write_ascii(room, out, comma);
            bk_write_string(room, out, task->labels[i]);
            comma = ", ";
        }
    bk_write_ascii(room, out, "]");
}

static void write_given(bk_room *room, const bk_task *task, const float *p, bk_list *out)
{
    const char *comma = "";
    if (!task->multi_label) {
        bk_write_ascii(room, out, "{\"label\": ");
        bk_write_string(room, out, task->labels[chosen_of(task, p)]);
        return;
    }
    bk_write_ascii(room, out, "{\"labels\": [");
    for (int i = 0; i < task->label_count; i++)
        if (p[i] > (float) task->threshold) {
            bk_write_ascii(room, out, comma);
            bk_write_string(room, out, task->labels[i]);
            comma = ", ";
        }
    bk_write_ascii(room, out, "]");
}

static void write_classes(bk_room *room, const bk_task *task, const float *p, bk_list *out)
{
    write_given(room, task, p, out);
    bk_write_ascii(room, out, ", \"probabilities\": {");
    for (int i = 0; i < task->label_count; i++) {
        bk_write_ascii(room, out, i ? ", " : "");
        bk_write_string(room, out, task->labels[i]);
        bk_write_ascii(room, out, ": ");
        bk_write_number(room, out, p[i]);
    }
    bk_write_ascii(room, out, "}");
    write_trust(room, task, p, out);
    bk_write_ascii(room, out, "}");
}

/* Classes of a text that is longer than a row, by the mean or the largest of the logits of its windows. */
static void write_document(bk_room *room, const bk_task *task, const bk_engine *engine, bk_text text, bk_list *out)
{
    int places = bk_room_of(room, engine->tokenizer, engine->length, false), half = places / 2 > 1 ? places / 2 : 1;
    int64_t read = places + (int64_t) (task->windows - 1) * half;
    bk_list ids = bk_tokens(room, engine->tokenizer, text).ids;
    ids.count = ids.count < read ? ids.count : (int) read;
    bk_windows windows = bk_windows_of(room, engine->tokenizer, &ids, engine->length, NULL, engine->length);
    float *pooled = bk_take(room, (size_t) task->width, sizeof *pooled);
    for (int number = 0; number < windows.count; number++) {
        const float *logits = engine->output(room, engine->model, &windows.at[number].row);
        for (int i = 0; i < task->width; i++)
            if (!task->largest)
                pooled[i] += logits[i] / (float) windows.count;
            else if (!number || logits[i] > pooled[i])
                pooled[i] = logits[i];
    }
    float *p = bk_softmax(room, pooled, task->width);
    for (int i = 0; task->multi_label && i < task->width; i++)
        p[i] = (float) (1 / (1 + exp(-(double) pooled[i])));
    write_classes(room, task, p, out);
}

/* One number for each text behind the first: endings of a prompt, documents of a query. */
static float *numbers_of(bk_room *room, const bk_engine *engine, const bk_text *texts, int count)
{
    float *found = bk_take(room, (size_t) count, sizeof *found);
    for (int i = 1; i < count; i++)
        found[i - 1] = bk_vector(room, engine, texts[0], &texts[i])[0];
    return found;
}

static void write_choice(bk_room *room, const bk_engine *engine, const bk_text *texts, int count, bk_list *out)
{
    float *p = bk_softmax(room, numbers_of(room, engine, texts, count), count - 1);
    bk_write_ascii(room, out, "{\"choice\": ");
    bk_write_whole(room, out, bk_largest(p, count - 1));
    bk_write_ascii(room, out, ", \"probabilities\": ");
    write_numbers(room, out, p, count - 1);
    bk_write_ascii(room, out, "}");
}

static void write_scores(bk_room *room, const float *scores, int count, bk_list *out)
{
    bk_write_ascii(room, out, count == 1 ? "{\"score\": " : "{\"scores\": ");
    if (count == 1)
        bk_write_number(room, out, scores[0]);
    else
        write_numbers(room, out, scores, count);
    bk_write_ascii(room, out, "}");
}

static void write_embedding(bk_room *room, const bk_task *task, const bk_engine *engine, const bk_text *texts,
                            int count, bk_list *out)
{
    bk_write_ascii(room, out, count > 1 ? "{\"embedding\": [" : "{\"embedding\": ");
    for (int i = 0; i < count; i++) {
        bk_list text = {0};
        for (int k = 0; k < task->prompt.count; k++)
            bk_push(room, &text, task->prompt.at[k]);
        for (int k = 0; k < texts[i].count; k++)
            bk_push(room, &text, texts[i].at[k]);
        bk_text whole = {text.at, text.count};
        bk_write_ascii(room, out, i ? ", " : "");
        write_numbers(room, out, bk_vector(room, engine, whole, NULL), task->width);
    }
    bk_write_ascii(room, out, count > 1 ? "]}" : "}");
}

bk_list bk_answer(bk_room *room, const bk_task *task, const bk_engine *engine, const bk_text *texts, int count)
{
    bk_list out = {0};
    const bk_text *second = count > 1 ? &texts[1] : NULL;
    switch (task->kind) {
    case BK_CLASSIFY: write_classes(room, task, bk_vector(room, engine, texts[0], second), &out); break;
    case BK_DOCUMENTS: write_document(room, task, engine, texts[0], &out); break;
    case BK_SCORE: write_scores(room, bk_vector(room, engine, texts[0], second), 1, &out); break;
    case BK_TAG: bk_answer_tags(room, task, engine, texts[0], &out); break;
    case BK_ANSWER: bk_answer_question(room, task, engine, texts, &out); break;
    case BK_CHOOSE: write_choice(room, engine, texts, count, &out); break;
    case BK_EMBED: write_embedding(room, task, engine, texts, count, &out); break;
    case BK_RANK: write_scores(room, numbers_of(room, engine, texts, count), count - 1, &out); break;
    default: bk_answer_summary(room, task, engine, texts[0], &out); break;
    }
    return out;
}
