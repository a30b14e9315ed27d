package android.content.res;

import java.io.IOException;
import java.io.InputStream;

/** The declarations of Android's class that the sample uses. */
public abstract class AssetManager {
    /** Returns the names in a folder. */
    public abstract String[] list(String path) throws IOException;

    /** Opens a file. */
    public abstract InputStream open(String name) throws IOException;
}
