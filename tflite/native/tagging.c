/* A tag for each word of a text, and the entities that the tags mark; see answers.h. */
#include <string.h>

#include "answers.h"
#include "words.h"

/* A text as it is read, and where the units are that get a tag. */
typedef struct {
    bk_text encoded;
    bk_spans spans, own;            /* in the encoded text, in the given one */
    bk_list words;                  /* the number of each unit's word; empty where each unit is a word of the data */
    bool parted;                    /* whether words may fall into several units */
} reading;

/* Tags, and where each stands in the given text. */
typedef struct {
    bk_text *tags;
    bk_spans spans;
} placed;

/* Joins words by single blanks, as those of the training data were. */
static reading joined(bk_room *room, bk_text given, bk_spans own)
{
    reading found = {{NULL, 0}, {{0}, {0}}, own, {0}, false};
    bk_list text = {0};
    for (int i = 0; i < own.starts.count; i++) {
        if (i)
            bk_push(room, &text, ' ');
        int start = text.count;
        for (int k = own.starts.at[i]; k < own.ends.at[i]; k++)
            bk_push(room, &text, given.at[k]);
        bk_add_span(room, &found.spans, start, text.count);
    }
    found.encoded.at = text.at;
    found.encoded.count = text.count;
    return found;
}

static reading read(bk_room *room, bk_text given, const bk_convention *convention)
{
    if (convention)
        return joined(room, given, bk_convention_words(room, convention, given));
    reading found = {given, {{0}, {0}}, {{0}, {0}}, {0}, true};
    bk_spans words = {{0}, {0}};
    bk_words(room, given, 0, given.count, NULL, &words);
    for (int i = 0; i < words.starts.count; i++) {
        bk_at_apostrophes(room, given, words.starts.at[i], words.ends.at[i], &found.spans);
        while (found.words.count < found.spans.starts.count)
            bk_push(room, &found.words, i);
    }
    found.own = found.spans;
    return found;
}

