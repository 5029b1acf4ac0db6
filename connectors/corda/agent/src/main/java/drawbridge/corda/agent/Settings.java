package drawbridge.corda.agent;

import com.fasterxml.jackson.databind.ObjectMapper;
import drawbridge.corda.agent.operations.OperationsSettings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The agent's configuration, one JSON file. Secrets stand in files of their own. Paths are relative to the configuration's
 * folder.
 *
 * @param vaults         ids in hex of the vaults that are served, 1 to 64.
 * @param sealingKeyFile RSA, PKCS#8 PEM: commands are sealed to it.
 * @param connectorKeyFile RSA, SPKI PEM: what the agent says is sealed to it.
 * @param pollMs         between two looks at all of the node's records; {@code quietPollMs} while the node's news are open.
 * @param newsGapMs      between two looks at what the news named.
 * @param newsAgainSeconds before news that were refused or ended are asked for again.
 * @param operations     for Cactus; null when there are none.
 */
record Settings(String network, Path stateDir, List<String> vaults, Node node, Broker broker, Path sealingKeyFile,
                Path connectorKeyFile, Integer prefetch, Integer pollMs, Integer quietPollMs, Integer newsGapMs,
                Integer newsAgainSeconds, Integer healthSeconds, Integer flowTimeoutSeconds, OperationsSettings operations) {
    private static final int MAX_BYTES = 65_536;

    /** @param trustStoreFile a JKS file, for RPC over TLS; with {@code trustStorePasswordFile}. */
    record Node(String host, int port, String user, Path passwordFile, Path trustStoreFile, Path trustStorePasswordFile) {
    }

    /** @param certificateFile PEM of the broker's own certificate or of its authority: no other is believed. */
    record Broker(String host, int port, String virtualHost, String user, Path passwordFile, Path certificateFile) {
    }

    /** @throws IOException for a file that cannot be read. @throws IllegalArgumentException that names what is wrong. */
    static Settings read(Path file) throws IOException {
        if (Files.size(file) > MAX_BYTES) throw new IllegalArgumentException("the configuration is too large");
        Settings settings = new ObjectMapper().readValue(Files.readAllBytes(file), Settings.class);
        return settings.checked(file.toAbsolutePath().getParent());
    }

    private Settings checked(Path base) {
        demand(network != null && network.matches("[a-z][a-z0-9-]{0,47}"), "network");
        demand(vaults != null && !vaults.isEmpty() && vaults.size() <= 64, "vaults");
        for (String vault : vaults) demand(vault != null && vault.matches("0x[0-9a-f]{64}"), "vaults");
        demand(node != null && node.host != null && node.user != null && isPort(node.port), "node");
        demand((node.trustStoreFile == null) == (node.trustStorePasswordFile == null), "node.trustStorePasswordFile");
        demand(broker != null && broker.host != null && broker.user != null && isPort(broker.port), "broker");
        Node resolvedNode = new Node(node.host, node.port, node.user, at(base, node.passwordFile, "node.passwordFile"),
                node.trustStoreFile == null ? null : base.resolve(node.trustStoreFile),
                node.trustStorePasswordFile == null ? null : base.resolve(node.trustStorePasswordFile));
        Broker resolvedBroker = new Broker(broker.host, broker.port, broker.virtualHost == null ? "/" : broker.virtualHost,
                broker.user, at(base, broker.passwordFile, "broker.passwordFile"),
                at(base, broker.certificateFile, "broker.certificateFile"));
        return new Settings(network, at(base, stateDir, "stateDir"), List.copyOf(vaults), resolvedNode, resolvedBroker,
                at(base, sealingKeyFile, "sealingKeyFile"), at(base, connectorKeyFile, "connectorKeyFile"),
                within(prefetch, 32, 1, 64, "prefetch"), within(pollMs, 1_000, 100, 60_000, "pollMs"),
                within(quietPollMs, 10_000, 100, 60_000, "quietPollMs"), within(newsGapMs, 10, 1, 10_000, "newsGapMs"),
                within(newsAgainSeconds, 60, 1, 3_600, "newsAgainSeconds"), within(healthSeconds, 15, 1, 30, "healthSeconds"),
                within(flowTimeoutSeconds, 10, 1, 900, "flowTimeoutSeconds"), operationsChecked());
    }

    private OperationsSettings operationsChecked() {
        if (operations == null) return null;
        OperationsSettings checked = operations.checked();
        // Payments always have a place.
        demand(checked.atOnce() < within(prefetch, 32, 1, 64, "prefetch"), "operations.atOnce");
        return checked;
    }

    /** The secret in a file, without the line break that may end it. */
    static String secret(Path file) throws IOException {
        return Files.readString(file).stripTrailing();
    }

    private static Path at(Path base, Path path, String field) {
        demand(path != null, field);
        return base.resolve(path);
    }

    private static int within(Integer value, int otherwise, int min, int max, String field) {
        int chosen = value == null ? otherwise : value;
        demand(chosen >= min && chosen <= max, field);
        return chosen;
    }

    private static boolean isPort(int port) {
        return port > 0 && port < 65_536;
    }

    private static void demand(boolean ok, String field) {
        if (!ok) throw new IllegalArgumentException("configuration: " + field + " is missing or out of its bounds");
    }
}
