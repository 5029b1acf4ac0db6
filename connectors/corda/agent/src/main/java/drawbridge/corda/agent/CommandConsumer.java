package drawbridge.corda.agent;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Delivery;

import java.security.GeneralSecurityException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Opens commands, has them done, and answers. A command is acknowledged after its reply was confirmed. */
final class CommandConsumer implements BrokerLink.Consumer {
    private static final String MESSAGE_ID = "[0-9a-f]{32}";

    private final String network;
    private final SealedBodies bodies;
    private final CommandHandler handler;
    private final ExecutorService workers;
    private final AtomicInteger inFlight = new AtomicInteger();
    private volatile String lastError = "";

    CommandConsumer(Settings settings, SealedBodies bodies, CommandHandler handler) {
        this.network = settings.network();
        this.bodies = bodies;
        this.handler = handler;
        this.workers = Executors.newFixedThreadPool(settings.prefetch(), Daemons.named("command"));
    }

    int inFlight() {
        return inFlight.get();
    }

    /** The last command's error, or empty. */
    String lastError() {
        return lastError;
    }

    @Override
    public void take(BrokerLink.Session session, Delivery delivery) {
        if (delivery.getBody().length > Envelope.MAX_BYTES) {
            Log.line("command-rejected", "TOO_LARGE");
            session.reject(delivery);
            return;
        }
        try {
            workers.execute(() -> work(session, delivery));
        } catch (RejectedExecutionException stopping) {
            // Not acknowledged: the broker gives it to whoever comes next.
            Log.line("command-left", "");
        }
    }

    /** What was begun is ended, within the bound; what comes now is left to the broker. */
    void stop(long seconds) throws InterruptedException {
        workers.shutdown();
        if (!workers.awaitTermination(seconds, TimeUnit.SECONDS)) workers.shutdownNow();
    }

    private void work(BrokerLink.Session session, Delivery delivery) {
        inFlight.incrementAndGet();
        try {
            String id = delivery.getProperties().getMessageId();
            byte[] command = opened(id, delivery.getBody());
            if (command == null) {
                session.reject(delivery);
            } else if (answered(session, id, reply(command))) {
                session.acknowledge(delivery);
            }
        } finally {
            inFlight.decrementAndGet();
        }
    }

    private byte[] opened(String id, byte[] body) {
        if (id == null || !id.matches(MESSAGE_ID)) {
            Log.line("command-rejected", "MESSAGE_ID");
            return null;
        }
        try {
            return bodies.open(body, new Envelope.Context(Envelope.Context.COMMAND, network, id));
        } catch (GeneralSecurityException cannot) {
            Log.error("command-rejected", cannot);
            return null;
        }
    }

    private byte[] reply(byte[] command) {
        try {
            byte[] result = Bodies.result(handler.handle(Bodies.command(command)));
            lastError = "";
            return result;
        } catch (AgentException failure) {
            return failed(failure);
        } catch (RuntimeException fault) {
            Log.error("command-failed", fault);
            return failed(new AgentException(Code.AGENT_FAILED, fault));
        }
    }

    private byte[] failed(AgentException failure) {
        lastError = failure.code().name();
        Log.line("command-refused", failure.code().name());
        return Bodies.error(failure);
    }

    /** False when the session ended before the reply was confirmed: the command comes again. */
    private boolean answered(BrokerLink.Session session, String commandId, byte[] reply) {
        try {
            byte[] sealed = bodies.seal(reply, new Envelope.Context(Envelope.Context.REPLY, network, commandId));
            AMQP.BasicProperties properties = Messages.lasting(Messages.newId(), commandId);
            Backoff backoff = Backoff.FRESH;
            while (session.isOpen()) {
                if (session.publish("reply", properties, sealed)) return true;
                backoff = backoff.failed();
                Thread.sleep(backoff.delayMs(0));
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (GeneralSecurityException | IllegalArgumentException fault) {
            Log.error("reply-not-sealed", fault);
        }
        return false;
    }
}
