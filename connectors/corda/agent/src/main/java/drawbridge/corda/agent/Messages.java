package drawbridge.corda.agent;

import com.rabbitmq.client.AMQP;

import java.util.HexFormat;

/** Properties of what the agent publishes. */
final class Messages {
    private static final int LASTING = 2;
    private static final int PASSING = 1;

    private Messages() {
    }

    static String newId() {
        return HexFormat.of().formatHex(SealedBodies.random(16));
    }

    /** @param correlationId of the command that is answered, or null. */
    static AMQP.BasicProperties lasting(String id, String correlationId) {
        return properties(id, correlationId, LASTING);
    }

    static AMQP.BasicProperties passing(String id) {
        return properties(id, null, PASSING);
    }

    private static AMQP.BasicProperties properties(String id, String correlationId, int mode) {
        return new AMQP.BasicProperties.Builder().messageId(id).correlationId(correlationId)
                .contentType("application/cbor").deliveryMode(mode).build();
    }
}
