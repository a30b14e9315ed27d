package bertkit;

/** An error that a user can cause; its message is one sentence: what came, what was wanted, what to do. */
public final class BertkitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an error.
     *
     * @param message the sentence
     */
    public BertkitException(String message) {
        super(message);
    }
}
