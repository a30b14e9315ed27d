package android.widget;

import android.content.Context;

/** The declarations of Android's class that the sample uses. */
public class EditText extends TextView {
    /** Makes a field. */
    public EditText(Context context) {
        super(context);
    }
}
