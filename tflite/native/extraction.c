/* The sentences of a document that say most of it; see answers.h. */
#include <math.h>

#include "answers.h"
#include "words.h"

/* Computes a row of the sentences from `first` to `end`, and writes their scores. */
static void score(bk_room *room, const bk_engine *engine, const bk_row *rows, int first, int end, double *scores)
{
    const bk_tokenizer *tokenizer = engine->tokenizer;
    bk_row whole = {{0}, {0}};
    int32_t other = 0;
    int ahead = 0, at = 0;
    for (int i = 0; i < tokenizer->pair.count; i++)
        other = tokenizer->pair.slots[i].id == BK_SECOND ? tokenizer->pair.slots[i].segment : other;
    while (ahead < tokenizer->single.count && tokenizer->single.slots[ahead].id != tokenizer->cls)
        ahead++;
    ahead = ahead == tokenizer->single.count ? 0 : ahead;
    for (int i = first; i < end; i++)
        for (int k = 0; k < rows[i].ids.count; k++) {
            bk_push(room, &whole.ids, rows[i].ids.at[k]);
            bk_push(room, &whole.segments, (i - first) % 2 ? other : rows[i].segments.at[k]);
        }
    const float *logits = engine->output(room, engine->model, &whole);
    for (int i = first; i < end; i++) {
        const float *own = logits + 2 * (at + ahead);
        scores[i] = (double) own[1] - own[0];
        at += rows[i].ids.count;
    }
}

/* Scores sentences that an encoder has learned to choose (Liu 2019, BERTSUM): rows of whole sentences. */
static void learned(bk_room *room, const bk_engine *engine, bk_text text, const bk_spans *spans, double *scores)
{
    int count = spans->starts.count, first = 0, size = 0;
    bk_row *rows = bk_take(room, (size_t) count + 1, sizeof *rows);
    for (int i = 0; i < count; i++) {
        bk_list ids = bk_tokens(room, engine->tokenizer, bk_part(text, spans->starts.at[i], spans->ends.at[i])).ids;
        rows[i] = bk_row_of(room, engine->tokenizer, &ids, NULL, engine->length);
        if (i > first && size + rows[i].ids.count > engine->length) {
            score(room, engine, rows, first, i, scores);
            first = i;
            size = 0;
        }
        size += rows[i].ids.count;
    }
    if (count)
        score(room, engine, rows, first, count, scores);
}

/* Scores sentences by how like the others they are (Erkan and Radev 2004): the sum of cosines; short ones come last. */
static void central(bk_room *room, const bk_task *task, const bk_engine *engine, bk_text text, const bk_spans *spans,
                    double *scores)
{
    int count = spans->starts.count, width = task->width;
    double *vectors = bk_take(room, (size_t) count * (size_t) width + 1, sizeof *vectors);
    double *sum = bk_take(room, (size_t) width + 1, sizeof *sum);
    for (int i = 0; i < count; i++) {
        const float *own = bk_vector(room, engine, bk_part(text, spans->starts.at[i], spans->ends.at[i]), NULL);
        double squares = 0;
        for (int k = 0; k < width; k++)
            squares += (double) own[k] * own[k];
        for (int k = 0; k < width; k++)
            sum[k] += vectors[i * width + k] = squares > 0 ? own[k] / sqrt(squares) : 0;
    }
    for (int i = 0; i < count; i++) {
        bk_spans words = {{0}, {0}};
        bk_words(room, text, spans->starts.at[i], spans->ends.at[i], NULL, &words);
        scores[i] = words.starts.count < task->shortest ? -2.0 * count : 0;
        for (int k = 0; k < width; k++)
            scores[i] += vectors[i * width + k] * sum[k];
    }
}

void bk_answer_summary(bk_room *room, const bk_task *task, const bk_engine *engine, bk_text text, bk_list *out)
{
    bk_spans spans = bk_sentences_of(room, text);
    int count = spans.starts.count, left = task->count;
    double *scores = bk_take(room, (size_t) count + 1, sizeof *scores);
    bool *chosen = bk_take(room, (size_t) count + 1, sizeof *chosen);
    bk_list summary = {0};
    const char *comma = "";
    if (task->kind == BK_CENTRAL)
        central(room, task, engine, text, &spans, scores);
    else
        learned(room, engine, text, &spans, scores);
    for (; left > 0 && count > task->count - left; left--) {
        int best = -1;
        for (int i = 0; i < count; i++)
            best = !chosen[i] && (best < 0 || scores[i] > scores[best]) ? i : best;
        chosen[best] = true;
    }
    for (int i = 0; i < count; i++)
        for (int k = spans.starts.at[i] - (summary.count > 0); chosen[i] && k < spans.ends.at[i]; k++)
            bk_push(room, &summary, k < spans.starts.at[i] ? ' ' : text.at[k]);
    bk_text whole = {summary.at, summary.count};
    bk_write_ascii(room, out, "{\"summary\": ");
    bk_write_string(room, out, whole);
    bk_write_ascii(room, out, ", \"sentences\": [");
    for (int i = 0; i < count; i++)
        if (chosen[i]) {
            bk_write_ascii(room, out, comma);
            bk_write_ascii(room, out, "{\"start\": ");
            bk_write_whole(room, out, spans.starts.at[i]);
            bk_write_ascii(room, out, ", \"end\": ");
            bk_write_whole(room, out, spans.ends.at[i]);
            bk_write_ascii(room, out, "}");
            comma = ", ";
        }
    bk_write_ascii(room, out, "]}");
}
