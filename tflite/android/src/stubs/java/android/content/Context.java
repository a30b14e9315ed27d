package android.content;

import android.content.res.AssetManager;
import java.io.File;

/** The declarations of Android's class that the sample uses. */
public abstract class Context {
    /** Returns the app's folder. */
    public abstract File getFilesDir();

    /** Returns the app's assets. */
    public abstract AssetManager getAssets();

    /** Returns a text. */
    public abstract String getString(int id, Object... values);
}
