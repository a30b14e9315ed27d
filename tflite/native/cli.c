/* Answers lines of standard input: `bertkit FOLDER`, or with `--encode` before the folder writes their ids and offsets.
 * One JSON object a line; lines end at \n alone. LITERT_LIBRARY names libLiteRt.so. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bertkit.h"

static int encode(bertkit_model *model, const char *line, size_t size, char error[BERTKIT_ERROR])
{
    bertkit_encoding *found = bertkit_encode(model, line, size, error);
    if (!found)
        return -1;
    fputs("{\"ids\": [", stdout);
    for (size_t i = 0; i < found->count; i++)
        printf("%s%d", i ? ", " : "", (int) found->ids[i]);
    fputs("], \"offsets\": [", stdout);
    for (size_t i = 0; i < found->count; i++)
        printf("%s[%d, %d]", i ? ", " : "", (int) found->starts[i], (int) found->ends[i]);
    puts("]}");
    bertkit_free(found);
    return 0;
}

/* A line is read as `bertkit predict` reads it: without a byte order mark at the start, and without \r at its end. */
static int predict(bertkit_model *model, const char *line, size_t size, long number, char error[BERTKIT_ERROR])
{
    char why[BERTKIT_ERROR];
    if (number == 1 && size >= 3 && !memcmp(line, "\xef\xbb\xbf", 3)) {
        line += 3;
        size -= 3;
    }
    if (size && line[size - 1] == '\r')
        size--;
    char *answer = bertkit_predict_line(model, line, size, why);
    if (answer)
        puts(answer);
    else if (!strncmp(why, "has ", 4))
        snprintf(error, BERTKIT_ERROR, "line %ld of standard input %.500s", number, why);
    else
        memcpy(error, why, sizeof why);
    free(answer);
    return answer ? 0 : -1;
}

static int answer(bertkit_model *model, int encodes, char error[BERTKIT_ERROR])
{
    char *line = NULL;
    size_t space = 0;
    long number = 0;
    int failed = 0;
    for (ssize_t size; !failed && (size = getline(&line, &space, stdin)) >= 0;) {
        number++;
        size -= size && line[size - 1] == '\n';
        failed = encodes ? encode(model, line, (size_t) size, error)
            : predict(model, line, (size_t) size, number, error);
    }
    free(line);
    return failed;
}

int main(int count, char **arguments)
{
    char error[BERTKIT_ERROR] = "";
    int encodes = count == 3 && !strcmp(arguments[1], "--encode");
    const char *library = getenv("LITERT_LIBRARY");
    if (!encodes && (count != 2 || arguments[1][0] == '-')) {
        fputs("usage: bertkit [--encode] FOLDER < lines\n", stderr);
        return 2;
    }
    if (!encodes && (!library || !*library)) {
        fputs("Running a .tflite file needs LiteRT; set LITERT_LIBRARY to the path of libLiteRt.so, which the Python "
              "package ai-edge-litert holds.\n", stderr);
        return 1;
    }
    bertkit_model *model = bertkit_open(arguments[count - 1], encodes ? NULL : library, error);
    int failed = !model || answer(model, encodes, error);
    bertkit_close(model);
    if (failed)
        fprintf(stderr, "%s\n", error);
    return failed ? 1 : 0;
}
