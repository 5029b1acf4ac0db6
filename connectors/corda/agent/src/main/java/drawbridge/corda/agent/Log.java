package drawbridge.corda.agent;

import java.time.Instant;

/** One JSON line an event on standard error: a name and a code or a class of errors. Nothing of any message's content. */
final class Log {
    private Log() {
    }

    static void line(String event, String code) {
        System.err.println("{\"time\":\"" + Instant.now() + "\",\"event\":\"" + event + "\",\"code\":\"" + code + "\"}");
    }

    /** How long something took that ends now. */
    static void took(String event, long ms) {
        took(event, ms, System.currentTimeMillis());
    }

    /** @param endedAtMs Unix ms. */
    static void took(String event, long ms, long endedAtMs) {
        Instant ended = Instant.ofEpochMilli(endedAtMs);
        System.err.println("{\"time\":\"" + ended + "\",\"event\":\"" + event + "\",\"ms\":" + ms + "}");
    }

    /** The class alone: words of other people's errors may say anything. */
    static void error(String event, Throwable error) {
        line(event, error.getClass().getName());
    }
}
