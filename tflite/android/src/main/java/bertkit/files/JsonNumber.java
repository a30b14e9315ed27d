package bertkit.files;

/** A number of a JSON file, which remembers how it was written. */
public final class JsonNumber extends Number {
    private static final long serialVersionUID = 1L;
    private final String written;
    private final double value;

    JsonNumber(String written) {
        this.written = written;
        this.value = Double.parseDouble(written);
    }

    /** Whether it is written without a fraction and without an exponent. */
    boolean isWhole() {
        return written.chars().allMatch(c -> c == '-' || c >= '0' && c <= '9');
    }

    @Override
    public int intValue() {
        return (int) value;
    }

    @Override
    public long longValue() {
        return (long) value;
    }

    @Override
    public float floatValue() {
        return (float) value;
    }

    @Override
    public double doubleValue() {
        return value;
    }

    @Override
    public String toString() {
        return written;
    }
}
