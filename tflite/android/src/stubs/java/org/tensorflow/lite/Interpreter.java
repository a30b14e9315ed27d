package org.tensorflow.lite;

import java.io.File;
import java.util.Map;

/**
 * The declarations of LiteRT's class that InterpreterRunner uses, so that it compiles without Android. A test fills it
 * with a model of its own; LiteRT's is in the AAR.
 */
public class Interpreter implements AutoCloseable {
    /** What a test puts in the place of LiteRT. */
    public static Interpreter filled;

    /** Options of an interpreter. */
    public static class Options {
        /** Sets the number of threads. */
        public Options setNumThreads(int threads) {
            return this;
        }
    }

    /** For a test's own class. */
    protected Interpreter() {
    }

    /** Opens a model. */
    public Interpreter(File model, Options options) {
        if (filled == null) {
            throw new IllegalArgumentException("this is a stub, which runs no model");
        }
    }

    /** Returns the names of the signatures. */
    public String[] getSignatureKeys() {
        return filled.getSignatureKeys();
    }

    /** Returns the names of the inputs of a signature. */
    public String[] getSignatureInputs(String key) {
        return filled.getSignatureInputs(key);
    }

    /** Returns the names of the outputs of a signature. */
    public String[] getSignatureOutputs(String key) {
        return filled.getSignatureOutputs(key);
    }

    /** Returns an input. */
    public Tensor getInputTensorFromSignature(String name, String key) {
        return filled.getInputTensorFromSignature(name, key);
    }

    /** Returns an output. */
    public Tensor getOutputTensorFromSignature(String name, String key) {
        return filled.getOutputTensorFromSignature(name, key);
    }

    /** Computes a signature. */
    public void runSignature(Map<String, Object> inputs, Map<String, Object> outputs, String key) {
        filled.runSignature(inputs, outputs, key);
    }

    @Override
    public void close() {
        filled.close();
    }
}
