/* What finds added tokens in a text; of those that begin at the same place the longest counts. See tokenizer.h. */
#include <string.h>

#include "tables.h"
#include "tokenizer.h"

struct bk_splitter {
    bk_added *wanted;               /* the longest first */
    int count;
    bk_set *firsts;                 /* the first code point of each */
    bk_set *in_words;
};

static const int32_t JOINS[] = {'_', 0x203f, 0x2040, 0x2054, 0xfe33, 0xfe34, 0xfe4d, 0xfe4e, 0xfe4f, 0xff3f, 0x200c,
                                0x200d};
static const int32_t CIRCLED[] = {0x24b6, 0x24e9, 0x1f130, 0x1f149, 0x1f150, 0x1f169, 0x1f170, 0x1f189};

bk_splitter *bk_splitter_of(bk_room *room, int most)
{
    bk_splitter *own = bk_take(room, 1, sizeof *own);
    own->wanted = bk_take(room, (size_t) most + 1, sizeof *own->wanted);
    own->firsts = bk_take(room, 1, sizeof *own->firsts);
    return own;
}

/* Returns the code points that belong to a word. */
static bk_set *words(bk_room *room)
{
    bk_set *found = bk_set_of(room, bk_bytelevel_letter, bk_bytelevel_letter_count);
    for (size_t i = 0; i < bk_accents_count; i += 2)
        bk_add(found, bk_accents[i], bk_accents[i + 1]);
    for (size_t i = 0; i < bk_bytelevel_number_count; i += 2)
        for (int32_t code = bk_bytelevel_number[i]; code <= bk_bytelevel_number[i + 1]; code++)
            if (!(bk_category(code) & BK_OTHER_NUMBER))
                bk_add(found, code, code);
    for (size_t i = 0; i < sizeof JOINS / sizeof *JOINS; i++)
        bk_add(found, JOINS[i], JOINS[i]);
    for (size_t i = 0; i < sizeof CIRCLED / sizeof *CIRCLED; i += 2)
        bk_add(found, CIRCLED[i], CIRCLED[i + 1]);
    return found;
}

void bk_look_for(bk_room *room, bk_splitter *own, bk_added added)
{
    int i = own->count;
    if (!added.wanted.count)
        return;
    for (int k = 0; k < own->count; k++)
        if (bk_same(own->wanted[k].wanted, added.wanted))
            return;                                 /* of equal ones the first counts */
    if (added.single_word && !own->in_words)
        own->in_words = words(room);
    for (; i && own->wanted[i - 1].wanted.count < added.wanted.count; i--)
        own->wanted[i] = own->wanted[i - 1];
    own->wanted[i] = added;
    own->count++;
    bk_add(own->firsts, added.wanted.at[0], added.wanted.at[0]);
}

bool bk_is_empty(const bk_splitter *own)
{
    return !own->count;
}

static const bk_added *find(const bk_splitter *own, bk_text text, int at)
{
    for (int i = 0; bk_in(own->firsts, text.at[at]) && i < own->count; i++)
        if (own->wanted[i].wanted.count <= text.count - at
            && bk_same(own->wanted[i].wanted, bk_part(text, at, at + own->wanted[i].wanted.count)))
            return &own->wanted[i];
    return NULL;
}

static void add(bk_founds *to, int start, int end, int32_t id)
{
    bk_found found = {start, end, id};
    to->at[to->count++] = found;
}

bk_founds bk_split(bk_room *room, const bk_splitter *own, bk_text text)
{
    bk_founds found = {bk_take(room, own->count ? 2 * (size_t) text.count + 2 : 1, sizeof *found.at), 0};
    int done = 0;
    for (int at = 0; own->count && at < text.count;) {
        const bk_added *token = find(own, text, at);
        if (!token) {
            at++;
            continue;
        }
        int begin = at, end = at + token->wanted.count, before = begin;
        at = end;
        if (token->single_word && ((begin && bk_in(own->in_words, text.at[begin - 1]))
                                   || (end < text.count && bk_in(own->in_words, text.at[end]))))
            continue;
        if (token->lstrip)
            for (before = begin > done ? begin : done; before > done && bk_is_blank(text.at[before - 1]);)
                before--;
        if (done < before)
            add(&found, done, before, BK_NO_TOKEN);
        add(&found, begin, end, token->id);
        for (done = end; token->rstrip && done < text.count && bk_is_blank(text.at[done]);)
            done++;
    }
    if (done < text.count)
        add(&found, done, text.count, BK_NO_TOKEN);
    return found;
}
