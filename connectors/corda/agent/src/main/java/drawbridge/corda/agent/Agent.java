package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.Operations;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.LogManager;

/** The program: one argument, the configuration's file. Ends by SIGTERM with 0; with 2 for a configuration that cannot be. */
public final class Agent {
    private static final int DRAIN_SECONDS = 30;

    private final NodeLink node;
    private final BrokerLink broker;
    private final Follower follower;
    private final CommandConsumer consumer;
    private final Health health;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(Daemons.named("health"));
    private final Settings settings;
    private final SealedBodies bodies;
    private final Transactions transactions;
    private final AtomicBoolean warmed = new AtomicBoolean();

    private Agent(Settings settings) throws IOException, GeneralSecurityException {
        this.settings = settings;
        this.bodies = new SealedBodies(PemKeys.privateKey(Files.readString(settings.sealingKeyFile())),
                PemKeys.publicKey(Files.readString(settings.connectorKeyFile())));
        ServedVaults vaults = new ServedVaults(settings.vaults());
        this.node = new NodeLink(settings.node(), this::connected);
        this.transactions = new Transactions(settings.network(), node, vaults);
        this.broker = new BrokerLink(settings, (session, delivery) -> take(session, delivery));
        this.follower = new Follower(settings, bodies, node, () -> node.isUp() ? broker.session() : null,
                transactions::proof, vaults);
        Flows flows = new Flows(node, settings.flowTimeoutSeconds());
        this.consumer = new CommandConsumer(settings, bodies,
                new CommandHandler(node, flows, vaults, transactions, follower, operations(settings)));
        this.health = new Health(settings.network(), bodies, node, broker, follower, consumer);
    }

    public static void main(String[] arguments) throws InterruptedException {
        // Libraries that log would write words of their own.
        LogManager.getLogManager().reset();
        System.setProperty("org.apache.logging.log4j.level", "OFF");
        if (arguments.length != 1) {
            System.err.println("usage: drawbridge-corda-agent CONFIGURATION");
            System.exit(2);
        }
        Agent agent = null;
        try {
            agent = new Agent(Settings.read(Path.of(arguments[0])));
        } catch (IOException | GeneralSecurityException | IllegalArgumentException wrong) {
            Log.error("configuration", wrong);
            System.err.println(wrong instanceof IllegalArgumentException ? wrong.getMessage() : "a file cannot be read or used");
            System.exit(2);
        }
        CountDownLatch ended = new CountDownLatch(1);
        Agent running = agent;
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            running.stop();
            ended.countDown();
            // The JVM would say 143 after SIGTERM: everything is ended, so this is a good end.
            Runtime.getRuntime().halt(0);
        }, "stop"));
        running.start();
        ended.await();
    }

    private Operations operations(Settings settings) {
        return settings.operations() == null ? null : new Operations(settings.operations(), node::call);
    }

    private void start() {
        Log.line("started", "");
        Daemons.named("warm").newThread(() -> warm(bodies::warm)).start();
        spawn("node-link", node::run);
        spawn("broker-link", broker::run);
        spawn("follower", follower::run);
        clock.scheduleAtFixedRate(health::tick, 1, 1, TimeUnit.SECONDS);
        health.every(settings.healthSeconds());
    }

    private interface Warming {
        void run() throws AgentException, GeneralSecurityException;
    }

    private static void warm(Warming warming) {
        try {
            warming.run();
        } catch (AgentException failed) {
            Log.line("not-warm", failed.code().name());
        } catch (GeneralSecurityException | RuntimeException failed) {
            Log.error("not-warm", failed);
        }
    }

    private void stop() {
        clock.shutdownNow();
        follower.stop();
        try {
            consumer.stop(DRAIN_SECONDS);
        } catch (InterruptedException cutShort) {
            Thread.currentThread().interrupt();
        }
        broker.stop();
        node.stop();
        Log.line("stopped", "");
    }

    private void connected() {
        follower.connected();
        if (!warmed.getAndSet(true)) Daemons.named("warm-proofs").newThread(() -> warm(transactions::warm)).start();
    }

    private void take(BrokerLink.Session session, com.rabbitmq.client.Delivery delivery) {
        consumer.take(session, delivery);
    }

    private interface Loop {
        void run() throws InterruptedException;
    }

    /** A loop that ends by a fault ends the agent: whoever runs it starts it again. */
    private static void spawn(String name, Loop loop) {
        Daemons.named(name).newThread(() -> {
            try {
                loop.run();
            } catch (Throwable fault) {
                Log.error("loop-failed", fault);
                Runtime.getRuntime().halt(1);
            }
        }).start();
    }
}
