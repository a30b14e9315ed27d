package android.widget;

import android.content.Context;
import android.view.View;

/** The declarations of Android's class that the sample uses. */
public class LinearLayout extends View {
    /** One below the other. */
    public static final int VERTICAL = 1;

    /** Makes a layout. */
    public LinearLayout(Context context) {
    }

    /** Sets the direction. */
    public void setOrientation(int orientation) {
    }

    /** Adds a view. */
    public void addView(View view) {
    }
}
