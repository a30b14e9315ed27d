/* See json.h. */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 100, LONGEST_NUMBER = 300 };

typedef struct {
    bk_room *room;
    bk_text text;
    int at;
    const char *source;
} parser;

static bk_json *value(parser *own, int depth);

static void wrong(parser *own, const char *what)
{
    int line = 1, column = 1;
    for (int i = 0; i < own->at && i < own->text.count; i++) {
        column = own->text.at[i] == '\n' ? 1 : column + 1;
        line += own->text.at[i] == '\n';
    }
    bk_fail(own->room, "%s is not JSON (%s, line %d, column %d); copy the file again.", own->source, what, line,
            column);
}

static int32_t peek(parser *own)
{
    if (own->at >= own->text.count)
        wrong(own, "it ends too early");
    return own->text.at[own->at];
}

static void blanks(parser *own)
{
    while (own->at < own->text.count && own->text.at[own->at] < 128 && own->text.at[own->at]
           && strchr(" \t\n\r", own->text.at[own->at]))
        own->at++;
}

static bk_json *made(parser *own, enum bk_kind kind)
{
    bk_json *found = bk_take(own->room, 1, sizeof *found);
    found->kind = kind;
    found->source = own->source;
    return found;
}

static int32_t hexadecimal(parser *own)
{
    int32_t code = 0;
    for (int i = 0; i < 4; i++) {
        int32_t c = peek(own);
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0)
            wrong(own, "\\u wants four hexadecimal digits");
        code = 16 * code + digit;
        own->at++;
    }
    return code;
}

static int32_t escaped(parser *own)
{
    static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
    int32_t c = peek(own);
    const char *place = c > 0 && c < 128 ? strchr(FROM, c) : NULL;
    own->at++;
    if (place)
        return TO[place - FROM];
    if (c != 'u')
        wrong(own, "a \\ is followed by nothing that it escapes");
    int32_t code = hexadecimal(own);
    bool high = code >= 0xd800 && code < 0xdc00 && own->at + 6 <= own->text.count && own->text.at[own->at] == '\\'
        && own->text.at[own->at + 1] == 'u';
    if (high) {
        int before = own->at;
        own->at += 2;
        int32_t low = hexadecimal(own);
        if (low >= 0xdc00 && low < 0xe000)
            return 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00;
        own->at = before;
    }
    return code;
}

static bk_text string(parser *own)
{
    int start = ++own->at, end = start;
    while (end < own->text.count && own->text.at[end] != '"')
        end += own->text.at[end] == '\\' ? 2 : 1;
    bk_text found = {bk_take(own->room, (size_t) (end - start) + 1, sizeof *found.at), 0};
    while (peek(own) != '"') {
        int32_t c = own->text.at[own->at++];
        if (c < ' ')
            wrong(own, "a string holds a control character");
        found.at[found.count++] = c == '\\' ? escaped(own) : c;
    }
    own->at++;
    return found;
}

static int digits(parser *own)
{
    int start = own->at;
    while (own->at < own->text.count && own->text.at[own->at] >= '0' && own->text.at[own->at] <= '9')
        own->at++;
    return own->at - start;
}

static bk_json *number(parser *own)
{
    bk_json *found = made(own, BK_NUMERAL);
    int start = own->at;
    own->at += peek(own) == '-';
    int first = own->at, count = digits(own);
    if (!count || (own->text.at[first] == '0' && count > 1))
        wrong(own, "a value was wanted");
    if (own->at < own->text.count && own->text.at[own->at] == '.') {
        own->at++;
        if (!digits(own))
            wrong(own, "a number has no digit behind its dot");
    }
    if (own->at < own->text.count && (own->text.at[own->at] == 'e' || own->text.at[own->at] == 'E')) {
        own->at++;
        own->at += own->at < own->text.count && (own->text.at[own->at] == '+' || own->text.at[own->at] == '-');
        if (!digits(own))
            wrong(own, "a number has no digit in its exponent");
    }
    found->text = bk_part(own->text, start, own->at);
    char written[LONGEST_NUMBER + 1];
    for (int i = 0; i < found->text.count && i < LONGEST_NUMBER; i++)
        written[i] = (char) found->text.at[i];
    written[found->text.count < LONGEST_NUMBER ? found->text.count : LONGEST_NUMBER] = 0;
    found->number = strtod(written, NULL);
    if (found->text.count > LONGEST_NUMBER || !isfinite(found->number))
        wrong(own, "a number is too large");
    return found;
}

/* Reads a comma, and returns true, or the end of a list or an object, and returns false. */
static bool more(parser *own, int32_t end)
{
    blanks(own);
    int32_t c = peek(own);
    if (c != end && c != ',')
        wrong(own, "a comma was wanted");
    own->at++;
    return c == ',';
}

static void add(parser *own, bk_json *to, bk_text name, bk_json *value, int *space)
{
    if (to->count == *space) {
        *space = *space ? 2 * *space : 8;
        bk_json **values = bk_take(own->room, (size_t) *space, sizeof *values);
        bk_text *names = bk_take(own->room, (size_t) *space, sizeof *names);
        if (to->count) {
            memcpy(values, to->values, (size_t) to->count * sizeof *values);
            memcpy(names, to->names, (size_t) to->count * sizeof *names);
        }
        to->values = values;
        to->names = names;
    }
    to->names[to->count] = name;
    to->values[to->count++] = value;
}

static bk_json *container(parser *own, int depth, bool object)
{
    bk_json *found = made(own, object ? BK_OBJECT : BK_LIST);
    int space = 0;
    own->at++;
    blanks(own);
    if (peek(own) == (object ? '}' : ']')) {
        own->at++;
        return found;
    }
    do {
        bk_text name = {NULL, 0};
        blanks(own);
        if (object) {
            if (peek(own) != '"')
                wrong(own, "a name in quotes was wanted");
            name = string(own);
            blanks(own);
            if (peek(own) != ':')
                wrong(own, "a : was wanted");
            own->at++;
        }
        add(own, found, name, value(own, depth + 1), &space);
    } while (more(own, object ? '}' : ']'));
    return found;
}

static bk_json *word(parser *own, const char *letters, enum bk_kind kind)
{
    for (; *letters; letters++, own->at++)
        if (own->at >= own->text.count || own->text.at[own->at] != *letters)
            wrong(own, "a value was wanted");
    return made(own, kind);
}

static bk_json *value(parser *own, int depth)
{
    blanks(own);
    if (depth > DEEPEST)
        wrong(own, "it is nested too deep");
    switch (peek(own)) {
    case '{': return container(own, depth, true);
    case '[': return container(own, depth, false);
    case 't': return word(own, "true", BK_TRUE);
    case 'f': return word(own, "false", BK_FALSE);
    case 'n': return word(own, "null", BK_NULL);
    case '"': break;
    default: return number(own);
    }
    bk_json *found = made(own, BK_STRING);
    found->text = string(own);
    return found;
}

bk_json *bk_parse(bk_room *room, bk_text text, const char *source)
{
    parser own = {room, text, 0, source};
    bk_json *found = value(&own, 0);
    blanks(&own);
    if (own.at < text.count)
        wrong(&own, "something follows its end");
    return found;
}
