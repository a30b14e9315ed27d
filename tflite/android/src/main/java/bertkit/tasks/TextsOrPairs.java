package bertkit.tasks;

import bertkit.files.Fields;

/** What the tasks share that read a text or a pair of texts, or where `pairs` is null either of them. */
abstract class TextsOrPairs extends Task {
    private final boolean either;

    TextsOrPairs(String name, String output, int width, Fields fields, boolean pairs) {
        super(name, output, width, false, reads(isPair(fields, pairs)));
        either = isEither(fields);
    }

    private static boolean isEither(Fields fields) {
        return fields.isNull("pairs");
    }

    private static boolean isPair(Fields fields, boolean otherwise) {
        return !isEither(fields) && fields.flag("pairs", otherwise);
    }

    private static String[] reads(boolean pairs) {
        return pairs ? new String[] {"first text", "second text"} : new String[] {"text"};
    }

    @Override
    public String[] input(String line) {
        String[] texts = line.split("\t", -1);
        return either && texts.length == 2 ? texts : super.input(line);
    }

    @Override
    protected boolean fits(int count) {
        return either && count == 2 || super.fits(count);
    }
}
