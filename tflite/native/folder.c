/* See folder.h. */
#define _POSIX_C_SOURCE 200809L
#include "folder.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sha256.h"

enum { LARGEST = 1 << 28 };

char *bk_path(bk_room *room, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = bk_take(room, size, 1);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static bool is_file(const char *path, long long *size)
{
    struct stat about;
    bool found = !stat(path, &about) && S_ISREG(about.st_mode);
    *size = found ? (long long) about.st_size : 0;
    return found;
}

bk_text bk_read(bk_room *room, const char *path)
{
    long long size = 0;
    if (!is_file(path, &size))
        bk_fail(room, "%s is missing; give the whole folder that `bertkit export --to tflite` wrote.", path);
    if (size > LARGEST)
        bk_fail(room, "%s has more than %d bytes, which no such file has; give the right one.", path, LARGEST);
    char *bytes = bk_take(room, (size_t) size + 1, 1);
    FILE *file = fopen(path, "rb");
    size_t found = file ? fread(bytes, 1, (size_t) size, file) : 0;
    if (file)
        fclose(file);
    if (!file || found != (size_t) size)
        bk_fail(room, "%s cannot be read; give a readable file.", path);
    return bk_decoded(room, bytes, found, path);
}

bk_json *bk_read_object(bk_room *room, const char *path, bool is_signed)
{
    bk_json *found = bk_parse(room, bk_read(room, path), path);
    if (found->kind != BK_OBJECT)
        bk_fail(room, "%s holds no object; export again, or copy the folder again.", path);
    const bk_json *sum = is_signed ? bk_entry(found, "sum") : NULL;
    if (sum) {
        bk_list bytes = {0};
        char digits[65];
        sha256 own;
        bk_write_canonical(room, found, "sum", &bytes);
        sha256_begin(&own);
        for (int i = 0; i < bytes.count; i++) {
            uint8_t byte = (uint8_t) bytes.at[i];
            sha256_add(&own, &byte, 1);
        }
        sha256_end(&own, digits);
        if (sum->kind != BK_STRING || !bk_is(sum->text, digits))
            bk_fail(room, "%s is not the file that was written (its checksum differs); copy it again, or remove its "
                    "\"sum\" if you changed it yourself.", path);
    }
    return found;
}

static bool is_written(const char *path, const bk_json *entry, bk_text digits)
{
    long long size = 0;
    char part[4096], found[65];
    sha256 own;
    const bk_json *bytes = bk_entry(entry, "bytes");
    FILE *file = is_file(path, &size) ? fopen(path, "rb") : NULL;
    sha256_begin(&own);
    for (size_t count = 1; file && count;) {
        count = fread(part, 1, sizeof part, file);
        sha256_add(&own, part, count);
    }
    if (file)
        fclose(file);
    sha256_end(&own, found);
    return file && bytes && bytes->number == (double) size && bk_is(digits, found);
}

void bk_check_files(bk_room *room, const char *folder, const bk_json *files, const char *but)
{
    static const bk_text NONE = {NULL, 0};
    for (int i = 0; i < files->count; i++) {
        char *name = bk_utf8(room, files->names[i]), *path = bk_path(room, folder, name);
        long long size;
        if (but && !strcmp(name, but))
            continue;
        if (strchr(name, '/') || !is_file(path, &size))
            bk_fail(room, "%.400s is missing, and its folder's manifest names it; copy the folder again.", path);
        if (!is_written(path, files->values[i], bk_string(room, files->values[i], "sha256", NONE)))
            bk_fail(room, "%.400s is not the file that was written (its SHA-256 differs); copy the folder again.",
                    path);
    }
}
