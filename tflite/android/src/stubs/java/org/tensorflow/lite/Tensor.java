package org.tensorflow.lite;

/** The declarations of LiteRT's interface that InterpreterRunner uses. */
public interface Tensor {
    /** Returns the type. */
    DataType dataType();

    /** Returns the shape. */
    int[] shape();

    /** Returns how many numbers there are. */
    int numElements();
}
