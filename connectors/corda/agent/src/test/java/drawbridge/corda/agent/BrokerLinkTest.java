package drawbridge.corda.agent;

import drawbridge.corda.agent.BrokerDouble.Answer;
import org.junit.Test;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

/** What counts as handed over to the broker. */
public class BrokerLinkTest {
    private final BrokerDouble broker = new BrokerDouble();

    static Settings settings() {
        return new Settings("corda", Path.of("state"), List.of("0x" + "07".repeat(32)), null, null, null, null, 2, 1_000,
                60_000, 1, 60, 15, 1, null);
    }

    private boolean published(BrokerLink.Session session, Answer answer) {
        broker.answers.set(0, answer);
        return session.publish("event", Messages.lasting(Messages.newId(), null), new byte[]{1});
    }

    private BrokerLink.Session session() throws IOException {
        return new BrokerLink(settings(), (session, delivery) -> { }).new Session(broker.connection());
    }

    @Test
    public void onlyWhatWasConfirmedAndNotReturnedIsHandedOver() throws IOException {
        BrokerLink.Session session = session();
        assertTrue(published(session, Answer.CONFIRMED));
        assertFalse(published(session, Answer.REFUSED));
        assertFalse(published(session, Answer.RETURNED));
        assertTrue("a return counts against its own message alone", published(session, Answer.CONFIRMED));
        assertTrue(session.isOpen());
        assertFalse(broker.done.contains("abort"));
    }

    @Test
    public void silenceAndBreakageEndTheConnection() throws IOException {
        for (Answer answer : new Answer[]{Answer.SILENT, Answer.BROKEN}) {
            broker.open = true;
            broker.done.clear();
            BrokerLink.Session session = session();
            assertFalse(published(session, answer));
            assertEquals(List.of("publish event", "abort"), broker.done);
            assertFalse(session.isOpen());
        }
    }
}
