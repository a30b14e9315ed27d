/* The entries of JSON objects by their types; see json.h. */
#include "json.h"

bk_json *bk_entry(const bk_json *object, const char *name)
{
    bk_json *found = NULL;
    for (int i = 0; object && object->kind == BK_OBJECT && i < object->count; i++)
        if (bk_is(object->names[i], name))
            found = object->values[i];              /* of equal names the last counts */
    return found && found->kind != BK_NULL ? found : NULL;
}

void bk_wrong(bk_room *room, const bk_json *object, const char *name, const char *wanted)
{
    bk_fail(room, "%s: %s is not as wanted, which is %s; export again, or copy the folder again.", object->source, name,
            wanted);
}

bk_text bk_string(bk_room *room, const bk_json *object, const char *name, bk_text otherwise)
{
    const bk_json *found = bk_entry(object, name);
    if (found && found->kind != BK_STRING)
        bk_wrong(room, object, name, "a string");
    return found ? found->text : otherwise;
}

bool bk_flag(bk_room *room, const bk_json *object, const char *name, bool otherwise)
{
    const bk_json *found = bk_entry(object, name);
    if (found && found->kind != BK_TRUE && found->kind != BK_FALSE)
        bk_wrong(room, object, name, "true or false");
    return found ? found->kind == BK_TRUE : otherwise;
}

double bk_number(bk_room *room, const bk_json *object, const char *name, double otherwise)
{
    const bk_json *found = bk_entry(object, name);
    if (found && found->kind != BK_NUMERAL)
        bk_wrong(room, object, name, "a number");
    return found ? found->number : otherwise;
}

int bk_whole(bk_room *room, const bk_json *object, const char *name, int least, int otherwise)
{
    double found = bk_number(room, object, name, otherwise);
    if (!bk_entry(object, name))
        return otherwise;
    if (found < least || found > INT32_MAX || found != (double) (int) found)
        bk_wrong(room, object, name, "a whole number in its bounds");
    return (int) found;
}

bk_json *bk_object(bk_room *room, const bk_json *object, const char *name)
{
    bk_json *found = bk_entry(object, name);
    if (!found || found->kind != BK_OBJECT)
        bk_wrong(room, object, name, "an object");
    return found;
}

bk_json *bk_values(bk_room *room, const bk_json *object, const char *name, enum bk_kind kind)
{
    static bk_json none = {BK_LIST, 0, {NULL, 0}, 0, NULL, NULL, ""};
    bk_json *found = bk_entry(object, name);
    if (!found)
        return &none;
    bool right = found->kind == BK_LIST;
    for (int i = 0; right && i < found->count; i++)
        right = found->values[i]->kind == kind;
    if (!right)
        bk_wrong(room, object, name, kind == BK_STRING ? "a list of strings" : kind == BK_NUMERAL ? "a list of numbers"
                 : "a list of lists");
    return found;
}

void bk_only(bk_room *room, const bk_json *object, const char *const *names)
{
    for (int i = 0; i < object->count; i++) {
        bool known = false;
        for (const char *const *name = names; *name; name++)
            known = known || bk_is(object->names[i], *name);
        if (!known)
            bk_fail(room, "%s: %.60s is unknown to this version of bertkit; export the model again, or take a newer "
                    "client.", object->source, bk_utf8(room, object->names[i]));
    }
}
