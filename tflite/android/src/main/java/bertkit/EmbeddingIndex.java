package bertkit;

import java.util.ArrayList;
import java.util.List;

/** Vectors that are searched by cosine, one after the other: enough for the texts of a phone. */
public final class EmbeddingIndex {
    private final List<float[]> vectors = new ArrayList<>();

    /** A vector that was found. */
    public static final class Hit {
        /** The number of the vector, in the order in which they were added, from 0. */
        public final int number;
        /** Its cosine with the query. */
        public final double cosine;

        private Hit(int number, double cosine) {
            this.number = number;
            this.cosine = cosine;
        }
    }

    /**
     * Adds a vector.
     *
     * @param vector such as {@link Model#embedDocument} gives
     * @return its number
     */
    public int add(float[] vector) {
        if (!vectors.isEmpty() && vectors.get(0).length != vector.length) {
            throw new BertkitException("A vector has " + vector.length + " numbers and those before it "
                    + vectors.get(0).length + "; add vectors of one model.");
        }
        vectors.add(vector.clone());
        return vectors.size() - 1;
    }

    /**
     * Finds the vectors that are most like a query.
     *
     * @param query such as {@link Model#embedQuery} gives
     * @param most how many are returned
     * @return the hits, the best first; of equal ones the first added
     */
    public List<Hit> search(float[] query, int most) {
        List<Hit> hits = new ArrayList<>();
        for (int i = 0; i < vectors.size(); i++) {
            hits.add(new Hit(i, cosine(query, vectors.get(i))));
        }
        hits.sort((one, other) -> Double.compare(other.cosine, one.cosine));
        return new ArrayList<>(hits.subList(0, Math.min(most, hits.size())));
    }

    /**
     * Computes the cosine of two vectors.
     *
     * @param one a vector
     * @param other a vector of the same length
     * @return uᵀv / (‖u‖ ‖v‖), 0 where one of them is zero
     */
    public static double cosine(float[] one, float[] other) {
        if (one.length != other.length) {
            throw new BertkitException("Vectors of " + one.length + " and of " + other.length + " numbers came; "
                    + "compare vectors of one model.");
        }
        double product = 0;
        double first = 0;
        double second = 0;
        for (int i = 0; i < one.length; i++) {
            product += (double) one[i] * other[i];
            first += (double) one[i] * one[i];
            second += (double) other[i] * other[i];
        }
        return first > 0 && second > 0 ? product / Math.sqrt(first * second) : 0;
    }
}
