/* Encodes and answers nothing but noise: `fuzz FOLDER SEED COUNT` makes texts of random bytes and code points, and JSON
 * files of the folder's own with random changes, and says how many there were. A fault ends it, by the sanitizers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bertkit.h"
#include "core.h"
#include "json.h"
#include "tokenizer.h"

static uint64_t state;

static unsigned drawn(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned) (state % below);
}

static size_t text(char *out, size_t most)
{
    size_t size = 0;
    for (unsigned left = drawn(60); left && size + 4 < most; left--) {
        static const int32_t SIGNS[] = {' ', 'a', '\'', 0x301, 0x3a3, 0x2581, 0x1100, 0x1161, 0xac00, 0x130, '\r',
            '\n'};
        unsigned kind = drawn(4);
        if (kind == 0)
            out[size++] = (char) drawn(256);
        else
            size += (size_t) bk_utf8_of(kind == 1 ? SIGNS[drawn(sizeof SIGNS / sizeof *SIGNS)]
                                        : (int32_t) drawn(kind == 2 ? 0x3000 : 0x110000), (unsigned char *) out + size);
    }
    return size;
}

/* Makes a tokenizer of changed settings: it must be made or refused. */
static void change(const char *json, size_t size)
{
    jmp_buf out;
    bk_room room = {NULL, &out, ""};
    char *bytes = malloc(size + 1);
    if (!bytes)
        return;
    memcpy(bytes, json, size);
    for (unsigned i = 1 + drawn(4); i && size; i--)
        bytes[drawn((unsigned) size)] = "0123456789\"{}[]:,-x\\"[drawn(20)];
    if (!setjmp(out)) {
        static const char WORDS[] = "[UNK]\na\n[CLS]\n[SEP]\n[PAD]\n";
        bk_text lines = bk_decoded(&room, WORDS, sizeof WORDS - 1, NULL);
        bk_json *facts = bk_parse(&room, bk_decoded(&room, bytes, size, NULL), "changed");
        bk_json *settings = bk_entry(facts, "tokenizer");
        bk_tokenizer *tokenizer = settings ? bk_tokenizer_of(&room, settings, NULL, lines) : NULL;
        if (tokenizer)
            bk_tokens(&room, tokenizer, lines);
    }
    bk_free(&room);
    free(bytes);
}

int main(int count, char **arguments)
{
    static char json[1 << 16], bytes[1 << 10];
    char error[BERTKIT_ERROR] = "", path[1 << 10];
    if (count != 4)
        return 2;
    bertkit_model *model = bertkit_open(arguments[1], NULL, error);
    snprintf(path, sizeof path, "%s/ondevice.json", arguments[1]);
    FILE *file = fopen(path, "rb");
    if (!model || !file) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    size_t size = fread(json, 1, sizeof json, file);
    fclose(file);
    state = 88172645463325252u + strtoul(arguments[2], NULL, 10);
    long rounds = strtol(arguments[3], NULL, 10);
    for (long i = 0; i < rounds; i++) {
        size_t length = text(bytes, sizeof bytes);
        bertkit_free(bertkit_encode(model, bytes, length, error));
        free(bertkit_normalize(model, bytes, length, error));
        if (i % 64 == 0)
            change(json, size);
    }
    bertkit_close(model);
    printf("%ld texts\n", rounds);
    return 0;
}
