package drawbridge.corda.agent;

import org.junit.Test;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

/** When the follower looks next, and at what. */
public class PaceTest {
    private static final long GAP = 50;
    private static final long POLL = 1_000;
    private static final long QUIET = 10_000;
    private static final long T = 5_000;
    private final Pace pace = new Pace(GAP, POLL, QUIET);

    @Test
    public void theFirstLookIsAtOnceAndAtEverythingAndTheNextAfterThePoll() {
        assertEquals(0, pace.dueInMs(T, true));
        assertTrue(pace.looks(T, true));
        assertEquals(POLL, pace.dueInMs(T, false));
        assertEquals(1, pace.dueInMs(T + POLL - 1, false));
        assertEquals(0, pace.dueInMs(T + POLL, false));
        assertTrue(pace.looks(T + POLL, false));
    }

    @Test
    public void whileAFeedIsOpenEverythingIsLookedAtLessOften() {
        pace.looks(T, true);
        assertEquals(QUIET, pace.dueInMs(T, true));
        assertTrue(pace.looks(T + QUIET, true));
    }

    @Test
    public void newsCallForALookAtOnceAtWhatTheyName() {
        pace.looks(T, true);
        pace.news();
        assertEquals(0, pace.dueInMs(T + GAP, true));
        assertFalse(pace.looks(T + GAP, true));
        assertEquals("of the last look at everything", QUIET - GAP, pace.dueInMs(T + GAP, true));
    }

    @Test
    public void aFloodOfNewsIsOneLookPerGapAndKeepsNobodyFromLookingAtEverything() {
        long now = T;
        int looks = 0;
        int everything = 0;
        for (int each = 0; each < 20_000; each++, now++) {
            pace.news();
            if (pace.dueInMs(now, true) > 0) continue;
            looks++;
            if (pace.looks(now, true)) everything++;
        }
        assertEquals(20_000 / GAP, looks);
        assertEquals(20_000 / QUIET, everything);
    }

    @Test
    public void newsDuringALookCallForAnotherOne() {
        pace.news();
        pace.looks(T, true);
        pace.news();
        assertEquals(GAP, pace.dueInMs(T, true));
    }

    @Test
    public void whereSomethingMayBeMissedTheNextLookIsAtEverythingAndAtOnce() {
        pace.looks(T, true);
        pace.all();
        assertEquals(GAP, pace.dueInMs(T, true));
        assertTrue(pace.looks(T + GAP, true));
    }

    @Test
    public void afterAFailureTheNextLookIsAtEverythingAfterThePollOrWithNews() {
        pace.looks(T, true);
        pace.failed();
        assertEquals(POLL, pace.dueInMs(T, true));
        pace.news();
        assertEquals(GAP, pace.dueInMs(T, true));
        assertTrue(pace.looks(T + GAP, true));
        assertEquals(QUIET, pace.dueInMs(T + GAP, true));
    }
}
