/* Reads tasks and their inputs; see task.h. */
#include "task.h"

#include <string.h>

#include "answers.h"
#include "words.h"

static const bk_text NONE = {NULL, 0};

static const bk_task TASKS[] = {
    [BK_CLASSIFY] = {.kind = BK_CLASSIFY, .output = "probabilities", .least = 1, .most = 1, .reads = "text"},
    [BK_DOCUMENTS] = {.kind = BK_DOCUMENTS, .output = "logits", .least = 1, .most = 1, .reads = "text"},
    [BK_SCORE] = {.kind = BK_SCORE, .output = "score", .width = 1, .least = 2, .most = 2,
                  .reads = "first text, tab, second text"},
    [BK_TAG] = {.kind = BK_TAG, .output = "logits", .each_token = true, .least = 1, .most = 1, .reads = "text"},
    [BK_ANSWER] = {.kind = BK_ANSWER, .output = "logits", .width = 2, .each_token = true, .least = 2, .most = 2,
                   .reads = "question, tab, context"},
    [BK_CHOOSE] = {.kind = BK_CHOOSE, .output = "logits", .width = 1, .least = 3, .most = -1,
                   .reads = "prompt, tab, ending, tab, ending, tab, ..."},
    [BK_EMBED] = {.kind = BK_EMBED, .output = "embedding", .least = 1, .most = -1, .reads = "text"},
    [BK_RANK] = {.kind = BK_RANK, .output = "score", .width = 1, .least = 2, .most = -1,
                 .reads = "query, tab, document"},
    [BK_SUMMARISE] = {.kind = BK_SUMMARISE, .output = "logits", .width = 2, .each_token = true, .least = 1, .most = 1,
                      .reads = "document"},
    [BK_CENTRAL] = {.kind = BK_CENTRAL, .output = "embedding", .least = 1, .most = 1, .reads = "document"}};

static const char *const NAMES[] = {"classify", "long_documents", "score", "tag", "answer", "choose", "embed", "rank",
                                    "summarise", "summarise-central"};

/* The settings of each task. */
static const char *const KNOWN[][9] = {
    {"name", "labels", "multi_label", "pairs", "positive", "threshold", "abstain_below", "set_from"},
    {"name", "labels", "multi_label", "pairs", "positive", "threshold", "most_windows", "pooling"},
    {"name", "pairs", "mean", "spread"}, {"name", "labels", "stride", "convention"},
    {"name", "version", "threshold", "query", "stride", "longest", "most"}, {"name"},
    {"name", "width", "prompt", "query", "document"}, {"name", "candidates"}, {"name", "count"},
    {"name", "count", "least", "width"}};

static void read_labels(bk_room *room, bk_task *task, const bk_json *settings)
{
    const bk_json *labels = bk_values(room, settings, "labels", BK_STRING);
    bk_map seen = {0};
    task->labels = bk_take(room, (size_t) labels->count + 1, sizeof *task->labels);
    task->label_count = task->width = labels->count;
    for (int i = 0; i < labels->count; i++) {
        task->labels[i] = labels->values[i]->text;
        if (bk_get(&seen, task->labels[i]) >= 0)
            bk_wrong(room, settings, "labels", "different labels");
        bk_put(room, &seen, task->labels[i], i);
    }
    if (!labels->count)
        bk_wrong(room, settings, "labels", "one label or more");
}

/* Returns a limit of probabilities, which a task for one label of each text may have, or -1. */
static double limit_of(bk_room *room, const bk_task *task, const bk_json *settings, const char *name)
{
    if (!bk_entry(settings, name))
        return -1;
    double value = bk_number(room, settings, name, -1);
    if (!(value >= 0 && value <= 1) || task->multi_label)
        bk_wrong(room, settings, name, "0 to 1, for one label of each text");
    return value;
}

static void read_classes(bk_room *room, bk_task *task, const bk_json *settings)
{
    bk_text positive = bk_string(room, settings, "positive", NONE);
    bk_text pooling = bk_string(room, settings, "pooling", NONE);
    read_labels(room, task, settings);
    task->multi_label = bk_flag(room, settings, "multi_label", false);
    task->threshold = bk_number(room, settings, "threshold", 0.5);
    task->abstain_below = limit_of(room, task, settings, "abstain_below");
    task->set_from = limit_of(room, task, settings, "set_from");
    task->windows = bk_whole(room, settings, "most_windows", 1, 8);
    task->largest = bk_is(pooling, "max");
    task->positive = 1;
    bool binary = task->label_count == 2 && !task->multi_label;
    if (positive.count) {
        task->positive = bk_same(positive, task->labels[0]) ? 0 : 1;
        if (!binary || !bk_same(positive, task->labels[task->positive]))
            bk_wrong(room, settings, "positive", "one of two labels");
    }
    if (task->threshold < 0 || task->threshold > 1 || (task->threshold != 0.5 && !binary && !task->multi_label))
        bk_wrong(room, settings, "threshold", "0 to 1, for two labels or several a text");
    if (pooling.count && !task->largest && !bk_is(pooling, "mean"))
        bk_wrong(room, settings, "pooling", "\"mean\" or \"max\", which a client on a device computes");
}

