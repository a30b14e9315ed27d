package android.app;

import android.content.Context;
import android.content.res.AssetManager;
import android.os.Bundle;
import android.view.View;
import java.io.File;

/** The declarations of Android's class that the sample uses. */
public class Activity extends Context {
    /** Is called when the activity begins. */
    protected void onCreate(Bundle state) {
    }

    /** Is called when it ends. */
    protected void onDestroy() {
    }

    /** Shows a view. */
    public void setContentView(View view) {
    }

    /** Runs something on the thread that draws. */
    public final void runOnUiThread(Runnable action) {
    }

    @Override
    public File getFilesDir() {
        return null;
    }

    @Override
    public AssetManager getAssets() {
        return null;
    }

    @Override
    public String getString(int id, Object... values) {
        return "";
    }
}
