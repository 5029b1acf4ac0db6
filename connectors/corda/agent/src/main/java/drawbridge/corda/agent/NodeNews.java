package drawbridge.corda.agent;

import rx.Observable;
import rx.Subscription;

import java.util.function.LongSupplier;

/**
 * The node's own news that some vault has a new state. They say when to look and nothing else: what there is, and whether
 * news were missed, is found out by looking, which goes on without them. At most one feed is open. One that was refused, or
 * ended while its connection lasts, is asked for again after {@link #AGAIN_MS}. Safe for several threads.
 */
final class NodeNews {
    static final long AGAIN_MS = 60_000;

    /** Opens a feed on the connection of now. */
    interface Source {
        Observable<?> open() throws AgentException;
    }

    private final Source source;
    private final Runnable wake;
    private final LongSupplier clockMs;
    private Subscription open;
    /** Names a feed: one that opens after it was given up is closed at once. */
    private long life;
    private boolean due = true;
    private boolean closed;
    private long againAtMs;

    /**
     * @param wake    must return at once: it runs on the connection's threads.
     * @param clockMs a clock that does not go back.
     */
    NodeNews(Source source, Runnable wake, LongSupplier clockMs) {
        this.source = source;
        this.wake = wake;
        this.clockMs = clockMs;
    }

    /** There is another connection: the feed of the one before is closed, the next {@link #ensure} opens one. */
    void renew() {
        Subscription former;
        synchronized (this) {
            former = giveUp();
            due = true;
        }
        end(former);
        wake.run();
    }

    /** Opens a feed where none is open and one is due. Failures are logged and change nothing else. */
    void ensure() {
        long mine;
        synchronized (this) {
            if (closed || open != null || !(due || clockMs.getAsLong() >= againAtMs)) return;
            due = false;
            againAtMs = clockMs.getAsLong() + AGAIN_MS;
            mine = ++life;
        }
        try {
            take(mine, source.open().subscribe(any -> wake.run(), lost -> ended(mine), () -> ended(mine)));
        } catch (AgentException refused) {
            Log.line("news-refused", refused.code().name());
        } catch (RuntimeException failed) {
            Log.error("news-refused", failed);
        }
    }

    /** For good. */
    void close() {
        Subscription former;
        synchronized (this) {
            closed = true;
            former = giveUp();
        }
        end(former);
    }

    private void take(long mine, Subscription made) {
        synchronized (this) {
            if (life == mine) {
                open = made;
                return;
            }
        }
        end(made);
    }

    private void ended(long feed) {
        synchronized (this) {
            if (life != feed) return;
            giveUp();
            againAtMs = clockMs.getAsLong() + AGAIN_MS;
        }
        Log.line("news-ended", "");
        wake.run();
    }

    /** What was open, for {@link #end}. */
    private Subscription giveUp() {
        Subscription former = open;
        open = null;
        life++;
        return former;
    }

    private static void end(Subscription feed) {
        if (feed == null) return;
        try {
            feed.unsubscribe();
        } catch (RuntimeException failed) {
            // Its connection is gone, and took the feed along.
            Log.error("news-not-closed", failed);
        }
    }
}
