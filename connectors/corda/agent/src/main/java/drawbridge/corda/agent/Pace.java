package drawbridge.corda.agent;

/**
 * When the follower looks next, and at what: at what the news named, or at all of the node's records. At once on news, but never twice
 * within {@code gapMs}, however many there are; at everything after {@code pollMs}, or {@code quietPollMs} while a feed is open and the
 * last such look went well. Times are ms of any clock that does not go back. Pure but for its own state; guarded by whoever uses it.
 */
final class Pace {
    private final long gapMs;
    private final long pollMs;
    private final long quietPollMs;
    private boolean urgent;
    private boolean everything = true;
    private boolean looked;
    private long lookedAtMs;
    private long everythingAtMs;

    Pace(long gapMs, long pollMs, long quietPollMs) {
        this.gapMs = gapMs;
        this.pollMs = pollMs;
        this.quietPollMs = quietPollMs;
    }

    /** Something was named. */
    void news() {
        urgent = true;
    }

    /** Something may have been missed. */
    void all() {
        urgent = true;
        everything = true;
    }

    /** A look came to no good end: the next one is at everything, and takes its time. */
    void failed() {
        everything = true;
    }

    /** 0 when it is time. @param announced a feed is open. */
    long dueInMs(long nowMs, boolean announced) {
        if (!looked) return 0;
        long at = urgent ? lookedAtMs + Math.min(gapMs, pollMs) : everythingDueMs(announced);
        return Math.max(0, at - nowMs);
    }

    /** A look begins: news from now on call for another one. True when it has to be at everything. */
    boolean looks(long nowMs, boolean announced) {
        boolean atEverything = everything || !looked || nowMs >= everythingDueMs(announced);
        urgent = false;
        looked = true;
        lookedAtMs = nowMs;
        if (atEverything) {
            everything = false;
            everythingAtMs = nowMs;
        }
        return atEverything;
    }

    private long everythingDueMs(boolean announced) {
        if (everything) return lookedAtMs + pollMs;
        return everythingAtMs + (announced ? quietPollMs : pollMs);
    }
}
