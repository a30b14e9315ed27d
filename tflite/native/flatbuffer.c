/* See flatbuffer.h. */
#include "flatbuffer.h"

enum { MOST_FIELDS = 14, MOST_TABLES = 1000000 };

/* Short names for the table below. */
enum { MODEL = BK_FB_MODEL, CODE = BK_FB_CODE, GRAPH = BK_FB_GRAPH, TENSOR = BK_FB_TENSOR,
       QUANTIZATION = BK_FB_QUANTIZATION, OPERATOR = BK_FB_OPERATOR, BUFFER = BK_FB_BUFFER, METADATA = BK_FB_METADATA,
       SIGNATURE = BK_FB_SIGNATURE, MAP = BK_FB_MAP, OPTIONS = BK_FB_OPTIONS, LIST_OPTIONS = BK_FB_LIST_OPTIONS };

/* A field: `n` a number of `of` bytes, `s` a string, `v` a list of numbers of `of` bytes, `t` a table of kind `of`, `l`
 * a list of such tables, `-` nothing that is read. */
typedef struct {
    char form;
    unsigned char of;
} field;

static const field FIELDS[][MOST_FIELDS] = {
    [MODEL] = {{'n', 4}, {'l', CODE}, {'l', GRAPH}, {'s', 0}, {'l', BUFFER}, {'v', 4}, {'l', METADATA},
               {'l', SIGNATURE}},
    [CODE] = {{'n', 1}, {'s', 0}, {'n', 4}, {'n', 4}},
    [GRAPH] = {{'l', TENSOR}, {'v', 4}, {'v', 4}, {'l', OPERATOR}, {'s', 0}, {'n', 4}},
    [TENSOR] = {{'v', 4}, {'n', 1}, {'n', 4}, {'s', 0}, {'t', QUANTIZATION}, {'n', 1}, {'t', OPTIONS}, {'v', 4},
                {'n', 1}},
    [QUANTIZATION] = {{'v', 4}, {'v', 4}, {'v', 4}, {'v', 8}, {'n', 1}, {'t', OPTIONS}, {'n', 4}},
    [OPERATOR] = {{'n', 4}, {'v', 4}, {'v', 4}, {'n', 1}, {'t', OPTIONS}, {'v', 1}, {'n', 1}, {'v', 1}, {'v', 4},
                  {'n', 8}, {'n', 8}, {'n', 1}, {'t', OPTIONS}, {'n', 4}},
    [BUFFER] = {{'v', 1}, {'n', 8}, {'n', 8}},
    [METADATA] = {{'s', 0}, {'n', 4}},
    [SIGNATURE] = {{'l', MAP}, {'l', MAP}, {'s', 0}, {'-', 0}, {'n', 4}},
    [MAP] = {{'s', 0}, {'n', 4}},
    [LIST_OPTIONS] = {{'v', 4}},
};

uint64_t bk_fb_number(const bk_file *own, size_t at, int bytes)
{
    uint64_t found = 0;
    for (int i = bytes - 1; i >= 0; i--)
        found = found << 8 | own->bytes[at + (size_t) i];
    return found;
}

/* Returns where a field of a checked table stands; 0 where it is absent. */
static size_t bk_fb_place(const bk_file *own, size_t table, int slot)
{
    size_t vtable = table - (size_t) (int32_t) bk_fb_number(own, table, 4);
    size_t entry = 4 + 2 * (size_t) slot;
    uint64_t offset = entry + 2 <= bk_fb_number(own, vtable, 2) ? bk_fb_number(own, vtable + entry, 2) : 0;
    return offset ? table + (size_t) offset : 0;
}

/* Returns a number of a checked table, `otherwise` where it is absent. */
int64_t bk_fb_value(const bk_file *own, size_t table, int slot, int bytes, int64_t otherwise)
{
    size_t at = bk_fb_place(own, table, slot);
    return at ? (int64_t) bk_fb_number(own, at, bytes) : otherwise;
}

/* Returns where a table, a list or a string of a checked table begins; 0 where it is absent. */
size_t bk_fb_target(const bk_file *own, size_t table, int slot)
{
    size_t at = bk_fb_place(own, table, slot);
    return at ? at + (size_t) bk_fb_number(own, at, 4) : 0;
}

size_t bk_fb_count(const bk_file *own, size_t list)
{
    return list ? (size_t) bk_fb_number(own, list, 4) : 0;
}

/* Returns one of the tables of a checked list. */
size_t bk_fb_element(const bk_file *own, size_t list, size_t i)
{
    size_t at = list + 4 + 4 * i;
    return at + (size_t) bk_fb_number(own, at, 4);
}

/* Whether a list of values of so many bytes, or a string with the 0 behind it, lies in the file. */
static bool is_list(const bk_file *own, size_t at, size_t bytes, size_t behind)
{
    if (at % 4 || at > own->size - 4)
        return false;
    size_t held = bk_fb_count(own, at);
    return held <= (own->size - at - 4) / bytes && held * bytes + behind <= own->size - at - 4;
}

static bool is_field(bk_file *own, size_t at, size_t left, field about)
{
    size_t bytes = about.form == 'n' ? about.of : 4;
    if (about.form == '-' || !about.form)
        return true;
    if (bytes > left || at % bytes)
        return false;
    if (about.form == 'n')
        return true;
    uint64_t offset = bk_fb_number(own, at, 4);
    if (!offset || offset > own->size - at)
        return false;
    at += (size_t) offset;
    if (about.form == 't')
        return bk_fb_is_table(own, at, about.of);
    if (about.form == 's')
        return is_list(own, at, 1, 1) && !own->bytes[at + 4 + bk_fb_count(own, at)];
    if (about.form == 'v')
        return is_list(own, at, about.of, 0) && (about.of < 8 || (at + 4) % 8 == 0);
    bool right = is_list(own, at, 4, 0);
    for (size_t i = 0; right && i < bk_fb_count(own, at); i++) {
        size_t from = at + 4 + 4 * i;
        uint64_t to = bk_fb_number(own, from, 4);
        right = to && to <= own->size - from && bk_fb_is_table(own, from + (size_t) to, about.of);
    }
    return right;
}

bool bk_fb_is_table(bk_file *own, size_t at, int kind)
{
    if (++own->tables > MOST_TABLES || at % 4 || at > own->size - 4)
        return false;
    int64_t vtable = (int64_t) at - (int32_t) bk_fb_number(own, at, 4);
    if (vtable < 0 || vtable % 2 || (uint64_t) vtable > own->size - 4)
        return false;
    size_t entries = (size_t) bk_fb_number(own, (size_t) vtable, 2);
    size_t inside = (size_t) bk_fb_number(own, (size_t) vtable + 2, 2);
    if (entries < 4 || entries % 2 || entries > own->size - (size_t) vtable || inside < 4 || inside > own->size - at)
        return false;
    for (size_t slot = 0; 4 + 2 * slot < entries; slot++) {
        size_t offset = (size_t) bk_fb_number(own, (size_t) vtable + 4 + 2 * slot, 2);
        field about = slot < MOST_FIELDS ? FIELDS[kind][slot] : (field) {'-', 0};
        if (offset && (offset < 4 || offset >= inside || !is_field(own, at + offset, inside - offset, about)))
            return false;
    }
    return true;
}
