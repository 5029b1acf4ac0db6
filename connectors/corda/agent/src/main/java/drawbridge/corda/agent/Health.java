package drawbridge.corda.agent;

import java.security.GeneralSecurityException;

/** Tells the connector how the agent is: at intervals, and when the node comes or goes. */
final class Health {
    private final String network;
    private final SealedBodies bodies;
    private final NodeLink node;
    private final BrokerLink broker;
    private final Follower follower;
    private final CommandConsumer consumer;
    private final byte[] instance = SealedBodies.random(16);
    private final long sinceMs = System.currentTimeMillis();
    private volatile int everySeconds = 15;
    private long sequence;
    private int ticks;
    private boolean wasUp;

    Health(String network, SealedBodies bodies, NodeLink node, BrokerLink broker, Follower follower, CommandConsumer consumer) {
        this.network = network;
        this.bodies = bodies;
        this.node = node;
        this.broker = broker;
        this.follower = follower;
        this.consumer = consumer;
    }

    void every(int seconds) {
        everySeconds = seconds;
    }

    /** Once a second. */
    void tick() {
        boolean up = node.isUp();
        boolean due = ticks++ % everySeconds == 0 || up != wasUp;
        BrokerLink.Session session = broker.session();
        if (!due || session == null) return;
        wasUp = up;
        try {
            Bodies.HealthFacts facts = new Bodies.HealthFacts(sinceMs, up, follower.cursorMs(), consumer.inFlight(),
                    node.platformVersion(), consumer.lastError());
            String id = Messages.newId();
            byte[] body = Bodies.health(instance, sequence++, facts);
            session.publish("health", Messages.passing(id),
                    bodies.seal(body, new Envelope.Context(Envelope.Context.HEALTH, network, id)));
        } catch (GeneralSecurityException | RuntimeException failed) {
            Log.error("health-failed", failed);
        }
    }
}
