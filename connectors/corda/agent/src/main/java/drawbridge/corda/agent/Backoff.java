package drawbridge.corda.agent;

/** How long to wait before the next attempt: doubles from half a second to ten seconds, less up to a quarter by chance. Pure. */
record Backoff(int failures) {
    static final Backoff FRESH = new Backoff(0);
    static final long FIRST_MS = 500;
    static final long LONGEST_MS = 10_000;
    /** A connection that lasted so long was a good one: the next attempts begin anew. */
    static final long GOOD_MS = 60_000;

    Backoff failed() {
        return new Backoff(Math.min(failures + 1, 16));
    }

    /** @param lastedMs how long the connection was up. */
    Backoff ended(long lastedMs) {
        return lastedMs >= GOOD_MS ? new Backoff(1) : failed();
    }

    /** @param chance from 0 to 1; spreads agents that lost the same server. */
    long delayMs(double chance) {
        if (failures == 0) return 0;
        long whole = Math.min(LONGEST_MS, FIRST_MS << (failures - 1));
        return whole - (long) (chance * whole / 4);
    }
}
