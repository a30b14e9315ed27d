/* Writes JSON; see json.h. */
#include <stdio.h>
#include <string.h>

#include "json.h"

void bk_write_ascii(bk_room *room, bk_list *bytes, const char *ascii)
{
    for (; *ascii; ascii++)
        bk_push(room, bytes, *ascii);
}

static void put_unit(bk_room *room, bk_list *bytes, int32_t unit)
{
    char escaped[8];
    snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned) unit & 0xffff);
    bk_write_ascii(room, bytes, escaped);
}

static void put_string(bk_room *room, bk_list *bytes, bk_text text, bool ascii)
{
    static const char FROM[] = "\"\\\b\f\n\r\t", TO[] = "\"\\bfnrt";
    bk_push(room, bytes, '"');
    for (int i = 0; i < text.count; i++) {
        int32_t c = text.at[i];
        const char *place = c > 0 && c < 128 ? strchr(FROM, c) : NULL;
        if (place) {
            bk_push(room, bytes, '\\');
            bk_push(room, bytes, TO[place - FROM]);
        } else if (c > 0xffff && ascii) {
            put_unit(room, bytes, 0xd800 + ((c - 0x10000) >> 10));
            put_unit(room, bytes, 0xdc00 + ((c - 0x10000) & 0x3ff));
        } else if (c < ' ' || (c > '~' && ascii) || (c >= 0xd800 && c < 0xe000)) {
            put_unit(room, bytes, c);
        } else {
            bk_push(room, bytes, c);
        }
    }
    bk_push(room, bytes, '"');
}

void bk_write_string(bk_room *room, bk_list *bytes, bk_text text)
{
    put_string(room, bytes, text, false);
}

void bk_write_number(bk_room *room, bk_list *bytes, double number)
{
    char written[40];
    snprintf(written, sizeof written - 3, "%.17g", number);
    if (!strpbrk(written, ".en"))
        strcat(written, ".0");
    bk_write_ascii(room, bytes, written);
}

void bk_write_whole(bk_room *room, bk_list *bytes, int number)
{
    char written[16];
    snprintf(written, sizeof written, "%d", number);
    bk_write_ascii(room, bytes, written);
}

static int compared(bk_text one, bk_text other)
{
    for (int i = 0; i < one.count && i < other.count; i++)
        if (one.at[i] != other.at[i])
            return one.at[i] - other.at[i];
    return one.count - other.count;
}

/* Returns the place of the smallest name that is larger than one; -1 for none. */
static int next_name(const bk_json *object, const bk_text *after)
{
    int found = -1;
    for (int i = 0; i < object->count; i++)
        if ((!after || compared(object->names[i], *after) > 0)
            && (found < 0 || compared(object->names[i], object->names[found]) <= 0))
            found = i;
    return found;
}

static void put_object(bk_room *room, const bk_json *value, const char *without, bk_list *bytes)
{
    const char *comma = "";
    bk_push(room, bytes, '{');
    for (int i = next_name(value, NULL); i >= 0; i = next_name(value, &value->names[i])) {
        if (without && bk_is(value->names[i], without))
            continue;
        bk_write_ascii(room, bytes, comma);
        put_string(room, bytes, value->names[i], true);
        bk_push(room, bytes, ':');
        bk_write_canonical(room, value->values[i], NULL, bytes);
        comma = ",";
    }
    bk_push(room, bytes, '}');
}

void bk_write_canonical(bk_room *room, const bk_json *value, const char *without, bk_list *bytes)
{
    static const char *const WORDS[] = {"null", "false", "true"};
    if (value->kind == BK_OBJECT) {
        put_object(room, value, without, bytes);
    } else if (value->kind == BK_LIST) {
        bk_push(room, bytes, '[');
        for (int i = 0; i < value->count; i++) {
            bk_write_ascii(room, bytes, i ? "," : "");
            bk_write_canonical(room, value->values[i], NULL, bytes);
        }
        bk_push(room, bytes, ']');
    } else if (value->kind == BK_STRING) {
        put_string(room, bytes, value->text, true);
    } else if (value->kind == BK_NUMERAL) {
        for (int i = 0; i < value->text.count; i++)
            bk_push(room, bytes, value->text.at[i]);
    } else {
        bk_write_ascii(room, bytes, WORDS[value->kind]);
    }
}
