package tradeexecutor;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Up to where a strategy's outcomes have been handled: what to keep on disk. */
public final class Position {
    private static final Gson JSON = new Gson();

    /** The worker's database; null before anything was heard of it. */
    public final String stream;
    /** The last {@code strategy_seq}; 0 for none. */
    public final long counter;

    public Position(String stream, long counter) {
        this.stream = stream;
        this.counter = counter;
    }

    /** The beginning, where there is no such file. */
    public static Position load(Path file) throws IOException {
        if (Files.notExists(file)) {
            return new Position(null, 0);
        }
        return JSON.fromJson(Files.readString(file), Position.class);
    }

    /** Replaces the file in one step, so that a crash leaves the old or the new one. */
    public void save(Path file) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                temporary,
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer text = ByteBuffer.wrap(JSON.toJson(this).getBytes(StandardCharsets.UTF_8));
            while (text.hasRemaining()) {
                channel.write(text);
            }
            channel.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
