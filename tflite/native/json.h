/* JSON, read strictly: RFC 8259, nested at most 100 deep. */
#ifndef BERTKIT_JSON_H
#define BERTKIT_JSON_H

#include "core.h"

enum bk_kind { BK_NULL, BK_FALSE, BK_TRUE, BK_NUMERAL, BK_STRING, BK_LIST, BK_OBJECT };

typedef struct bk_json bk_json;
struct bk_json {
    enum bk_kind kind;
    double number;
    bk_text text;                   /* of a string; of a number as it is written */
    int count;                      /* of a list or an object */
    bk_json **values;
    bk_text *names;                 /* of an object */
    const char *source;             /* the file, as messages name it */
};

/* Reads a text. */
bk_json *bk_parse(bk_room *room, bk_text text, const char *source);

/* Returns an entry of an object; NULL where it is absent or null. The name is marked as read. */
bk_json *bk_entry(const bk_json *object, const char *name);

/* Entries of a type; the fallback stands for an absent one, and another type is an error. */
bk_text bk_string(bk_room *room, const bk_json *object, const char *name, bk_text otherwise);
bool bk_flag(bk_room *room, const bk_json *object, const char *name, bool otherwise);
double bk_number(bk_room *room, const bk_json *object, const char *name, double otherwise);
int bk_whole(bk_room *room, const bk_json *object, const char *name, int least, int otherwise);
bk_json *bk_object(bk_room *room, const bk_json *object, const char *name);

/* Returns a list, whose values are of a kind; an empty one where it is absent. */
bk_json *bk_values(bk_room *room, const bk_json *object, const char *name, enum bk_kind kind);

/* Fails where an object has a name that is not one of these, which end with NULL. */
void bk_only(bk_room *room, const bk_json *object, const char *const *names);

/* Fails because of an entry. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void bk_wrong(bk_room *room, const bk_json *object, const char *name, const char *wanted);

/* Add to JSON text, whose code points a list holds. */
void bk_write_ascii(bk_room *room, bk_list *bytes, const char *ascii);
void bk_write_string(bk_room *room, bk_list *bytes, bk_text text);
void bk_write_number(bk_room *room, bk_list *bytes, double number);
void bk_write_whole(bk_room *room, bk_list *bytes, int number);

/* Writes a value as checksums take it: names in order, ASCII alone, no blanks. Entry `without` of an object is left
 * out. */
void bk_write_canonical(bk_room *room, const bk_json *value, const char *without, bk_list *bytes);

#endif
