/* The stretch of a context that answers a question, read in windows (Devlin et al. 2018, run_squad.py). */
#include <math.h>

#include "answers.h"

/* The best stretch so far: its sum of logits and the tokens of the context where it begins and ends. */
typedef struct {
    double score;
    int first, last;
} best;

/* Returns the places of the largest numbers of a column, the first one on ties; fewer where there are fewer. */
static int *largest(bk_room *room, const float *logits, int count, int column, int *most)
{
    int *found = bk_take(room, (size_t) *most + 1, sizeof *found), taken = 0;
    for (int i = 0; i < count; i++) {
        int at = taken;
        for (; at && logits[2 * found[at - 1] + column] < logits[2 * i + column]; at--)
            if (at < *most)
                found[at] = found[at - 1];
        if (at < *most) {
            found[at] = i;
            taken += taken < *most;
        }
    }
    *most = taken;
    return found;
}

/* Tries the largest starts and ends of a window; the first of equal sums stays. */
static void improve(bk_room *room, const bk_task *task, const bk_windows *windows, int number, const float *logits,
                    best *own)
{
    const bk_window *window = &windows->at[number];
    int starts = task->tried, stops = task->tried, tokens = window->row.ids.count;
    int *firsts = largest(room, logits, tokens, 0, &starts), *lasts = largest(room, logits, tokens, 1, &stops);
    for (int i = 0; i < starts; i++) {
        int first = firsts[i] - window->place + window->start;
        if (first < window->start || first >= window->end || windows->chosen[first] != number)
            continue;
        for (int k = 0; k < stops; k++) {
            int last = lasts[k] - window->place + window->start;
            double score = (double) logits[2 * firsts[i]] + logits[2 * lasts[k] + 1];
            if (last >= first && last < window->end && last - first + 1 <= task->longest && score > own->score) {
                own->score = score;
                own->first = first;
                own->last = last;
            }
        }
    }
}

static void write(bk_room *room, const bk_task *task, const best *own, double none, const bk_pieces *context,
                  bk_text text, bk_list *out)
{
    double difference = own->score - none < 700 ? own->score - none : 700, chance = 1 / (1 + exp(difference));
    int start = own->first < 0 ? 0 : context->starts.at[own->first];
    int end = own->first < 0 ? 0 : context->ends.at[own->last];
    while (start < end && bk_is_space(text.at[start]))
        start++;
    while (end > start && bk_is_space(text.at[end - 1]))
        end--;
    bool found = start < end && !(task->may_be_none && chance > task->threshold);
    bk_write_ascii(room, out, "{\"answer\": ");
    bk_write_string(room, out, found ? bk_part(text, start, end) : bk_part(text, 0, 0));
    bk_write_ascii(room, out, ", \"start\": ");
    bk_write_whole(room, out, found ? start : -1);
    bk_write_ascii(room, out, ", \"score\": ");
    bk_write_number(room, out, found ? 1 - chance : chance);
    bk_write_ascii(room, out, "}");
}

void bk_answer_question(bk_room *room, const bk_task *task, const bk_engine *engine, const bk_text *texts,
                        bk_list *out)
{
    bk_list question = bk_tokens(room, engine->tokenizer, texts[0]).ids;
    bk_pieces context = bk_tokens(room, engine->tokenizer, texts[1]);
    question.count = question.count < task->query ? question.count : task->query;
    bk_windows windows = bk_windows_of(room, engine->tokenizer, &context.ids, engine->length, &question, task->stride);
    best own = {-INFINITY, -1, -1};
    double none = INFINITY;
    for (int number = 0; number < windows.count; number++) {
        const bk_window *window = &windows.at[number];
        const float *logits = engine->output(room, engine->model, &window->row);
        double here = window->row.ids.count ? (double) logits[2 * window->cls] + logits[2 * window->cls + 1] : 0;
        none = here < none ? here : none;
        improve(room, task, &windows, number, logits, &own);
    }
    write(room, task, &own, none, &context, texts[1], out);
}
