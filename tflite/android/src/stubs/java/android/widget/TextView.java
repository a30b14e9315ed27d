package android.widget;

import android.content.Context;
import android.view.View;

/** The declarations of Android's class that the sample uses. */
public class TextView extends View {
    /** Makes a view. */
    public TextView(Context context) {
    }

    /** Returns the text. */
    public CharSequence getText() {
        return "";
    }

    /** Sets the text. */
    public final void setText(CharSequence text) {
    }

    /** Sets the text. */
    public final void setText(int id) {
    }

    /** Sets what is shown where there is no text. */
    public final void setHint(int id) {
    }

    /** Sets whether the text can be selected. */
    public void setTextIsSelectable(boolean selectable) {
    }
}
