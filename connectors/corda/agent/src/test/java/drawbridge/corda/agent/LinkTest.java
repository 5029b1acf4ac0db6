package drawbridge.corda.agent;

import net.corda.client.rpc.RPCException;
import net.corda.core.flows.FlowException;
import org.junit.Test;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

/** Pauses between attempts, what failures mean, and names of flows. */
public class LinkTest {
    @Test
    public void pausesDoubleUpToABound() {
        Backoff backoff = Backoff.FRESH;
        assertEquals(0, backoff.delayMs(0));
        long[] expected = {500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000};
        for (long ms : expected) {
            backoff = backoff.failed();
            assertEquals(ms, backoff.delayMs(0));
            assertEquals(ms - ms / 4, backoff.delayMs(1));
        }
        for (int i = 0; i < 100; i++) backoff = backoff.failed();
        assertEquals(10_000, backoff.delayMs(0));
    }

    @Test
    public void aGoodConnectionBeginsAnewAndAShortOneDoesNot() {
        Backoff third = Backoff.FRESH.failed().failed().failed();
        assertEquals(500, third.ended(Backoff.GOOD_MS).delayMs(0));
        assertEquals(4_000, third.ended(Backoff.GOOD_MS - 1).delayMs(0));
    }

    @Test
    public void failuresSayACodeAndNeverWords() {
        assertEquals("REFUSED EXPIRED", said(new FlowException("REFUSED: EXPIRED: of Alice, 1,000 EUR")));
        assertEquals("REFUSED VAULT_UNKNOWN", said(new FlowException("VAULT_UNKNOWN: this node has no vault of that id")));
        assertEquals("REFUSED", said(new FlowException("REFUSED: Alice may not")));
        assertEquals("REFUSED EXPIRED", said(new IllegalStateException(new FlowException("EXPIRED: words"))));
        assertEquals("FLOW_FAILED", said(new FlowException("Alice may not")));
        assertEquals("FLOW_FAILED", said(new FlowException((String) null)));
        assertEquals("NODE_UNAVAILABLE", said(new RPCException("gone")));
        assertEquals("FLOW_FAILED", said(new IllegalStateException("EXPIRED: not a flow's")));
    }

    private static String said(Throwable failure) {
        return FlowFailure.of(failure).getMessage();
    }

    @Test
    public void flowsAreNamedAfterAllThatIsAskedFor() {
        assertEquals(Flows.clientId(new byte[]{1}), Flows.clientId(new byte[]{1}));
        assertNotEquals(Flows.clientId(new byte[]{1}), Flows.clientId(new byte[]{2}));
        assertTrue(Flows.clientId(new byte[0]).length() < 512);
    }
}
