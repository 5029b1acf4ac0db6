package drawbridge.corda.agent;

import org.junit.Test;

import static org.junit.Assert.assertEquals;

/** When the follower looks next. */
public class PaceTest {
    private static final long POLL = 1_000;
    private static final long T = 5_000;
    private final Pace pace = new Pace(POLL);

    @Test
    public void theFirstLookIsAtOnceAndTheNextAfterThePoll() {
        assertEquals(0, pace.dueInMs(T));
        pace.looks(T);
        assertEquals(POLL, pace.dueInMs(T));
        assertEquals(1, pace.dueInMs(T + POLL - 1));
        assertEquals(0, pace.dueInMs(T + POLL));
    }

    @Test
    public void newsCallForALookAtOnce() {
        pace.looks(T);
        pace.news();
        assertEquals(0, pace.dueInMs(T + Pace.GAP_MS));
    }

    @Test
    public void aFloodOfNewsIsOneLookPerGap() {
        long now = T;
        int looks = 0;
        for (int each = 0; each < 10_000; each++, now++) {
            pace.news();
            if (pace.dueInMs(now) > 0) continue;
            looks++;
            pace.looks(now);
        }
        assertEquals(10_000 / Pace.GAP_MS, looks);
    }

    @Test
    public void newsDuringALookCallForAnotherOne() {
        pace.news();
        pace.looks(T);
        pace.news();
        assertEquals(Pace.GAP_MS, pace.dueInMs(T));
        pace.looks(T + Pace.GAP_MS);
        assertEquals(POLL, pace.dueInMs(T + Pace.GAP_MS));
    }
}
