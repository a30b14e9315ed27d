/* Byte-pair merges (Sennrich et al. 2016, section 3.2); see model.h. */
#include "model.h"

#include <string.h>

enum { GONE = -1 };

void bk_add_piece(bk_room *room, bk_pieces *pieces, int32_t id, int start, int end)
{
    bk_push(room, &pieces->ids, id);
    bk_push(room, &pieces->starts, start);
    bk_push(room, &pieces->ends, end);
}

bk_merges bk_merges_of(bk_room *room, const bk_parts *parts)
{
    bk_merges found = {{0}, {0}};
    const bk_json *merges = bk_values(room, parts->tables, "merges", BK_STRING);
    for (int i = 0; i < merges->count; i++) {
        bk_text merge = merges->values[i]->text;
        int space = 0;
        while (space < merge.count && merge.at[space] != ' ')
            space++;
        bk_text right = space < merge.count ? bk_part(merge, space + 1, merge.count) : bk_part(merge, space, space);
        bk_text both = {bk_take(room, (size_t) merge.count + 1, 4), space + right.count};
        memcpy(both.at, merge.at, 4 * (size_t) space);
        memcpy(both.at + space, right.at, 4 * (size_t) right.count);
        int32_t *pair = bk_take(room, 2, 4);
        pair[0] = bk_get(&parts->ids, bk_part(merge, 0, space));
        pair[1] = bk_get(&parts->ids, right);
        bk_push(room, &found.ids, bk_get(&parts->ids, both));
        if (pair[0] < 0 || pair[1] < 0 || found.ids.at[i] < 0)
            bk_fail(room, "The merge %.60s, number %d, is not of two entries of the vocabulary that make a third; give "
                    "the merges of this vocabulary.", bk_utf8(room, merge), i + 1);
        bk_text key = {pair, 2};
        bk_put(room, &found.pairs, key, i);
    }
    return found;
}

/* A queue of (rank, place), the smallest first. */
typedef struct {
    int64_t *at;
    int count;
} queue;

static void push(queue *own, int64_t value)
{
    int i = own->count++;
    for (; i && own->at[(i - 1) / 2] > value; i = (i - 1) / 2)
        own->at[i] = own->at[(i - 1) / 2];
    own->at[i] = value;
}

static int64_t pop(queue *own)
{
    int64_t first = own->at[0], last = own->at[--own->count];
    int i = 0;
    for (int child = 1; child < own->count; child = 2 * i + 1) {
        if (child + 1 < own->count && own->at[child + 1] < own->at[child])
            child++;
        if (own->at[child] >= last)
            break;
        own->at[i] = own->at[child];
        i = child;
    }
    own->at[i] = last;
    return first;
}

static int32_t rank(const bk_merges *merges, const int32_t *ids, int left, int right)
{
    int32_t pair[2] = {ids[left], ids[right]};
    bk_text key = {pair, 2};
    return pair[0] == GONE || pair[1] == GONE ? -1 : bk_get(&merges->pairs, key);
}

static void offer(const bk_merges *merges, queue *own, const int32_t *ids, int count, int left, int right)
{
    int32_t found = left >= 0 && right < count ? rank(merges, ids, left, right) : -1;
    if (found >= 0)
        push(own, (int64_t) found << 32 | left);
}

void bk_merge(bk_room *room, const bk_merges *merges, bk_list *symbols, bk_list *ends)
{
    int count = symbols->count, kept = 0;
    int32_t *ids = symbols->at;
    int *before = bk_take(room, (size_t) count + 1, sizeof *before);
    int *after = bk_take(room, (size_t) count + 1, sizeof *after);
    queue own = {bk_take(room, 3 * (size_t) count + 1, sizeof *own.at), 0};
    for (int i = 0; i < count; i++) {
        before[i] = i - 1;
        after[i] = i + 1;
        offer(merges, &own, ids, count, i, i + 1);
    }
    while (own.count) {
        int64_t head = pop(&own);
        int i = (int) (head & 0x7fffffff), j = ids[i] == GONE ? count : after[i];
        if (j >= count || rank(merges, ids, i, j) != head >> 32)
            continue;                               /* one of the two is merged already */
        ids[i] = merges->ids.at[head >> 32];
        ids[j] = GONE;
        after[i] = after[j];
        before[after[i]] = i;
        offer(merges, &own, ids, count, before[i], i);
        offer(merges, &own, ids, count, i, after[i]);
    }
    for (int i = 0; i < count; i++)
        if (ids[i] != GONE) {
            bk_push(room, ends, after[i]);
            ids[kept++] = ids[i];
        }
    symbols->count = kept;
}
