/* See litert_calls.h. */
#define _POSIX_C_SOURCE 200809L
#include "litert_calls.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char *const NAMES[] = {
    "LiteRtCreateEnvironment", "LiteRtCreateModelFromFile", "LiteRtCreateOptions",
    "LiteRtSetOptionsHardwareAccelerators", "LiteRtCreateCompiledModel", "LiteRtGetNumModelSignatures",
    "LiteRtGetModelSignature", "LiteRtGetSignatureKey", "LiteRtGetNumSignatureInputs", "LiteRtGetNumSignatureOutputs",
    "LiteRtGetSignatureInputName", "LiteRtGetSignatureOutputName", "LiteRtGetSignatureInputTensorByIndex",
    "LiteRtGetSignatureOutputTensorByIndex", "LiteRtGetRankedTensorType",
    "LiteRtGetCompiledModelInputBufferRequirements", "LiteRtGetCompiledModelOutputBufferRequirements",
    "LiteRtCreateManagedTensorBufferFromRequirements", "LiteRtGetTensorBufferPackedSize", "LiteRtLockTensorBuffer",
    "LiteRtUnlockTensorBuffer", "LiteRtRunCompiledModel", "LiteRtDestroyTensorBuffer", "LiteRtDestroyCompiledModel",
    "LiteRtDestroyOptions", "LiteRtDestroyModel", "LiteRtDestroyEnvironment"};

enum { FUNCTIONS = sizeof NAMES / sizeof NAMES[0] };

int litert_load(litert_calls *calls, const char *path, char *error, size_t room)
{
    void *found[FUNCTIONS];
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(error, room, "%s cannot be loaded (%s); give the path of libLiteRt.so.", path, dlerror());
        return -1;
    }
    for (int i = 0; i < FUNCTIONS; i++) {
        found[i] = dlsym(library, NAMES[i]);
        if (!found[i]) {
            snprintf(error, room, "%s has no %s; give the libLiteRt.so of LiteRT 2.1 or newer.", path, NAMES[i]);
            return -1;
        }
    }
    memcpy(calls, found, sizeof *calls);
    return 0;
}
