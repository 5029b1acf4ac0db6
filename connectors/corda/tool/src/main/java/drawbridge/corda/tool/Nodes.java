package drawbridge.corda.tool;

import net.corda.client.rpc.CordaRPCClient;
import net.corda.client.rpc.CordaRPCClientConfiguration;
import net.corda.client.rpc.CordaRPCConnection;
import net.corda.client.rpc.RPCException;
import net.corda.core.messaging.ClientRpcSslOptions;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.utilities.NetworkHostAndPort;

import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/** Connections with the nodes of a file: made at first use, and anew after one was lost. Safe for many threads. */
final class Nodes implements AutoCloseable {
    private final NodesFile file;
    private final Map<String, CordaRPCConnection> connections = new HashMap<>();

    Nodes(NodesFile file) {
        this.file = file;
    }

    /** What a command does with a node. */
    interface Work<T> {
        T with(CordaRPCOps node) throws ToolException;
    }

    /** @throws ToolException NODE_UNKNOWN, NODE_UNAVAILABLE, CONFIGURATION, or what the work throws. */
    <T> T with(String name, Work<T> work) throws ToolException {
        CordaRPCConnection used = connection(name);
        try {
            return work.with(used.getProxy());
        } catch (RPCException lost) {
            drop(name, used);
            throw new ToolException("NODE_UNAVAILABLE", "the node does not answer", lost);
        }
    }

    @Override
    public synchronized void close() {
        connections.values().forEach(CordaRPCConnection::forceClose);
        connections.clear();
    }

    private synchronized CordaRPCConnection connection(String name) throws ToolException {
        CordaRPCConnection known = connections.get(name);
        if (known != null) return known;
        NodesFile.Node node = file.named(name);
        try {
            CordaRPCConnection made = client(node).start(node.user(), NodesFile.secret(node.passwordFile()));
            connections.put(name, made);
            return made;
        } catch (ToolException wrong) {
            throw wrong;
        } catch (Exception cause) {
            // Corda's client is written in Kotlin, and throws exceptions that Java would have it declare.
            throw new ToolException("NODE_UNAVAILABLE", "no connection with the node: " + cause.getMessage(), cause);
        }
    }

    private synchronized void drop(String name, CordaRPCConnection lost) {
        if (connections.remove(name, lost)) lost.forceClose();
    }

    private static CordaRPCClient client(NodesFile.Node node) throws ToolException {
        CordaRPCClientConfiguration plain = CordaRPCClientConfiguration.DEFAULT;
        // One attempt: who lost the node is told so, and may ask again.
        CordaRPCClientConfiguration once = plain.copy(plain.getConnectionMaxRetryInterval(),
                plain.getMinimumServerProtocolVersion(), false, plain.getReapInterval(), 1, plain.getCacheConcurrencyLevel(),
                Duration.ofSeconds(1), 1.0, 1, plain.getMaxFileSize());
        NetworkHostAndPort address = new NetworkHostAndPort(node.host(), node.port());
        if (node.trustStoreFile() == null) return new CordaRPCClient(address, once);
        String password = NodesFile.secret(node.trustStorePasswordFile());
        return new CordaRPCClient(address, once, new ClientRpcSslOptions(node.trustStoreFile(), password, "JKS"), null,
                Collections.emptySet());
    }
}
