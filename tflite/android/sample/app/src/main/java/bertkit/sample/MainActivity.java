package bertkit.sample;

import android.app.Activity;
import android.os.Bundle;
import android.widget.Button;
import android.widget.EditText;
import android.widget.LinearLayout;
import android.widget.TextView;
import bertkit.BertkitException;
import bertkit.Model;
import bertkit.android.InterpreterRunner;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** One field and one button: the answer of the model in assets/phone, and the milliseconds that it took. */
public final class MainActivity extends Activity {
    private static final String FOLDER = "phone";
    private final ExecutorService worker = Executors.newSingleThreadExecutor();
    private TextView shown;
    private Model model;            // read and written by the worker alone

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        EditText field = new EditText(this);
        field.setHint(R.string.hint);
        Button button = new Button(this);
        button.setText(R.string.ask);
        shown = new TextView(this);
        shown.setTextIsSelectable(true);
        LinearLayout column = new LinearLayout(this);
        column.setOrientation(LinearLayout.VERTICAL);
        column.setFitsSystemWindows(true);
        column.addView(field);
        column.addView(button);
        column.addView(shown);
        setContentView(column);
        button.setOnClickListener(view -> ask(field.getText().toString()));
    }

    /** Answers in the background: loading and computing take longer than a frame. */
    private void ask(String text) {
        worker.execute(() -> {
            String answer = answered(text);
            runOnUiThread(() -> shown.setText(answer));
        });
    }

    private String answered(String text) {
        try {
            if (model == null) {
                model = Model.load(copied(), InterpreterRunner::new);
            }
            long begin = System.nanoTime();
            String answer = model.predict(model.input(text.replace('\n', ' '))).toString();
            return getString(R.string.took, answer, (System.nanoTime() - begin) / 1_000_000);
        } catch (BertkitException | IOException error) {
            return error.getMessage();
        }
    }

    /** Copies the folder out of the assets, because LiteRT maps a file into memory. */
    private File copied() throws IOException {
        File folder = new File(getFilesDir(), FOLDER);
        if (!folder.isDirectory() && !folder.mkdirs()) {
            throw new IOException(folder + " cannot be made.");
        }
        for (String name : getAssets().list(FOLDER)) {
            try (InputStream in = getAssets().open(FOLDER + "/" + name);
                 OutputStream out = new FileOutputStream(new File(folder, name))) {
                byte[] part = new byte[1 << 16];
                for (int count = in.read(part); count >= 0; count = in.read(part)) {
                    out.write(part, 0, count);
                }
            }
        }
        return folder;
    }

    @Override
    protected void onDestroy() {
        worker.execute(() -> {
            if (model != null) {
                model.close();
            }
        });
        worker.shutdown();
        super.onDestroy();
    }
}
