package drawbridge.corda.agent;

import rx.Observable;
import rx.Subscription;

import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The node's own news that some vault has a new state. They say where to look first; whether news were missed is found out by
 * looking at everything, which goes on without them. At most one feed is open. One that was refused, or ended while its
 * connection lasts, is asked for again after {@code againMs}. Safe for several threads.
 *
 * @param <T> an item of the feed.
 */
final class NodeNews<T> {
    /** Opens a feed on the connection of now. */
    interface Source<T> {
        Observable<? extends T> open() throws AgentException;
    }

    private final Source<T> source;
    private final Consumer<? super T> item;
    private final Runnable missed;
    private final LongSupplier clockMs;
    private final long againMs;
    private Subscription open;
    /** Names a feed: one that opens after it was given up is closed at once. */
    private long life;
    private boolean due = true;
    private boolean closed;
    private long againAtMs;

    /**
     * @param item    told of each; must return at once: it runs on the connection's threads. So must {@code missed}.
     * @param missed  called when news may have been missed.
     * @param clockMs a clock that does not go back.
     */
    NodeNews(Source<T> source, Consumer<? super T> item, Runnable missed, LongSupplier clockMs, long againMs) {
        this.source = source;
        this.item = item;
        this.missed = missed;
        this.clockMs = clockMs;
        this.againMs = againMs;
    }

    /** A feed is open. */
    synchronized boolean isOpen() {
        return open != null;
    }

    /** There is another connection: the feed of the one before is closed, the next {@link #ensure} opens one. */
    void renew() {
        Subscription former;
        synchronized (this) {
            former = giveUp();
            due = true;
        }
        end(former);
        missed.run();
    }

    /** Opens a feed where none is open and one is due. Failures are logged and change nothing else. */
    void ensure() {
        long mine;
        synchronized (this) {
            if (closed || open != null || !(due || clockMs.getAsLong() >= againAtMs)) return;
            due = false;
            againAtMs = clockMs.getAsLong() + againMs;
            mine = ++life;
        }
        try {
            take(mine, source.open().subscribe(item::accept, lost -> ended(mine), () -> ended(mine)));
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
            againAtMs = clockMs.getAsLong() + againMs;
        }
        Log.line("news-ended", "");
        missed.run();
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
