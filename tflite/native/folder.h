/* The files that `bertkit export` wrote: read within bounds, and compared with their sizes and checksums. */
#ifndef BERTKIT_FOLDER_H
#define BERTKIT_FOLDER_H

#include "core.h"
#include "json.h"

/* Returns the path of a file of a folder. */
char *bk_path(bk_room *room, const char *folder, const char *name);

/* Reads a text file of UTF-8. */
bk_text bk_read(bk_room *room, const char *path);

/* Reads a JSON object; where it is signed, its checksum is compared. */
bk_json *bk_read_object(bk_room *room, const char *path, bool is_signed);

/* Compares every file that a manifest names with what it says, but for the one called `but`, which may be NULL. */
void bk_check_files(bk_room *room, const char *folder, const bk_json *files, const char *but);

#endif
