/* Rows and windows; see tokenizer.h. */
#include <string.h>

#include "tokenizer.h"

int bk_room_of(bk_room *room, const bk_tokenizer *own, int length, bool paired)
{
    int special = paired ? own->pair.count - 2 : own->single.count - 1;
    if (length < special)
        bk_fail(room, "length=%d is too small for the %d special tokens of a %s; export the model with more.", length,
                special, paired ? "pair" : "text");
    return length - special;
}

void bk_truncate(int first, int second, int room, int kept[2])
{
    bool turned = first > second;
    int shorter = turned ? second : first, longer = turned ? first : second;
    shorter = shorter < room / 2 ? shorter : room / 2;
    longer = longer < room - shorter ? longer : room - shorter;
    kept[0] = turned ? longer : shorter;
    kept[1] = turned ? shorter : longer;
}

bk_row bk_row_of(bk_room *room, const bk_tokenizer *own, const bk_list *first, const bk_list *second, int length)
{
    const bk_layout *layout = second ? &own->pair : &own->single;
    int places = bk_room_of(room, own, length, second != NULL), kept[2] = {first->count, 0};
    bk_row row = {{0}, {0}};
    if (second)
        bk_truncate(first->count, second->count, places, kept);
    else if (kept[0] > places)
        kept[0] = places;
    for (int i = 0; i < layout->count; i++) {
        bk_slot slot = layout->slots[i];
        const bk_list *text = slot.id == BK_FIRST ? first : slot.id == BK_SECOND ? second : NULL;
        int count = text ? kept[-1 - slot.id] : 1;
        for (int k = 0; k < count; k++) {
            bk_push(room, &row.ids, text ? text->at[k] : slot.id);
            bk_push(room, &row.segments, slot.segment);
        }
    }
    return row;
}

static bk_window window(bk_room *room, const bk_tokenizer *own, const bk_list *text, const bk_list *query, int length,
                        int start, int end)
{
    const bk_layout *layout = query ? &own->pair : &own->single;
    bk_list part = {text->at + start, end - start, end - start};
    bk_window found = {query ? bk_row_of(room, own, query, &part, length) : bk_row_of(room, own, &part, NULL, length),
                       start, end, 0, -1};
    int32_t wanted = query ? BK_SECOND : BK_FIRST;
    for (int i = 0, at = 0; i < layout->count; i++) {
        int32_t id = layout->slots[i].id;
        found.place = id == wanted ? at : found.place;
        found.cls = found.cls < 0 && id == own->cls && id >= 0 ? at : found.cls;
        at += id >= 0 ? 1 : id == wanted ? part.count : query->count;
    }
    found.cls = found.cls < 0 ? 0 : found.cls;
    return found;
}

/* Finds for each token the window where min(tokens to the left, to the right) + 0.01 * (tokens) is largest. */
static void choose(bk_room *room, bk_windows *own, int tokens)
{
    int *best = bk_take(room, (size_t) tokens + 1, sizeof *best);
    own->chosen = bk_take(room, (size_t) tokens + 1, sizeof *own->chosen);
    for (int number = 0; number < own->count; number++) {
        int start = own->at[number].start, size = own->at[number].end - start;
        for (int i = 0; i < size; i++) {
            int context = 100 * (i < size - 1 - i ? i : size - 1 - i) + size + 1;
            if (context > best[start + i]) {
                best[start + i] = context;
                own->chosen[start + i] = number;
            }
        }
    }
}

bk_windows bk_windows_of(bk_room *room, const bk_tokenizer *own, const bk_list *text, int length, const bk_list *query,
                         int stride)
{
    int places = bk_room_of(room, own, length, query != NULL), kept[2];
    bk_list asked = {0};
    if (query) {
        bk_truncate(query->count, text->count, places, kept);
        asked = *query;
        asked.count = kept[0];
        places -= kept[0];
    }
    if (text->count && places < 1)
        bk_fail(room, "length=%d has no room for a text beside the special tokens; export the model with more.",
                length);
    int step = stride < places / 2 ? stride : places / 2;
    step = step < 1 ? 1 : step;
    int last = text->count - places + step < 1 ? 1 : text->count - places + step;
    bk_windows found = {bk_take(room, (size_t) (last / step) + 1, sizeof *found.at), 0, NULL};
    for (int start = 0; start < last; start += step) {
        int end = start + places < text->count ? start + places : text->count;
        found.at[found.count++] = window(room, own, text, query ? &asked : NULL, length, start, end);
    }
    choose(room, &found, text->count);
    return found;
}
