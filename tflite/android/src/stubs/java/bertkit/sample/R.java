package bertkit.sample;

/** What Android's tools make of res/values/strings.xml. */
final class R {
    /** The texts. */
    static final class string {
        static final int hint = 1;
        static final int ask = 2;
        static final int took = 3;
    }
}
