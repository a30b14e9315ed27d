package bertkit.files;

import bertkit.BertkitException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** An object of a JSON file whose entries are read by name and type; what is of another type is an error. */
public final class Fields {
    private final Map<?, ?> values;
    private final String source;
    private final Set<String> read = new HashSet<>();

    /**
     * Makes the fields of a value.
     *
     * @param value a value of a JSON file
     * @param source the file and the place in it, as messages name them
     * @throws BertkitException when the value is no object
     */
    public Fields(Object value, String source) {
        this.source = source;
        if (!(value instanceof Map)) {
            throw wrong("it is", value, "an object");
        }
        values = (Map<?, ?>) value;
    }

    /** Returns all entries. */
    public Map<?, ?> map() {
        return values;
    }

    /** Returns the file and the place in it. */
    public String source() {
        return source;
    }

    /** Returns whether there is an entry that is not null. */
    public boolean has(String name) {
        read.add(name);
        return values.get(name) != null;
    }

    /** Returns whether there is an entry and it is null. */
    public boolean isNull(String name) {
        read.add(name);
        return values.containsKey(name) && values.get(name) == null;
    }

    /** Returns an entry as it is. */
    public Object value(String name) {
        read.add(name);
        return values.get(name);
    }

    /** Returns an object. */
    public Fields fields(String name) {
        return new Fields(value(name), source + ", " + name);
    }

    /** Returns a string. */
    public String string(String name) {
        Object value = value(name);
        if (!(value instanceof String)) {
            throw wrong(name + " is", value, "a string");
        }
        return (String) value;
    }

    /** Returns a string, or another one where there is no entry. */
    public String string(String name, String otherwise) {
        return has(name) ? string(name) : otherwise;
    }

    /** Returns true or false; `otherwise` where there is no entry. */
    public boolean flag(String name, boolean otherwise) {
        Object value = has(name) ? value(name) : (Object) otherwise;
        if (!(value instanceof Boolean)) {
            throw wrong(name + " is", value, "true or false");
        }
        return (Boolean) value;
    }

    /** Returns a number; `otherwise` where there is no entry. */
    public double number(String name, double otherwise) {
        Object value = has(name) ? value(name) : (Object) otherwise;
        if (!(value instanceof Number)) {
            throw wrong(name + " is", value, "a number");
        }
        return ((Number) value).doubleValue();
    }

    /** Returns a whole number of at least `least`; `otherwise` where there is no entry. */
    public int whole(String name, int least, int otherwise) {
        return has(name) ? whole(value(name), least, name + " is") : otherwise;
    }

    /** Returns a whole number of at least `least`. */
    public int whole(String name, int least) {
        return whole(value(name), least, name + " is");
    }

    private int whole(Object value, int least, String what) {
        boolean right = value instanceof JsonNumber && ((JsonNumber) value).isWhole()
                && ((Number) value).doubleValue() >= least && ((Number) value).doubleValue() <= Integer.MAX_VALUE;
        if (!right) {
            throw wrong(what, value, "a whole number of " + least + " or more");
        }
        return ((Number) value).intValue();
    }

    /** Returns a list; an empty one where there is no entry. */
    public List<?> list(String name) {
        Object value = has(name) ? value(name) : new ArrayList<>();
        if (!(value instanceof List)) {
            throw wrong(name + " is", value, "a list");
        }
        return (List<?>) value;
    }

    /** Returns a list of strings; an empty one where there is no entry. */
    public List<String> strings(String name) {
        List<String> found = new ArrayList<>();
        for (Object part : list(name)) {
            if (!(part instanceof String)) {
                throw wrong(name + " holds", part, "strings alone");
            }
            found.add((String) part);
        }
        return found;
    }

    /** Returns a list of whole numbers of at least `least`. */
    public List<Integer> wholes(String name, int least) {
        List<Integer> found = new ArrayList<>();
        for (Object part : list(name)) {
            found.add(whole(part, least, name + " holds"));
        }
        return found;
    }

    /** Returns a list of numbers. */
    public double[] numbers(String name) {
        List<?> values = list(name);
        double[] found = new double[values.size()];
        for (int i = 0; i < found.length; i++) {
            if (!(values.get(i) instanceof Number)) {
                throw wrong(name + " holds", values.get(i), "numbers alone");
            }
            found[i] = ((Number) values.get(i)).doubleValue();
        }
        return found;
    }

    /** Checks that every entry was read, so that nothing is passed over in silence. */
    public void end() {
        for (Object name : values.keySet()) {
            if (!read.contains(name)) {
                throw new BertkitException(source + ": " + name + " is unknown to this version of bertkit; export the "
                        + "model again, or take a newer client.");
            }
        }
    }

    /** Returns an error about a value. */
    public BertkitException wrong(String what, Object value, String wanted) {
        String shown = Json.write(value);
        return new BertkitException(source + ": " + what + " " + (shown.length() > 40 ? shown.substring(0, 40) : shown)
                + ", wanted " + wanted + "; export again, or copy the folder again.");
    }
}
