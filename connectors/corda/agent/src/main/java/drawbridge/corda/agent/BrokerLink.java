package drawbridge.corda.agent;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.ShutdownSignalException;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The one connection with the broker: made, watched, and made again. What arrives on it goes to the commands' consumer. */
final class BrokerLink {
    private static final int CONFIRM_MS = 10_000;

    /** Takes a delivery, on the connection's thread; must return at once. */
    interface Consumer {
        void take(Session session, Delivery delivery);
    }

    private final Settings settings;
    private final Consumer consumer;
    private final Object changed = new Object();
    private Session session;
    private boolean stopping;

    BrokerLink(Settings settings, Consumer consumer) {
        this.settings = settings;
        this.consumer = consumer;
    }

    /** One life of the connection: a channel to consume on and one to publish on. */
    final class Session implements Publishing {
        private final Connection connection;
        private final Channel commands;
        private final Channel publishing;
        private boolean returned;

        Session(Connection connection) throws IOException {
            this.connection = connection;
            this.commands = connection.createChannel();
            this.publishing = connection.createChannel();
            publishing.confirmSelect();
            publishing.addReturnListener(unroutable -> returned = true);
        }

        boolean isOpen() {
            return commands.isOpen() && publishing.isOpen();
        }

        @Override
        public boolean publish(String routingKey, AMQP.BasicProperties properties, byte[] body) {
            synchronized (publishing) {
                try {
                    returned = false;
                    publishing.basicPublish(exchange(), routingKey, true, properties, body);
                    return publishing.waitForConfirms(CONFIRM_MS) && !returned;
                } catch (TimeoutException | IOException | ShutdownSignalException failed) {
                    // What became of it is unknown: another connection tells.
                    connection.abort();
                    return false;
                } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                    return false;
                }
            }
        }

        void acknowledge(Delivery delivery) {
            settle(() -> commands.basicAck(delivery.getEnvelope().getDeliveryTag(), false));
        }

        /** To the dead letters. */
        void reject(Delivery delivery) {
            settle(() -> commands.basicReject(delivery.getEnvelope().getDeliveryTag(), false));
        }

        private void settle(Settlement settlement) {
            synchronized (commands) {
                try {
                    settlement.run();
                } catch (IOException | ShutdownSignalException gone) {
                    // The broker delivers it again.
                    Log.line("delivery-unsettled", "");
                }
            }
        }

        private void consume() throws IOException {
            commands.basicQos(settings.prefetch());
            commands.basicConsume(prefix() + "commands", false, (tag, delivery) -> consumer.take(this, delivery),
                    cancelled -> connection.abort());
        }
    }

    private interface Settlement {
        void run() throws IOException;
    }

    /** Null while there is none. */
    Session session() {
        synchronized (changed) {
            return session;
        }
    }

    /** Returns when stopped, the connection closed. */
    void run() throws InterruptedException {
        Backoff backoff = Backoff.FRESH;
        while (!isStopping()) {
            pause(backoff.delayMs(ThreadLocalRandom.current().nextDouble()));
            if (isStopping()) return;
            long from = System.nanoTime();
            Connection connection = null;
            try {
                connection = BrokerTls.connect(settings.broker());
                connection.addShutdownListener(ended -> wake());
                Session made = new Session(connection);
                set(made);
                made.consume();
                Log.line("broker-up", "");
                awaitEnd(made);
                Log.line("broker-lost", "");
                backoff = backoff.ended(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - from));
            } catch (IOException | GeneralSecurityException | TimeoutException | ShutdownSignalException failed) {
                Log.error("broker-unreachable", failed);
                backoff = backoff.failed();
            }
            set(null);
            if (connection != null) connection.abort(CONFIRM_MS);
        }
    }

    void stop() {
        synchronized (changed) {
            stopping = true;
            changed.notifyAll();
        }
    }

    private String prefix() {
        return "drawbridge.corda." + settings.network() + ".";
    }

    private String exchange() {
        return prefix() + "to-connector";
    }

    private void set(Session now) {
        synchronized (changed) {
            session = now;
            changed.notifyAll();
        }
    }

    private void wake() {
        synchronized (changed) {
            changed.notifyAll();
        }
    }

    private void awaitEnd(Session made) throws InterruptedException {
        synchronized (changed) {
            while (made.isOpen() && !stopping) changed.wait(1_000);
        }
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