/* Reads whether inputs are texts, pairs, or where null stands either of them. */
static void read_pairs(bk_room *room, bk_task *task, const bk_json *settings)
{
    bool pairs = bk_flag(room, settings, "pairs", task->kind == BK_SCORE);
    for (int i = 0; i < settings->count; i++)
        task->either = task->either || (bk_is(settings->names[i], "pairs") && settings->values[i]->kind == BK_NULL);
    task->least = task->most = pairs && !task->either ? 2 : 1;
    task->reads = task->least == 2 ? "first text, tab, second text" : "text";
    task->most += task->either;
}

static void read_settings(bk_room *room, bk_task *task, const bk_json *settings)
{
    bk_text version = bk_string(room, settings, "version", NONE);
    task->stride = bk_whole(room, settings, "stride", 0, 128);
    task->longest = bk_whole(room, settings, "longest", 0, 30);
    task->tried = bk_whole(room, settings, "most", 0, 20);
    task->count = bk_whole(room, settings, "count", 1, 3);
    task->shortest = bk_whole(room, settings, "least", 0, 5);
    task->prompt = bk_string(room, settings, "prompt", NONE);
    task->may_be_none = bk_is(version, "2.0");
    if (task->kind == BK_ANSWER) {
        task->query = bk_whole(room, settings, "query", 0, 64);
        task->threshold = bk_number(room, settings, "threshold", 0.5);
    }
    if (version.count && !task->may_be_none && !bk_is(version, "1.1"))
        bk_wrong(room, settings, "version", "\"1.1\" or \"2.0\"");
    if (task->kind == BK_TAG) {
        read_labels(room, task, settings);
        task->labels = bk_spelt(room, task->labels, task->label_count);
        const bk_json *convention = bk_entry(settings, "convention");
        task->convention = convention ? bk_convention_of(room, bk_object(room, settings, "convention")) : NULL;
    }
    if (task->kind == BK_EMBED || task->kind == BK_CENTRAL)
        task->width = bk_whole(room, settings, "width", 0, 0);
}

bk_task *bk_task_of(bk_room *room, const bk_json *settings)
{
    bk_task *task = bk_take(room, 1, sizeof *task);
    bk_text name = bk_string(room, settings, "name", NONE);
    int kind = 0;
    while (kind <= BK_CENTRAL && !bk_is(name, NAMES[kind]))
        kind++;
    if (kind > BK_CENTRAL)
        bk_fail(room, "The task %.40s is not one that this client answers; it answers classify, long_documents, score, "
                "tag, answer, choose, embed, rank and summarise.", bk_utf8(room, name));
    *task = TASKS[kind];
    bk_only(room, settings, KNOWN[kind]);
    if (kind == BK_CLASSIFY || kind == BK_DOCUMENTS)
        read_classes(room, task, settings);
    else
        read_settings(room, task, settings);
    if (kind <= BK_SCORE)
        read_pairs(room, task, settings);
    return task;
}

int bk_input(bk_room *room, const bk_task *task, bk_text line, bk_text **texts)
{
    int tabs = 0, count = 0, start = 0;
    for (int i = 0; i < line.count; i++)
        tabs += line.at[i] == '\t';
    bool parted = task->least > 1 || (task->either && tabs == 1);
    int wanted = !parted ? 1 : line.count ? tabs + 1 : task->least;
    *texts = bk_take(room, (size_t) wanted + 1, sizeof **texts);
    for (int i = 0; parted && i < line.count; i++)
        if (line.at[i] == '\t') {
            (*texts)[count++] = bk_part(line, start, i);
            start = i + 1;
        }
    (*texts)[count] = bk_part(line, start, line.count);
    int most = task->kind == BK_RANK ? 2 : task->most;
    if (wanted < task->least || (most >= 0 && wanted > most))
        bk_fail(room, "has %d tabs; this model reads %s.", tabs, task->reads);
    return wanted;
}

void bk_check_input(bk_room *room, const bk_task *task, int count)
{
    if (count < task->least || (task->most >= 0 && count > task->most))
        bk_fail(room, "An input has %d texts; this model reads %s.", count, task->reads);
}
