package android.app;

import android.content.Context;
import android.os.Bundle;
import android.view.View;

/** The declarations of Android's class that the sample uses. */
public abstract class Activity extends Context {
    /** Is called when the activity begins. */
    protected void onCreate(Bundle state) {
    }

    /** Is called when it ends. */
    protected void onDestroy() {
    }

    /** Shows a view. */
    public abstract void setContentView(View view);

    /** Runs something on the thread that draws. */
    public abstract void runOnUiThread(Runnable action);
}
