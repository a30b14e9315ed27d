package android.widget;

import android.content.Context;

/** The declarations of Android's class that the sample uses. */
public class Button extends TextView {
    /** Makes a button. */
    public Button(Context context) {
        super(context);
    }
}
