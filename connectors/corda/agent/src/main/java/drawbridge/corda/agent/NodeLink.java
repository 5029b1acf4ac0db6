package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import net.corda.client.rpc.CordaRPCClient;
import net.corda.client.rpc.CordaRPCClientConfiguration;
import net.corda.client.rpc.CordaRPCConnection;
import net.corda.core.messaging.ClientRpcSslOptions;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.utilities.NetworkHostAndPort;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** The one connection with the node: made, watched, and made again. Calls while there is none fail at once. */
final class NodeLink implements NodeCalls {
    private static final long CALL_SECONDS = 30;
    private static final long WATCH_MS = 5_000;

    private final Settings.Node node;
    private final Runnable onUp;
    private final ExecutorService calls = Executors.newCachedThreadPool(Daemons.named("node-call"));
    private final Object changed = new Object();
    private CordaRPCConnection connection;
    private boolean stopping;
    private volatile int platformVersion;

    /** @param onUp told of each new connection; must return at once. */
    NodeLink(Settings.Node node, Runnable onUp) {
        this.node = node;
        this.onUp = onUp;
    }

    boolean isUp() {
        synchronized (changed) {
            return connection != null;
        }
    }

    /** 0 while the node is down. */
    int platformVersion() {
        return isUp() ? platformVersion : 0;
    }

    /** One call, bounded. @throws AgentException NODE_UNAVAILABLE where the node does not answer. */
    @Override
    public <T> T call(Function<CordaRPCOps, T> call) throws AgentException {
        CordaRPCConnection used;
        synchronized (changed) {
            used = connection;
        }
        if (used == null) throw new AgentException(Code.NODE_UNAVAILABLE);
        Future<T> answer = calls.submit(() -> call.apply(used.getProxy()));
        try {
            return answer.get(CALL_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            answer.cancel(true);
            lost(used);
            throw new AgentException(Code.NODE_UNAVAILABLE, late);
        } catch (ExecutionException failed) {
            AgentException known = FlowFailure.of(failed.getCause());
            if (known.code() == Code.NODE_UNAVAILABLE) lost(used);
            throw known;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new AgentException(Code.NODE_UNAVAILABLE, stopped);
        }
    }

    /** Returns when stopped. */
    void run() throws InterruptedException {
        Backoff backoff = Backoff.FRESH;
        while (!isStopping()) {
            pause(backoff.delayMs(ThreadLocalRandom.current().nextDouble()));
            if (isStopping()) return;
            long from = System.nanoTime();
            try {
                connect();
                Log.line("node-up", "");
                watch();
                backoff = backoff.ended(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - from));
            } catch (InterruptedException stopped) {
                throw stopped;
            } catch (Exception failed) {
                // Corda's client is written in Kotlin, and throws exceptions that Java would have it declare.
                Log.error("node-unreachable", failed);
                backoff = backoff.failed();
            }
            drop();
        }
    }

    void stop() {
        synchronized (changed) {
            stopping = true;
            changed.notifyAll();
        }
    }

    private void connect() throws IOException {
        CordaRPCConnection made = client().start(node.user(), Settings.secret(node.passwordFile()));
        try {
            platformVersion = made.getProxy().nodeInfo().getPlatformVersion();
        } catch (Throwable failed) {
            made.forceClose();
            throw failed;
        }
        synchronized (changed) {
            connection = made;
        }
        onUp.run();
    }

    private CordaRPCClient client() throws IOException {
        CordaRPCClientConfiguration plain = CordaRPCClientConfiguration.DEFAULT;
        // One attempt: what was lost is noticed here and connected anew here.
        CordaRPCClientConfiguration once = plain.copy(plain.getConnectionMaxRetryInterval(), plain.getMinimumServerProtocolVersion(),
                false, plain.getReapInterval(), 1, plain.getCacheConcurrencyLevel(), Duration.ofSeconds(1), 1.0, 1,
                plain.getMaxFileSize());
        NetworkHostAndPort address = new NetworkHostAndPort(node.host(), node.port());
        if (node.trustStoreFile() == null) return new CordaRPCClient(address, once);
        String password = Settings.secret(node.trustStorePasswordFile());
        return new CordaRPCClient(address, once, new ClientRpcSslOptions(node.trustStoreFile(), password, "JKS"), null,
                java.util.Collections.emptySet());
    }

    /** Until the connection is lost or the agent stops. */
    private void watch() throws InterruptedException {
        while (isUp() && !isStopping()) {
            try {
                call(CordaRPCOps::currentNodeTime);
            } catch (AgentException gone) {
                return;
            }
            synchronized (changed) {
                if (connection != null && !stopping) changed.wait(WATCH_MS);
            }
        }
    }

    void lost(CordaRPCConnection used) {
        synchronized (changed) {
            if (connection != used) return;
            connection = null;
            changed.notifyAll();
        }
        calls.execute(used::forceClose);
        Log.line("node-lost", "");
    }

    private void drop() {
        CordaRPCConnection used;
        synchronized (changed) {
            used = connection;
            connection = null;
        }
        if (used != null) used.forceClose();
    }

    private boolean isStopping() {
        synchronized (changed) {
            return stopping;
        }
    }

    private void pause(long ms) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        synchronized (changed) {
            for (long left = ms; left > 0 && !stopping; left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime())) {
                changed.wait(left);
            }
        }
    }
}
