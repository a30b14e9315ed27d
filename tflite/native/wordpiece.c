/* WordPiece (Wu et al. 2016, section 4.1); see model.h. */
#include <string.h>

#include "model.h"

typedef struct {
    bk_points *points, *plain;      /* plain changes nothing */
    bk_map first, next;
    int longest_word, longest_piece, unknown;
} wordpiece;

/* Adds the longest pieces of a normalised word from the left; returns false where they leave a rest. */
static bool match(bk_room *room, const wordpiece *own, const bk_aligned *word, int from, const bk_list *places,
                  bk_pieces *found)
{
    bk_text text = bk_codes(word);
    const bk_map *entries = &own->first;
    int start = 0;
    while (start < text.count && text.count <= own->longest_word) {
        int end = start + own->longest_piece < text.count ? start + own->longest_piece : text.count;
        int32_t id = -1;
        while (end > start && (id = bk_get(entries, bk_part(text, start, end))) < 0)
            end--;
        if (id < 0)
            return false;
        bk_add_piece(room, found, id, places->at[from + word->sources.at[start]],
                     places->at[from + word->sources.at[end - 1]] + 1);
        start = end;
        entries = &own->next;
    }
    return start >= text.count;
}

/* Cuts one raw word, which begins at a place of the prepared text. */
static void split(bk_room *room, const wordpiece *own, const bk_points *points, bk_text raw, int from,
                  const bk_list *places, bk_pieces *found)
{
    bk_aligned word = {{0}, {0}}, before = bk_unchanged(room, raw);
    for (int i = 0; i < raw.count; i++) {
        int32_t code;
        bk_text made = bk_becomes(points, raw.at[i], &code);
        for (int k = 0; k < made.count; k++)
            bk_align(room, &word, &before, made.at[k], i);
    }
    int count = found->ids.count, last = word.codes.count - 1;
    if (!match(room, own, &word, from, places, found)) {
        found->ids.count = found->starts.count = found->ends.count = count;
        bk_add_piece(room, found, own->unknown, places->at[from + word.sources.at[0]],
                     places->at[from + word.sources.at[last]] + 1);
    }
}

/* A word is an isolated code point, or a run of joined and deleted ones. */
static bk_pieces cut(bk_room *room, const void *data, const bk_aligned *from, bool normalised)
{
    const wordpiece *own = data;
    const bk_points *points = normalised ? own->plain : own->points;
    bk_text text = bk_final_sigmas(room, points, bk_codes(from));
    bk_pieces found = {{0}, {0}, {0}};
    for (int at = 0; at < text.count;) {
        int end = at;
        while (end < text.count && points->kinds[text.at[end]] <= BK_DELETED)
            end++;
        end += end == at;
        if (points->kinds[text.at[at]] != BK_SPACE)
            split(room, own, points, bk_part(text, at, end), at, &from->sources, &found);
        at = end;
    }
    return found;
}

bk_model *bk_wordpiece(bk_room *room, const bk_parts *parts)
{
    static int32_t hashes[] = {'#', '#'};
    static const bk_text PREFIX = {hashes, 2}, NONE = {NULL, 0};
    const bk_json *settings = parts->settings;
    wordpiece *own = bk_take(room, 1, sizeof *own);
    bk_model *model = bk_take(room, 1, sizeof *model);
    bk_text prefix = bk_string(room, settings, "prefix", PREFIX), rules = bk_string(room, settings, "rules", NONE);
    bool lowercase = bk_flag(room, settings, "lowercase", true), clean = bk_flag(room, settings, "clean", true);
    bool accents = bk_flag(room, settings, "strip_accents", true);
    bool split_them = bk_flag(room, settings, "split_ideographs", true);
    char flags[64] = "";
    if (rules.count && !bk_is(rules, "huggingface") && !bk_is(rules, "google"))
        bk_wrong(room, settings, "rules", "\"huggingface\" or \"google\"");
    own->longest_word = bk_whole(room, settings, "longest_word", 0, 100);
    own->points = bk_points_of(room, bk_is(rules, "google"), lowercase, accents, clean, split_them);
    own->plain = bk_points_of(room, bk_is(rules, "google"), false, false, false, false);
    for (int i = 0; i < parts->vocabulary.count; i++) {
        bk_text entry = parts->vocabulary.entries[i];
        bk_put(room, &own->first, entry, i);
        if (entry.count >= prefix.count && bk_same(bk_part(entry, 0, prefix.count), prefix))
            bk_put(room, &own->next, bk_part(entry, prefix.count, entry.count), i);
        own->longest_piece = entry.count > own->longest_piece ? entry.count : own->longest_piece;
    }
    own->unknown = bk_get(&own->first, parts->unknown);
    if (own->unknown < 0)
        bk_fail(room, "The vocabulary has no %.60s; give one with the unknown token.", bk_utf8(room, parts->unknown));
    strcat(flags, clean ? "clean " : "");
    strcat(flags, split_them ? "ideographs " : "");
    strcat(flags, accents ? "accents " : "");
    strcat(flags, lowercase ? "lowercase" : "");
    model->before = bk_normalizer_of(room, bk_values(room, settings, "normalization", BK_LIST), NULL, NULL);
    model->whole = bk_normalizer_of(room, bk_values(room, settings, "normalization", BK_LIST), NULL, flags);
    model->own = own;
    model->cut = cut;
    return model;
}
