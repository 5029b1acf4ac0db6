package drawbridge.corda.agent;

import java.util.HashMap;
import java.util.Map;

/**
 * How far recorded transactions were handed over: a time, and those of the last minute before it by id, since what is
 * recorded first need not be seen first. Pure but for its own state; safe for two threads.
 */
final class Cursor {
    /** Recorded within this time of each other: seen in any order. */
    static final long OVERLAP_MS = 60_000;

    private final Map<String, Long> handedOver = new HashMap<>();
    private long position;
    private long generation;

    Cursor(long position) {
        this.position = position;
    }

    synchronized long position() {
        return position;
    }

    /** Names the run of a poll: what was set back meanwhile takes no more of its progress. */
    synchronized long generation() {
        return generation;
    }

    synchronized long since() {
        return Math.max(0, position - OVERLAP_MS);
    }

    synchronized boolean has(String transaction) {
        return handedOver.containsKey(transaction);
    }

    /** False when the cursor was set back since {@code run} began. */
    synchronized boolean handedOver(String transaction, long recordedAtMs, long run) {
        if (run != generation) return false;
        handedOver.put(transaction, recordedAtMs);
        if (recordedAtMs > position) {
            position = recordedAtMs;
            handedOver.values().removeIf(at -> at < since());
        }
        return true;
    }

    /** Handed over before a look at everything came to it: left out by that, which then moves the cursor. */
    synchronized void ahead(String transaction, long recordedAtMs, long run) {
        if (run == generation) handedOver.put(transaction, recordedAtMs);
    }

    /** Everything recorded at {@code ms} or later comes again; a later time than the cursor's changes nothing. */
    synchronized void back(long ms) {
        if (ms >= position) return;
        position = ms;
        generation++;
        handedOver.clear();
    }
}
