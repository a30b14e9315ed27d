/* The bridge between bertkit.LiteRtRunner and litert.c. */
#include <jni.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "litert.h"

enum { ROOM = 1024 };

static void throw(JNIEnv *env, const char *message)
{
    jclass kind = (*env)->FindClass(env, "bertkit/BertkitException");
    if (kind)
        (*env)->ThrowNew(env, kind, message);
}

JNIEXPORT jlong JNICALL Java_bertkit_LiteRtRunner_open(JNIEnv *env, jclass own, jbyteArray library, jbyteArray path)
{
    char error[ROOM] = "";
    litert_model *model = NULL;
    jbyte *first = (*env)->GetByteArrayElements(env, library, NULL);
    jbyte *second = (*env)->GetByteArrayElements(env, path, NULL);
    (void) own;
    if (first && second)
        model = litert_open((const char *) first, (const char *) second, error, sizeof error);
    if (second)
        (*env)->ReleaseByteArrayElements(env, path, second, JNI_ABORT);
    if (first)
        (*env)->ReleaseByteArrayElements(env, library, first, JNI_ABORT);
    if (!model && !(*env)->ExceptionCheck(env))
        throw(env, error);
    return (jlong) (size_t) model;
}

/* Writes a tensor as "name TAB type [1, 64]" and a line end. */
static char *add_tensor(char *at, const litert_tensor *tensor)
{
    static const char *const TYPES[] = {"other", "float32", "int32"};
    at += sprintf(at, "%s\t%s [", tensor->name, TYPES[tensor->type]);
    for (int i = 0; i < tensor->rank; i++)
        at += sprintf(at, "%s%d", i ? ", " : "", (int) tensor->shape[i]);
    return at + sprintf(at, "]\n");
}

static size_t size_of(const litert_tensor *tensors, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(tensors[i].name) + 32 + 16 * LITERT_MOST_DIMENSIONS;
    return size;
}

/* Returns a signature as lines: its key, how many inputs it has, its inputs, its outputs; NULL behind the last one. */
JNIEXPORT jbyteArray JNICALL Java_bertkit_LiteRtRunner_describe(JNIEnv *env, jclass own, jlong handle, jint number)
{
    const litert_model *model = (const litert_model *) (size_t) handle;
    (void) own;
    if ((size_t) number >= litert_signature_count(model))
        return NULL;
    const litert_signature *about = litert_signature_at(model, (size_t) number);
    char *text = malloc(strlen(about->key) + 64 + size_of(about->inputs, about->input_count)
                        + size_of(about->outputs, about->output_count));
    if (!text)
        return NULL;
    char *at = text + sprintf(text, "%s\n%zu\n", about->key, about->input_count);
    for (size_t i = 0; i < about->input_count; i++)
        at = add_tensor(at, &about->inputs[i]);
    for (size_t i = 0; i < about->output_count; i++)
        at = add_tensor(at, &about->outputs[i]);
    jbyteArray found = (*env)->NewByteArray(env, (jsize) (at - text));
    if (found)
        (*env)->SetByteArrayRegion(env, found, 0, (jsize) (at - text), (const jbyte *) text);
    free(text);
    return found;
}

/* Copies the inputs out of Java; returns 0, or -1 with an exception where they do not fit the signature. */
static int copy_inputs(JNIEnv *env, const litert_signature *about, jobjectArray inputs, int32_t **numbers)
{
    for (size_t i = 0; i < about->input_count; i++) {
        jintArray own = (jintArray) (*env)->GetObjectArrayElement(env, inputs, (jsize) i);
        const litert_tensor *tensor = &about->inputs[i];
        if (!own || tensor->type != LITERT_INT32 || (size_t) (*env)->GetArrayLength(env, own) != tensor->count) {
            throw(env, "An input has another number of values than its signature says; export the model again.");
            return -1;
        }
        numbers[i] = malloc(4 * tensor->count + 1);
        if (!numbers[i]) {
            throw(env, "There is no memory left to compute a row.");
            return -1;
        }
        (*env)->GetIntArrayRegion(env, own, 0, (jsize) tensor->count, (jint *) numbers[i]);
        (*env)->DeleteLocalRef(env, own);
    }
    return 0;
}

static jfloatArray compute(JNIEnv *env, litert_model *model, size_t signature, int32_t **numbers, size_t output)
{
    char error[ROOM] = "";
    size_t count = litert_signature_at(model, signature)->outputs[output].count;
    float *values = malloc(4 * count + 1);
    jfloatArray found = NULL;
    if (!values)
        throw(env, "There is no memory left to compute a row.");
    else if (litert_run(model, signature, (const int32_t *const *) numbers, output, values, error, sizeof error))
        throw(env, error);
    else if ((found = (*env)->NewFloatArray(env, (jsize) count)))
        (*env)->SetFloatArrayRegion(env, found, 0, (jsize) count, values);
    free(values);
    return found;
}

JNIEXPORT jfloatArray JNICALL Java_bertkit_LiteRtRunner_run(JNIEnv *env, jclass own, jlong handle, jint number,
                                                            jobjectArray inputs, jint output)
{
    litert_model *model = (litert_model *) (size_t) handle;
    const litert_signature *about = litert_signature_at(model, (size_t) number);
    (void) own;
    if ((size_t) output >= about->output_count || about->outputs[output].type != LITERT_FLOAT32
        || (size_t) (*env)->GetArrayLength(env, inputs) != about->input_count) {
        throw(env, "The model does not take and give what was asked for; export it again.");
        return NULL;
    }
    int32_t **numbers = calloc(about->input_count + 1, sizeof *numbers);
    jfloatArray found = NULL;
    if (numbers && !copy_inputs(env, about, inputs, numbers))
        found = compute(env, model, (size_t) number, numbers, (size_t) output);
    for (size_t i = 0; numbers && i < about->input_count; i++)
        free(numbers[i]);
    free(numbers);
    return found;
}

JNIEXPORT void JNICALL Java_bertkit_LiteRtRunner_free(JNIEnv *env, jclass own, jlong handle)
{
    (void) env;
    (void) own;
    litert_close((litert_model *) (size_t) handle);
}
