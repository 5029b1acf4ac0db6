package drawbridge.corda.agent;

import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

public class NodeLinkTest {
    /** Corda's client gives up an attempt after some seconds. */
    private static final int PATIENCE_SECONDS = 90;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void goesOnTryingWhereWhatAnswersIsNoNode() throws Exception {
        Path password = folder.newFile("node.secret").toPath();
        Files.writeString(password, "any");
        Semaphore taken = new Semaphore(0);
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Daemons.named("no-node").newThread(() -> hangUp(server, taken)).start();
            NodeLink link = new NodeLink(new Settings.Node("127.0.0.1", server.getLocalPort(), "agent", password, null, null), () -> {
            });
            Thread running = Daemons.named("node-link").newThread(() -> {
                try {
                    link.run();
                } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                }
            });
            running.start();
            for (int attempt = 1; attempt <= 2; attempt++) {
                assertTrue("attempt " + attempt, taken.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS));
                // One attempt may connect more than once.
                while (taken.tryAcquire(500, TimeUnit.MILLISECONDS)) continue;
            }
            assertTrue(running.isAlive());
            assertFalse(link.isUp());
            link.stop();
            running.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
            assertFalse(running.isAlive());
        }
    }

    private static void hangUp(ServerSocket server, Semaphore taken) {
        try {
            while (true) {
                try (Socket client = server.accept()) {
                    client.getInputStream().read();
                    taken.release();
                }
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }
}
