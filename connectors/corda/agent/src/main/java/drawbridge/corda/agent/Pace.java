package drawbridge.corda.agent;

/**
 * When the follower looks at the node's records next: at once on news, but never twice within {@link #GAP_MS}, however many
 * news there are; without news after {@code pollMs}. Times are ms of any clock that does not go back. Pure but for its own
 * state; guarded by whoever uses it.
 */
final class Pace {
    static final long GAP_MS = 50;

    private final long pollMs;
    private boolean news;
    private boolean looked;
    private long lookedAtMs;

    Pace(long pollMs) {
        this.pollMs = pollMs;
    }

    void news() {
        news = true;
    }

    /** 0 when it is time. */
    long dueInMs(long nowMs) {
        if (!looked) return 0;
        long pause = news ? Math.min(GAP_MS, pollMs) : pollMs;
        return Math.max(0, lookedAtMs + pause - nowMs);
    }

    /** A look begins: news from now on call for another one. */
    void looks(long nowMs) {
        news = false;
        looked = true;
        lookedAtMs = nowMs;
    }
}
