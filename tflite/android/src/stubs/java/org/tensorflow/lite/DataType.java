package org.tensorflow.lite;

/** The types of LiteRT that bertkit's files have. */
public enum DataType {
    /** 32 bits with a fraction. */
    FLOAT32,
    /** Whole numbers of 32 bits. */
    INT32
}
