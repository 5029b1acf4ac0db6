package drawbridge.corda.agent;

import com.fasterxml.jackson.databind.JsonNode;
import drawbridge.corda.agent.BrokerDouble.Answer;
import org.junit.Before;
import org.junit.Test;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.List;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;

/** When commands are acknowledged, and what is rejected. */
public class CommandConsumerTest {
    private static final JsonNode VECTORS = Vectors.agent();
    private static final String ID = "00112233445566778899aabbccddeeff";
    private static final long DRAIN_SECONDS = 30;

    private final BrokerDouble broker = new BrokerDouble();
    private SealedBodies connector;
    private CommandConsumer consumer;
    private BrokerLink.Session session;

    private static SealedBodies bodies(String own, String other) throws GeneralSecurityException {
        return new SealedBodies(PemKeys.privateKey(VECTORS.get(own).get("privateKey").asText()),
                PemKeys.publicKey(VECTORS.get(other).get("publicKey").asText()));
    }

    @Before
    public void start() throws GeneralSecurityException, IOException {
        connector = bodies("connector", "agent");
        Settings settings = BrokerLinkTest.settings();
        NodeDouble node = new NodeDouble();
        ServedVaults vaults = new ServedVaults(settings.vaults());
        CommandHandler handler = new CommandHandler(node, new Flows(node, 1), vaults,
                new Transactions("corda", node, vaults), ms -> { }, null);
        consumer = new CommandConsumer(settings, bodies("agent", "connector"), handler);
        session = new BrokerLink(settings, consumer).new Session(broker.connection());
    }

    private byte[] sealed(String id, Object... body) throws GeneralSecurityException {
        return connector.seal(Cbor.encode(List.of(body)), new Envelope.Context(Envelope.Context.COMMAND, "corda", id));
    }

    private void taken(String id, byte[] body) throws InterruptedException {
        consumer.take(session, BrokerDouble.delivery(7, id, body));
        consumer.stop(DRAIN_SECONDS);
    }

    @Test
    public void acknowledgesAfterTheReplyWasConfirmed() throws GeneralSecurityException, InterruptedException {
        broker.answers.add(0, Answer.REFUSED);
        broker.answers.add(0, Answer.RETURNED);
        taken(ID, sealed(ID, 1, "follow", List.of(5L)));
        assertEquals(List.of("publish reply", "publish reply", "publish reply", "basicAck 7"), broker.done);
    }

    @Test
    public void aCommandWhoseReplyWasLostIsLeftToTheBroker() throws GeneralSecurityException, InterruptedException {
        broker.answers.set(0, Answer.SILENT);
        taken(ID, sealed(ID, 1, "follow", List.of(5L)));
        assertEquals(List.of("publish reply", "abort"), broker.done);
    }

    @Test
    public void whatIsWrongInsideIsAnsweredAndWhatCannotBeOpenedIsDead() throws GeneralSecurityException, InterruptedException {
        taken(ID, sealed(ID, 1, "nonsense", List.of()));
        assertEquals(List.of("publish reply", "basicAck 7"), broker.done);
        assertEquals("COMMAND_INVALID", consumer.lastError());
    }

    @Test
    public void aBodyOfAnotherMessageIsDead() throws GeneralSecurityException, InterruptedException {
        taken("ff112233445566778899aabbccddeeff", sealed(ID, 1, "follow", List.of(5L)));
        assertEquals(List.of("basicReject 7"), broker.done);
    }

    /** Before it waits for a worker: what waits is held in memory. */
    @Test
    public void aBodyPastTheBoundIsDeadAtOnce() {
        consumer.take(session, BrokerDouble.delivery(7, ID, new byte[Envelope.MAX_BYTES + 1]));
        assertEquals(List.of("basicReject 7"), broker.done);
    }

    @Test
    public void aMessageWithoutAnIdIsDead() throws GeneralSecurityException, InterruptedException {
        taken(null, sealed(ID, 1, "follow", List.of(5L)));
        assertEquals(List.of("basicReject 7"), broker.done);
        assertFalse(broker.done.contains("publish reply"));
    }
}
