package drawbridge.corda.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** The cursor's time on disk, in milliseconds; replaced as a whole. One agent has it. */
final class CursorFile {
    private final Path file;

    CursorFile(Path stateDir) throws IOException {
        Files.createDirectories(stateDir);
        this.file = stateDir.resolve("cursor");
    }

    /** 0 when there is none. @throws IOException also for a file that is something else. */
    long read() throws IOException {
        try {
            String text = Files.readString(file).strip();
            if (text.matches("[0-9]{1,15}")) return Long.parseLong(text);
        } catch (NoSuchFileException first) {
            return 0;
        }
        throw new IOException("the cursor's file holds no time");
    }

    synchronized void write(long ms) throws IOException {
        Path next = file.resolveSibling("cursor.next");
        try (FileChannel channel = FileChannel.open(next, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap((ms + "\n").getBytes(StandardCharsets.US_ASCII)));
            channel.force(true);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
