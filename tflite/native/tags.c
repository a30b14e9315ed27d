/* The tags that labels mean, whatever scheme they are written in; see answers.h. */
#include <string.h>

#include "answers.h"

/* Whether a label is a letter of a scheme, alone or with a type behind - or _. */
static bool is_written(bk_text label)
{
    return label.count && label.at[0] > 0 && label.at[0] < 128 && strchr("BIESLUM", label.at[0])
        && (label.count == 1 || label.at[1] == '-' || label.at[1] == '_');
}

static bk_text spelt(bk_room *room, bk_text label, int32_t letter, int from)
{
    bk_list found = {0};
    bk_push(room, &found, letter);
    if (label.count > 1 || !from)
        bk_push(room, &found, '-');
    for (int i = from; i < label.count; i++)
        bk_push(room, &found, label.at[i]);
    bk_text made = {found.at, found.count};
    return made;
}

bk_text *bk_spelt(bk_room *room, const bk_text *labels, int count)
{
    bk_text *found = bk_take(room, (size_t) count + 1, sizeof *found);
    bool written = false, outside = false;
    for (int i = 0; i < count; i++) {
        outside = outside || bk_is(labels[i], "O");
        written = written || is_written(labels[i]);
    }
    for (int i = 0; i < count; i++) {
        int32_t first = labels[i].count ? labels[i].at[0] : 0;
        int32_t letter = first == 'L' ? 'E' : first == 'U' ? 'S' : first == 'M' ? 'I' : first;
        if (bk_is(labels[i], "O") || (written && !is_written(labels[i])))
            found[i] = labels[i];
        else
            found[i] = written ? spelt(room, labels[i], letter, 2) : spelt(room, labels[i], outside ? 'I' : 'B', 0);
    }
    return found;
}
