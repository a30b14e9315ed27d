/* See tokenizer.h. */
#include "tokenizer.h"

#include <string.h>

enum { UNK, CLS, SEP, PAD, MASK, BOS, EOS, ROLES };

static const char *const NAMES[ROLES] = {"unk", "cls", "sep", "pad", "mask", "bos", "eos"};
static const char *const TOKENS[ROLES] = {"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "", ""};
static const bk_text NONE = {NULL, 0};

bool bk_has_lines(bk_text kind)
{
    return !kind.count || bk_is(kind, "wordpiece") || bk_is(kind, "japanese");
}

static bk_vocabulary lines_of(bk_room *room, bk_text text)
{
    int count = 0, start = 0;
    for (int i = 0; i < text.count; i++)
        count += text.at[i] == '\n';
    bk_vocabulary found = {bk_take(room, (size_t) count + 1, sizeof *found.entries), 0};
    for (int i = 0; i <= text.count; i++)
        if (i == text.count ? start < i : text.at[i] == '\n') {
            int end = i > start && text.at[i - 1] == '\r' ? i - 1 : i;
            found.entries[found.count++] = bk_part(text, start, end);
            start = i + 1;
        }
    return found;
}

static bk_vocabulary entries_of(bk_room *room, const bk_json *tables)
{
    const bk_json *words = bk_values(room, tables, "vocabulary", BK_STRING);
    bk_vocabulary found = {bk_take(room, (size_t) words->count + 1, sizeof *found.entries), words->count};
    for (int i = 0; i < words->count; i++)
        found.entries[i] = words->values[i]->text;
    return found;
}

/* Reads which token has which role; a role without a token has no code points. */
static void read_roles(bk_room *room, const bk_json *settings, bk_text roles[ROLES])
{
    const bk_json *given = bk_entry(settings, "special");
    for (int i = 0; i < ROLES; i++) {
        roles[i] = bk_decoded(room, TOKENS[i], strlen(TOKENS[i]), NULL);
        for (int k = 0; given && k < given->count; k++)
            if (bk_is(given->names[k], NAMES[i]))
                roles[i] = bk_string(room, given, NAMES[i], NONE);
    }
}

static int32_t id_of(bk_room *room, const bk_tokenizer *own, bk_text token)
{
    int32_t found = bk_get(&own->ids, token);
    if (found < 0)
        bk_fail(room, "The vocabulary has no %.60s; give the vocabulary of the checkpoint.", bk_utf8(room, token));
    return found;
}

/* Reads the added tokens: those without an entry get the ids behind the vocabulary, those with a role are text. */
static void read_added(bk_room *room, bk_tokenizer *own, const bk_json *settings, int next,
                       const bk_text roles[ROLES])
{
    const bk_json *added = bk_entry(settings, "added");
    own->raw = bk_splitter_of(room, added ? added->count : 0);
    own->normal = bk_splitter_of(room, added ? added->count : 0);
    for (int i = 0; added && i < added->count; i++) {
        const bk_json *value = added->values[i];
        bk_text content = value->kind == BK_STRING ? value->text : bk_string(room, value, "content", NONE);
        bool role = false;
        if (!content.count)
            bk_wrong(room, settings, "added", "a list of tokens, each with its content");
        if (bk_get(&own->ids, content) < 0)
            bk_put(room, &own->ids, content, next++);
        for (int k = 0; k < ROLES; k++)
            role = role || (roles[k].count && bk_same(roles[k], content));
        bk_added token = {content, id_of(room, own, content), bk_flag(room, value, "lstrip", false),
                          bk_flag(room, value, "rstrip", false), bk_flag(room, value, "single_word", false)};
        bool normalized = bk_flag(room, value, "normalized", false);
        if (normalized)
            token.wanted = bk_normal_text(room, own, content);
        if (!role)
            bk_look_for(room, normalized ? own->normal : own->raw, token);
    }
}

static bk_layout read_layout(bk_room *room, const bk_tokenizer *own, const bk_json *template, const char *name,
                             int texts)
{
    const bk_json *parts = bk_values(room, template, name, BK_LIST);
    bk_layout found = {bk_take(room, (size_t) parts->count + 1, sizeof *found.slots), parts->count};
    int first = 0, second = 0;
    for (int i = 0; i < parts->count; i++) {
        const bk_json *part = parts->values[i];
        if (part->count != 2 || part->values[0]->kind != BK_STRING || part->values[1]->kind != BK_NUMERAL)
            bk_wrong(room, template, name, "a list of tokens, each with a segment number");
        bk_text token = part->values[0]->text;
        first += bk_is(token, "$first");
        second += bk_is(token, "$second");
        found.slots[i].id = bk_is(token, "$first") ? BK_FIRST : bk_is(token, "$second") ? BK_SECOND
            : id_of(room, own, token);
        double segment = part->values[1]->number;
        found.slots[i].segment = segment >= 0 && segment < 100 ? (int32_t) segment : 0;
    }
    if (first != 1 || second != texts - 1)
        bk_wrong(room, template, name, "each text once");
    return found;
}

/* Makes BERT's template: cls first sep second sep; the texts alone where there is no such token. */
static void make_layouts(bk_room *room, bk_tokenizer *own, int32_t sep)
{
    bool bare = own->cls < 0 || sep < 0;
    bk_slot slots[] = {{own->cls, 0}, {BK_FIRST, 0}, {sep, 0}, {BK_SECOND, 1}, {sep, 1}};
    bk_slot *pair = bk_take(room, 5, sizeof *pair);
    memcpy(pair, slots, sizeof slots);
    if (bare) {
        pair[0] = slots[1];
        pair[1] = slots[3];
    }
    own->single.slots = own->pair.slots = pair;
    own->single.count = bare ? 1 : 3;
    own->pair.count = bare ? 2 : 5;
}

static void read_template(bk_room *room, bk_tokenizer *own, const bk_json *settings, int32_t sep)
{
    const bk_json *template = bk_entry(settings, "template");
    own->pads_right = true;
    if (!template) {
        make_layouts(room, own, sep);
        return;
    }
    bk_text side = bk_string(room, template, "padding_side", NONE);
    own->single = read_layout(room, own, template, "single", 1);
    own->pair = read_layout(room, own, template, "pair", 2);
    own->pads_right = !bk_is(side, "left");
    own->padding_segment = bk_whole(room, template, "padding_segment", 0, 0);
    if (side.count && own->pads_right && !bk_is(side, "right"))
        bk_wrong(room, template, "padding_side", "\"right\" or \"left\"");
}

static bk_model *model_of(bk_room *room, const bk_parts *parts, bk_text kind)
{
    if (!kind.count || bk_is(kind, "wordpiece"))
        return bk_wordpiece(room, parts);
    if (bk_is(kind, "bytelevel"))
        return bk_bytelevel(room, parts);
    if (bk_is(kind, "unigram") || bk_is(kind, "bpe") || bk_is(kind, "bytefallback"))
        return bk_sentencepiece(room, parts, bk_utf8(room, kind));
    bk_fail(room, "The tokenizer kind %.40s is not one that this client reads; it reads wordpiece, bytelevel, unigram, "
            "bpe and bytefallback.", bk_utf8(room, kind));
}

bk_tokenizer *bk_tokenizer_of(bk_room *room, const bk_json *settings, const bk_json *tables, bk_text lines)
{
    static const char *const KNOWN[] = {"kind", "special", "template", "added", "prefix", "longest_word", "rules",
        "normalization", "lowercase", "strip_accents", "clean", "split_ideographs", "prefix_space", "unknown_bytes",
        "words", "whole_words", "controls", NULL};
    bk_tokenizer *own = bk_take(room, 1, sizeof *own);
    bk_parts parts = {tables ? entries_of(room, tables) : lines_of(room, lines), {0}, NONE, settings, tables};
    bk_text roles[ROLES];
    int32_t ids[ROLES];
    bk_only(room, settings, KNOWN);
    if (!parts.vocabulary.count)
        bk_fail(room, "%s: the vocabulary is empty; copy the folder again.", settings->source);
    read_roles(room, settings, roles);
    for (int i = 0; i < parts.vocabulary.count; i++)
        bk_put(room, &parts.ids, parts.vocabulary.entries[i], i);
    parts.unknown = roles[UNK];
    own->ids = parts.ids;
    own->model = model_of(room, &parts, bk_string(room, settings, "kind", NONE));
    read_added(room, own, settings, parts.vocabulary.count, roles);
    for (int i = 0; i <= PAD; i++)
        ids[i] = roles[i].count ? id_of(room, own, roles[i]) : BK_NO_TOKEN;
    own->pad = ids[PAD] < 0 ? 0 : ids[PAD];
    own->cls = ids[CLS];
    read_template(room, own, settings, ids[SEP]);
    return own;
}

/* Returns the pieces of a text, in whose normalised form tokens are found. */
static bk_pieces in_normalised(bk_room *room, const bk_tokenizer *own, bk_text text)
{
    bk_pieces found = {{0}, {0}, {0}};
    bk_aligned aligned = bk_normalized(room, &own->model->whole, text);
    bk_founds parts = bk_split(room, own->normal, bk_codes(&aligned));
    for (int i = 0; i < parts.count; i++) {
        bk_found part = parts.at[i];
        bk_pieces pieces = {{0}, {0}, {0}};
        bk_aligned inner = bk_unchanged(room, bk_part(bk_codes(&aligned), part.start, part.end));
        if (part.id == BK_NO_TOKEN)
            pieces = own->model->cut(room, own->model->own, &inner, true);
        else
            bk_add_piece(room, &pieces, part.id, 0, part.end - part.start);
        for (int k = 0; k < pieces.ids.count; k++) {
            int start = part.start + pieces.starts.at[k], end = part.start + pieces.ends.at[k];
            bk_add_piece(room, &found, pieces.ids.at[k], bk_source_start(&aligned, start, end),
                         bk_source_end(&aligned, end));
        }
    }
    return found;
}

bk_pieces bk_tokens(bk_room *room, const bk_tokenizer *own, bk_text text)
{
    bk_pieces found = {{0}, {0}, {0}};
    bk_founds parts = bk_split(room, own->raw, text);
    for (int i = 0; i < parts.count; i++) {
        bk_found part = parts.at[i];
        bk_text inner = bk_part(text, part.start, part.end);
        bk_pieces pieces = {{0}, {0}, {0}};
        if (part.id != BK_NO_TOKEN) {
            bk_add_piece(room, &pieces, part.id, 0, part.end - part.start);
        } else if (bk_is_empty(own->normal)) {
            bk_aligned aligned = bk_normalized(room, &own->model->before, inner);
            pieces = own->model->cut(room, own->model->own, &aligned, false);
        } else {
            pieces = in_normalised(room, own, inner);
        }
        for (int k = 0; k < pieces.ids.count; k++)
            bk_add_piece(room, &found, pieces.ids.at[k], part.start + pieces.starts.at[k],
                         part.start + pieces.ends.at[k]);
    }
    return found;
}

bk_text bk_normal_text(bk_room *room, const bk_tokenizer *own, bk_text text)
{
    bk_aligned found = bk_normalized(room, &own->model->whole, text);
    return bk_codes(&found);
}
