package drawbridge.corda.agent;

import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

public class SettingsTest {
    private static final String GOOD = """
            {"network": "corda", "stateDir": "state", "vaults": ["0x%s"],
             "node": {"host": "127.0.0.1", "port": 10006, "user": "agent", "passwordFile": "node.secret"},
             "broker": {"host": "mq.example", "port": 5671, "user": "agent", "passwordFile": "/run/mq.secret",
                        "certificateFile": "mq.pem"},
             "sealingKeyFile": "agent.pem", "connectorKeyFile": "connector.pem"}""".formatted("ab".repeat(32));

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private Settings read(String text) throws IOException {
        Path file = folder.getRoot().toPath().resolve("agent.json");
        Files.writeString(file, text);
        return Settings.read(file);
    }

    @Test
    public void pathsAreRelativeToTheFileAndWhatIsLeftOutHasItsDefault() throws IOException {
        Settings settings = read(GOOD);
        Path base = folder.getRoot().toPath().toAbsolutePath();
        assertEquals(base.resolve("state"), settings.stateDir());
        assertEquals(Path.of("/run/mq.secret"), settings.broker().passwordFile());
        assertEquals("/", settings.broker().virtualHost());
        assertEquals(32, (int) settings.prefetch());
        assertEquals(1_000, (int) settings.pollMs());
        assertEquals(10_000, (int) settings.quietPollMs());
        assertEquals(10, (int) settings.newsGapMs());
        assertEquals(60, (int) settings.newsAgainSeconds());
        assertEquals(10, (int) settings.flowTimeoutSeconds());
    }

    @Test
    public void whatIsWrongIsNamed() {
        String[][] cases = {{"\"corda\"", "\"Corda\"", "network"}, {"10006", "0", "node"}, {"\"0xab", "\"ab", "vaults"},
            {"\"passwordFile\": \"node.secret\"", "\"trustStoreFile\": \"x\"", "node.trustStorePasswordFile"},
            {"\"certificateFile\": \"mq.pem\"", "\"virtualHost\": \"/\"", "broker.certificateFile"},
            {"\"sealingKeyFile\": \"agent.pem\"", "\"prefetch\": 65, \"sealingKeyFile\": \"agent.pem\"", "prefetch"},
            {"\"sealingKeyFile\": \"agent.pem\"", "\"quietPollMs\": 60001, \"sealingKeyFile\": \"agent.pem\"", "quietPollMs"},
            {"\"sealingKeyFile\": \"agent.pem\"", "\"newsGapMs\": 0, \"sealingKeyFile\": \"agent.pem\"", "newsGapMs"},
            {"\"sealingKeyFile\": \"agent.pem\"", "\"newsAgainSeconds\": 0, \"sealingKeyFile\": \"agent.pem\"", "newsAgainSeconds"}};
        for (String[] each : cases) {
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                    () -> read(GOOD.replace(each[0], each[1])));
            assertTrue(refused.getMessage(), refused.getMessage().contains(each[2] + " "));
        }
    }

    @Test
    public void operationsAreOffUnlessTheyAreNamedAndLeavePlaceForPayments() throws IOException {
        assertNull(read(GOOD).operations());
        assertEquals(4, (int) read(withOperations("{}")).operations().atOnce());
        for (String section : new String[] {"{\"atOnce\": 4}, \"prefetch\": 4", "{\"atOnce\": 0}", "{\"flows\": [\"x\"]}"}) {
            assertThrows(section, IllegalArgumentException.class, () -> read(withOperations(section)));
        }
        assertThrows(IOException.class, () -> read(withOperations("{\"everything\": true}")));
    }

    private static String withOperations(String section) {
        return GOOD.replace("\"connectorKeyFile\"", "\"operations\": " + section + ", \"connectorKeyFile\"");
    }

    @Test
    public void aSecretInTheConfigurationItselfIsNoField() {
        assertThrows(IOException.class, () -> read(GOOD.replace("\"passwordFile\": \"node.secret\"", "\"password\": \"x\"")));
    }

    @Test
    public void aSecretEndsBeforeTheLineBreak() throws IOException {
        Path file = folder.getRoot().toPath().resolve("secret");
        Files.writeString(file, "two words\n");
        assertEquals("two words", Settings.secret(file));
    }
}
