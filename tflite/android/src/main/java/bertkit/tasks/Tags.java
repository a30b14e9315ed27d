package bertkit.tasks;

import java.util.ArrayList;
import java.util.List;

/** Tags of words, in whatever scheme a model has them, and the entities that they mark (the rule of conlleval). */
final class Tags {
    static final String OUTSIDE = "O";

    private Tags() {
    }

    /** An entity: its type, its first word, and the word behind its last. */
    static final class Entity {
        final String type;
        final int first;
        final int end;

        Entity(String type, int first, int end) {
            this.type = type;
            this.first = first;
            this.end = end;
        }
    }

    /**
     * Returns the tags that labels mean. BILOU's last and unit become E and S, the middle of BMES I, and B_PER becomes
     * B-PER. Labels without such letters are types: each word is an entity of its own if none of them is O.
     */
    static List<String> spelt(List<String> labels) {
        boolean written = labels.stream().anyMatch(label -> !OUTSIDE.equals(label) && isWritten(label));
        String prefix = labels.contains(OUTSIDE) ? "I-" : "B-";
        List<String> found = new ArrayList<>();
        for (String label : labels) {
            if (written) {
                found.add(isWritten(label) ? respelt(label) : label);
            } else {
                found.add(OUTSIDE.equals(label) ? label : prefix + label);
            }
        }
        return found;
    }

    private static boolean isWritten(String label) {
        boolean letter = !label.isEmpty() && "BIESLUM".indexOf(label.charAt(0)) >= 0;
        return letter && (label.length() == 1 || label.charAt(1) == '-' || label.charAt(1) == '_');
    }

    private static String respelt(String label) {
        int place = "LUM".indexOf(label.charAt(0));
        String letter = place < 0 ? label.substring(0, 1) : "ESI".substring(place, place + 1);
        return label.length() == 1 ? letter : letter + "-" + label.substring(2);
    }

    /** Returns the type of a tag, "" where it has none. */
    static String type(String tag) {
        return tag.length() > 2 ? tag.substring(2) : "";
    }

    /** Returns the entities in tags: one begins at B and S, and at an I or E that does not continue one of its type. */
    static List<Entity> entities(List<String> tags) {
        List<Entity> found = new ArrayList<>();
        int end = tags.size();
        for (int first = end - 1; first >= 0; first--) {
            if (first > 0 && continues(tags.get(first - 1), tags.get(first))) {
                continue;
            }
            if (isInside(tags.get(first)) && isInside(tags.get(end - 1))) {
                String type = type(tags.get(first));
                found.add(0, new Entity(type.isEmpty() ? "_" : type, first, end));
            }
            end = first;
        }
        return found;
    }

    private static boolean isInside(String tag) {
        return is(tag, "BIES");
    }

    private static boolean continues(String before, String tag) {
        return is(before, "BI") && is(tag, "IE") && type(before).equals(type(tag));
    }

    private static boolean is(String tag, String letters) {
        return !tag.isEmpty() && letters.indexOf(tag.charAt(0)) >= 0;
    }
}