/* Returns how many of the ascending numbers are below a limit. */
static int below(const bk_list *ascending, int limit)
{
    int low = 0, high = ascending->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (ascending->at[middle] < limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Leaves out the pieces that stand for no character; `numbers` gets the numbers of those that are left. */
static bk_pieces covering(bk_room *room, const bk_pieces *pieces, bk_list *numbers)
{
    bk_pieces found = {{0}, {0}, {0}};
    for (int i = 0; i < pieces->ids.count; i++)
        if (pieces->starts.at[i] < pieces->ends.at[i]) {
            bk_add_piece(room, &found, pieces->ids.at[i], pieces->starts.at[i], pieces->ends.at[i]);
            bk_push(room, numbers, i);
        }
    return found;
}

/* Gives a unit to each piece of Thai, Khmer and the like, where a run may be several words. */
static void part_in_pieces(bk_room *room, reading *own, const bk_pieces *pieces)
{
    bk_spans units = {{0}, {0}};
    bk_list words = {0};
    for (int i = 0; own->parted && i < own->spans.starts.count; i++) {
        int start = own->spans.starts.at[i], end = own->spans.ends.at[i], before = units.starts.count;
        if (bk_is_unbroken(bk_part(own->encoded, start, end)))
            for (int k = below(&pieces->ends, start + 1); k < below(&pieces->starts, end); k++) {
                int first = pieces->starts.at[k], last = pieces->ends.at[k];
                bk_add_span(room, &units, first > start ? first : start, last < end ? last : end);
            }
        if (units.starts.count == before)
            bk_add_span(room, &units, start, end);
        while (words.count < units.starts.count)
            bk_push(room, &words, own->words.at[i]);
    }
    if (own->parted) {
        own->spans = own->own = units;
        own->words = words;
    }
}

/* Returns the tag of each unit, from the window where it has most context; O for one without a piece. */
static bk_text *tags_of(bk_room *room, const bk_task *task, const bk_engine *engine, const reading *own,
                        const bk_list *ids, const bk_pieces *pieces, const bk_list *numbers)
{
    static int32_t letter[] = {'O'};
    static const bk_text OUTSIDE = {letter, 1};
    bk_windows windows = bk_windows_of(room, engine->tokenizer, ids, engine->length, NULL, task->stride);
    const float **outputs = bk_take(room, (size_t) windows.count + 1, sizeof *outputs);
    bk_text *found = bk_take(room, (size_t) own->spans.starts.count + 1, sizeof *found);
    for (int i = 0; i < windows.count; i++)
        outputs[i] = engine->output(room, engine->model, &windows.at[i].row);
    for (int i = 0; i < own->spans.starts.count; i++) {
        int start = own->spans.starts.at[i], end = own->spans.ends.at[i];
        int first = below(&pieces->ends, start + 1), last = below(&pieces->starts, end) - 1;
        found[i] = OUTSIDE;
        if (first > last || start >= end)
            continue;
        int piece = numbers->at[first], number = windows.chosen[piece];
        const bk_window *window = &windows.at[number];
        const float *logits = outputs[number] + (window->place + piece - window->start) * task->width;
        found[i] = task->labels[bk_largest(logits, task->width)];
    }
    return found;
}

static bk_text type_of(bk_text tag)
{
    return tag.count > 2 ? bk_part(tag, 2, tag.count) : bk_part(tag, 0, 0);
}

static bool is_outside(bk_text tag)
{
    return bk_is(tag, "O");
}

static void add(bk_room *room, placed *to, bk_text tag, int start, int end)
{
    to->tags[to->spans.starts.count] = tag;
    bk_add_span(room, &to->spans, start, end);
}

/* Returns a tag that goes on with the entity before it, if that is of its type. */
static bk_text continued(bk_room *room, bk_text before, bk_text tag)
{
    if (is_outside(tag) || !bk_same(type_of(before), type_of(tag)))
        return tag;
    bk_list found = {0};
    bk_push(room, &found, 'I');
    bk_push(room, &found, '-');
    for (int i = 2; i < tag.count; i++)
        bk_push(room, &found, tag.at[i]);
    bk_text made = {found.at, found.count};
    return made;
}

/* Settles the tags of one word's units, from `first` to `end`: parts of a script without blanks are words of their
 * own; another word is whole if its first part has a tag, else an entity begins at the part that has one. */
static void settle(bk_room *room, const reading *own, const bk_text *tags, int first, int end, placed *to)
{
    const bk_list *starts = &own->own.starts, *ends = &own->own.ends;
    int tagged = first;
    if (bk_is_unbroken(bk_part(own->encoded, starts->at[first], ends->at[end - 1]))) {
        for (int unit = first; unit < end; unit++) {
            bk_text before = unit > first ? tags[unit - 1] : bk_part(tags[unit], 0, 0);
            add(room, to, continued(room, before, tags[unit]), starts->at[unit], ends->at[unit]);
        }
        return;
    }
    while (tagged < end && is_outside(tags[tagged]))
        tagged++;
    tagged = tagged == end ? first : tagged;
    if (tagged > first)
        add(room, to, tags[first], starts->at[first], ends->at[tagged - 1]);
    add(room, to, tags[tagged], starts->at[tagged], ends->at[end - 1]);
}

static bool begins_with(bk_text tag, const char *letters)
{
    return tag.count && tag.at[0] < 128 && tag.at[0] && strchr(letters, tag.at[0]);
}

static void write_entity(bk_room *room, bk_text text, bk_text type, int start, int end, const char *comma, bk_list *out)
{
    static int32_t underline[] = {'_'};
    static const bk_text NAMELESS = {underline, 1};
    bk_write_ascii(room, out, comma);
    bk_write_ascii(room, out, "{\"text\": ");
    bk_write_string(room, out, bk_part(text, start, end < start ? start : end));
    bk_write_ascii(room, out, ", \"type\": ");
    bk_write_string(room, out, type.count ? type : NAMELESS);
    bk_write_ascii(room, out, ", \"start\": ");
    bk_write_whole(room, out, start);
    bk_write_ascii(room, out, ", \"end\": ");
    bk_write_whole(room, out, end);
    bk_write_ascii(room, out, "}");
}

/* An entity begins at B and S, and at an I or E that does not continue one of its type (the rule of conlleval). */
static void write_entities(bk_room *room, bk_text text, const placed *own, bk_list *out)
{
    const char *comma = "";
    int count = own->spans.starts.count;
    bk_write_ascii(room, out, "{\"entities\": [");
    for (int first = 0; first < count;) {
        int end = first + 1;
        while (end < count && begins_with(own->tags[end - 1], "BI") && begins_with(own->tags[end], "IE")
               && bk_same(type_of(own->tags[end - 1]), type_of(own->tags[end])))
            end++;
        if (begins_with(own->tags[first], "BIES") && begins_with(own->tags[end - 1], "BIES")) {
            write_entity(room, text, type_of(own->tags[first]), own->spans.starts.at[first],
                         own->spans.ends.at[end - 1], comma, out);
            comma = ", ";
        }
        first = end;
    }
    bk_write_ascii(room, out, "]}");
}

void bk_answer_tags(bk_room *room, const bk_task *task, const bk_engine *engine, bk_text text, bk_list *out)
{
    reading own = read(room, text, task->convention);
    bk_pieces pieces = bk_tokens(room, engine->tokenizer, own.encoded);
    bk_list numbers = {0};
    bk_pieces standing = covering(room, &pieces, &numbers);
    part_in_pieces(room, &own, &standing);
    bk_text *tags = tags_of(room, task, engine, &own, &pieces.ids, &standing, &numbers);
    placed found = {tags, own.own};
    if (own.parted) {
        found.tags = bk_take(room, 2 * (size_t) own.spans.starts.count + 1, sizeof *found.tags);
        found.spans.starts.count = found.spans.ends.count = found.spans.starts.space = found.spans.ends.space = 0;
        for (int first = 0, end; first < own.words.count; first = end) {
            for (end = first + 1; end < own.words.count && own.words.at[end] == own.words.at[first];)
                end++;
            settle(room, &own, tags, first, end, &found);
        }
    }
    write_entities(room, text, &found, out);
}
