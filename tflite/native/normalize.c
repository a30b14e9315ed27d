/* The steps of a tokenizer; see normalize.h. */
#include "normalize.h"

#include <string.h>

#include "tables.h"

enum kind { FORM, ACCENTS, LOWERCASE, BERT, REPLACE, SQUEEZE, SQUEEZE_BLANKS, STRIP_LEFT, STRIP_RIGHT, CHARSMAP };

struct bk_step {
    enum kind kind;
    const bk_form *form;
    const bk_points *points;        /* of bert and lowercase */
    const bk_charsmap *map;
    bk_set *set;                    /* the marks of accents, the ideographs of bert */
    bool clean;
    bk_text old, made;
};

static const struct {
    const char *name;
    enum kind kind;
    int arguments;
} NAMES[] = {{"accents", ACCENTS, 0}, {"lowercase", LOWERCASE, 0}, {"bert", BERT, 1}, {"replace", REPLACE, 2},
             {"squeeze", SQUEEZE, 1}, {"squeeze_blanks", SQUEEZE_BLANKS, 1}, {"strip_left", STRIP_LEFT, 0},
             {"strip_right", STRIP_RIGHT, 0}, {"charsmap", CHARSMAP, 0}, {"nfc", FORM, 0}, {"nfd", FORM, 0},
             {"nfkc", FORM, 0}, {"nfkd", FORM, 0}};

/* Whether flags of the step bert hold a word; `known` counts the words that are known. */
static bool has(const char *flags, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = flags; (at = strstr(at, word)); at += size)
        if ((at == flags || at[-1] == ' ') && (!at[size] || at[size] == ' '))
            return true;
    return false;
}

static void make_bert(bk_room *room, bk_step *step, const char *flags)
{
    bool split = has(flags, "ideographs");
    size_t known = 0, given = 0;
    static const char *const WORDS[] = {"clean", "ideographs", "accents", "lowercase"};
    for (int i = 0; i < 4; i++)
        known += has(flags, WORDS[i]) ? strlen(WORDS[i]) : 0;
    for (const char *at = flags; *at; at++)
        given += *at != ' ';
    if (known != given)
        bk_fail(room, "The normalisation step bert has other flags than clean, ideographs, accents and lowercase; "
                "export the model again, or take a newer client.");
    step->kind = BERT;
    step->clean = has(flags, "clean");
    step->points = bk_points_of(room, false, has(flags, "lowercase"), has(flags, "accents"), step->clean, split);
    step->set = split ? bk_set_of(room, bk_huggingface_ideograph, bk_huggingface_ideograph_count) : NULL;
}

static void make(bk_room *room, bk_step *step, enum kind kind, const bk_json *words, const bk_charsmap *map)
{
    step->kind = kind;
    step->map = map;
    if (kind == FORM)
        step->form = bk_form_of(room, words->values[0]->text.count == 4,
                                words->values[0]->text.at[words->values[0]->text.count - 1] == 'c');
    if (kind == ACCENTS)
        step->set = bk_set_of(room, bk_accents, bk_accents_count);
    if (kind == LOWERCASE)
        step->points = bk_points_of(room, false, true, false, false, false);
    if (kind == BERT)
        make_bert(room, step, bk_utf8(room, words->values[1]->text));
    if (words->count > 1)
        step->old = step->made = words->values[words->count - 1]->text;
    if (kind == REPLACE)
        step->old = words->values[1]->text;
}

