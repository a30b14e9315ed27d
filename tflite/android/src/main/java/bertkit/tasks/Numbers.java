package bertkit.tasks;

/** The few functions of numbers that tasks share. */
final class Numbers {
    private Numbers() {
    }

    /** Computes exp(z) / Σ exp(z), in double precision. */
    static float[] softmax(float[] logits) {
        double most = Double.NEGATIVE_INFINITY;
        for (float z : logits) {
            most = Math.max(most, z);
        }
        double sum = 0;
        for (float z : logits) {
            sum += Math.exp(z - most);
        }
        float[] found = new float[logits.length];
        for (int i = 0; i < found.length; i++) {
            found[i] = (float) (Math.exp(logits[i] - most) / sum);
        }
        return found;
    }

    /** Computes 1 / (1 + exp(−z)), in double precision. */
    static float[] sigmoid(float[] logits) {
        float[] found = new float[logits.length];
        for (int i = 0; i < found.length; i++) {
            found[i] = (float) (1 / (1 + Math.exp(-(double) logits[i])));
        }
        return found;
    }

    /** Returns the place of the largest number, the first one on ties. */
    static int largest(float[] numbers) {
        int best = 0;
        for (int i = 1; i < numbers.length; i++) {
            best = numbers[i] > numbers[best] ? i : best;
        }
        return best;
    }
}
