package android.os;

/** The declarations of Android's class that the sample uses. */
public final class Bundle {
}