static void read_step(bk_room *room, bk_step *step, const bk_json *words, const bk_charsmap *map)
{
    bool right = words->kind == BK_LIST && words->count;
    for (int i = 0; right && i < words->count; i++)
        right = words->values[i]->kind == BK_STRING;
    for (size_t i = 0; right && i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (bk_is(words->values[0]->text, NAMES[i].name) && words->count == 1 + NAMES[i].arguments
            && (NAMES[i].kind != REPLACE || words->values[1]->text.count)) {
            make(room, step, NAMES[i].kind, words, map);
            return;
        }
    bk_fail(room, "The normalisation step %.60s is unknown to this version of bertkit; export the model again, or take "
            "a newer client.", right ? bk_utf8(room, words->values[0]->text) : "that is no list of strings");
}

bk_normalizer bk_normalizer_of(bk_room *room, const bk_json *steps, const bk_charsmap *map, const char *bert)
{
    bk_normalizer found = {bk_take(room, (size_t) steps->count + 1, sizeof(bk_step)), steps->count};
    for (int i = 0; i < steps->count; i++)
        read_step(room, &found.steps[i], steps->values[i], map);
    if (bert)
        make_bert(room, &found.steps[found.count++], bert);
    return found;
}

/* Adds what a code point becomes in a step that looks at one at a time. */
static void add_single(bk_room *room, const bk_step *step, const bk_aligned *from, int at, bk_aligned *to)
{
    int32_t code = from->codes.at[at], own;
    bk_text made = {&code, 1};
    bool surrogate = code >= 0xd800 && code < 0xe000;
    if (step->kind == ACCENTS)
        made.count = !bk_in(step->set, code);
    else if (!surrogate)
        made = bk_becomes(step->points, code, &own);
    static int32_t space = ' ';
    if (step->kind == BERT && step->clean && !surrogate && step->points->kinds[code] == BK_SPACE) {
        made.at = &space;
        made.count = 1;
    }
    if (step->kind == LOWERCASE && !made.count) {
        made.at = &code;
        made.count = 1;
    }
    bool spaced = step->kind == BERT && step->set && !surrogate && bk_in(step->set, code);
    if (spaced)
        bk_align(room, to, from, ' ', at);
    for (int i = 0; i < made.count; i++)
        bk_align(room, to, from, made.at[i], at);
    if (spaced)
        bk_align(room, to, from, ' ', at);
}

/* Returns the end of what a step replaces at a place; the place itself where there is nothing. */
static int found_end(const bk_step *step, bk_text text, int at)
{
    int end = at;
    if (step->kind == REPLACE) {
        bool fits = at + step->old.count <= text.count
            && bk_same(bk_part(text, at, at + step->old.count), step->old);
        return fits ? at + step->old.count : at;
    }
    bool blanks = step->kind == SQUEEZE_BLANKS;
    while (end < text.count && (blanks ? bk_is_blank(text.at[end]) : text.at[end] == ' '))
        end++;
    int32_t c = text.at[at];
    return end > at + 1 || (blanks && (c == '\n' || c == '\r' || c == '\t')) ? end : at;
}

static bk_aligned replaced(bk_room *room, const bk_step *step, const bk_aligned *from)
{
    bk_aligned found = {{0}, {0}};
    bk_text text = bk_codes(from);
    for (int at = 0; at < text.count;) {
        int end = found_end(step, text, at);
        if (end > at) {
            for (int i = 0; i < step->made.count; i++)
                bk_align(room, &found, from, step->made.at[i], end - 1);
            at = end;
        } else {
            bk_align(room, &found, from, text.at[at], at);
            at++;
        }
    }
    return found;
}

static bk_aligned stripped(bk_room *room, const bk_step *step, const bk_aligned *from)
{
    bk_aligned found = {{0}, {0}};
    int start = 0, end = from->codes.count;
    while (step->kind == STRIP_LEFT && start < end && bk_is_blank(from->codes.at[start]))
        start++;
    while (step->kind == STRIP_RIGHT && end > start && bk_is_blank(from->codes.at[end - 1]))
        end--;
    for (int i = start; i < end; i++)
        bk_align(room, &found, from, from->codes.at[i], i);
    return found;
}

bk_aligned bk_normalized(bk_room *room, const bk_normalizer *normalizer, bk_text text)
{
    bk_aligned found = bk_unchanged(room, text);
    for (int i = 0; i < normalizer->count; i++) {
        const bk_step *step = &normalizer->steps[i];
        bk_aligned next = {{0}, {0}};
        if (step->kind == FORM)
            next = bk_apply_form(room, step->form, &found);
        else if (step->kind == CHARSMAP)
            next = step->map ? bk_apply_charsmap(room, step->map, &found) : found;
        else if (step->kind == STRIP_LEFT || step->kind == STRIP_RIGHT)
            next = stripped(room, step, &found);
        else if (step->kind >= REPLACE)
            next = replaced(room, step, &found);
        for (int k = 0; step->kind >= ACCENTS && step->kind <= BERT && k < found.codes.count; k++)
            add_single(room, step, &found, k, &next);
        found = next;
    }
    return found;
}
