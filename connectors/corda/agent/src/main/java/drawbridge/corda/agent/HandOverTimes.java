package drawbridge.corda.agent;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Tells the log how long events took that went out on the node's word, once a look at everything says when the node had stamped them:
 * asking the node for that at once would be in the way of the payment. At most {@link #MOST} wait, the oldest are forgotten. Safe for
 * several threads.
 */
final class HandOverTimes {
    static final int MOST = 1_000;

    private final Map<String, Moments> waiting = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Moments> oldest) {
            return size() > MOST;
        }
    };

    /** By the agent's clock. */
    private record Moments(long heardAtMs, long handedOverAtMs) {
    }

    synchronized void ahead(String transaction, long heardAtMs, long handedOverAtMs) {
        waiting.put(transaction, new Moments(heardAtMs, handedOverAtMs));
    }

    /** @param recordedAtMs by the node's clock. */
    synchronized void recorded(String transaction, long recordedAtMs) {
        Moments moments = waiting.remove(transaction);
        if (moments == null) return;
        Log.took("event-heard", moments.heardAtMs() - recordedAtMs, moments.heardAtMs());
        handedOver(recordedAtMs, moments.handedOverAtMs());
    }

    /** All comes again: what waits is told of then. */
    synchronized void forget() {
        waiting.clear();
    }

    /** One that the look itself found. */
    static void handedOver(long recordedAtMs, long atMs) {
        Log.took("event-handed-over", atMs - recordedAtMs, atMs);
    }
}
