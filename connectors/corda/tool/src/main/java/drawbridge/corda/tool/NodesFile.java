package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Nodes by the names that the operator gives them, with an RPC user of each. Passwords stand in files of their own. */
record NodesFile(Map<String, Node> nodes) {
    private static final int MAX_BYTES = 65_536;

    /** @param trustStoreFile a JKS file, for RPC over TLS; with {@code trustStorePasswordFile}. */
    record Node(String host, int port, String user, Path passwordFile, Path trustStoreFile, Path trustStorePasswordFile) {
    }

    /** Paths are relative to the file's folder. @throws ToolException CONFIGURATION */
    static NodesFile read(Path file) throws ToolException {
        try {
            if (Files.size(file) > MAX_BYTES) throw new ToolException("CONFIGURATION", "the file is too large");
            NodesFile read = new ObjectMapper().readValue(Files.readAllBytes(file), NodesFile.class);
            return read.resolved(file.toAbsolutePath().getParent());
        } catch (IOException cause) {
            throw new ToolException("CONFIGURATION", "the file of nodes cannot be read: " + cause.getMessage(), cause);
        }
    }

    /** @throws ToolException NODE_UNKNOWN */
    Node named(String name) throws ToolException {
        Node node = nodes.get(name);
        if (node == null) throw new ToolException("NODE_UNKNOWN", "the file names no node " + name);
        return node;
    }

    /** The secret in a file, without the line break that may end it. @throws ToolException CONFIGURATION */
    static String secret(Path file) throws ToolException {
        try {
            return Files.readString(file).stripTrailing();
        } catch (IOException cause) {
            throw new ToolException("CONFIGURATION", "a file with a password cannot be read", cause);
        }
    }

    private NodesFile resolved(Path base) throws ToolException {
        if (nodes == null || nodes.isEmpty()) throw new ToolException("CONFIGURATION", "nodes are missing");
        Map<String, Node> resolved = new HashMap<>();
        for (Map.Entry<String, Node> entry : nodes.entrySet()) {
            Node node = entry.getValue();
            boolean whole = node.host != null && node.user != null && node.passwordFile != null && node.port > 0
                    && node.port < 65_536 && (node.trustStoreFile == null) == (node.trustStorePasswordFile == null);
            if (!whole) throw new ToolException("CONFIGURATION", "node " + entry.getKey() + " is incomplete");
            resolved.put(entry.getKey(), new Node(node.host, node.port, node.user, base.resolve(node.passwordFile),
                    node.trustStoreFile == null ? null : base.resolve(node.trustStoreFile),
                    node.trustStorePasswordFile == null ? null : base.resolve(node.trustStorePasswordFile)));
        }
        return new NodesFile(Map.copyOf(resolved));
    }
}
