package drawbridge.corda.tool;

import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

public class NodesTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    /** Corda's client gives the attempt up after half a minute, by an exception that it does not declare. */
    @Test
    public void whatAnswersAndIsNoNodeIsUnavailable() throws Exception {
        Files.writeString(folder.newFile("node.secret").toPath(), "any");
        Path file = folder.newFile("nodes.json").toPath();
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread hanging = new Thread(() -> hangUp(server));
            hanging.setDaemon(true);
            hanging.start();
            Files.writeString(file, "{\"nodes\":{\"bank\":{\"host\":\"127.0.0.1\",\"port\":" + server.getLocalPort()
                    + ",\"user\":\"any\",\"passwordFile\":\"node.secret\"}}}");
            try (Nodes nodes = new Nodes(NodesFile.read(file))) {
                ToolException refused = assertThrows(ToolException.class, () -> nodes.with("bank", node -> node));
                assertEquals("NODE_UNAVAILABLE", refused.code());
            }
        }
    }

    private static void hangUp(ServerSocket server) {
        try {
            while (true) {
                try (Socket client = server.accept()) {
                    client.getInputStream().read();
                }
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }
}
