package android.view;

/** The declarations of Android's class that the sample uses. */
public class View {
    /** What happens at a click. */
    public interface OnClickListener {
        /** Is called at a click. */
        void onClick(View view);
    }

    /** Sets what happens at a click. */
    public void setOnClickListener(OnClickListener listener) {
    }

    /** Sets whether the view leaves room for the bars of the system. */
    public void setFitsSystemWindows(boolean fits) {
    }
}
