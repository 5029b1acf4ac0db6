package drawbridge.corda.flow;

import drawbridge.corda.contract.ReleaseWindow;
import drawbridge.corda.contract.VaultTerms;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.flows.FlowException;

import java.time.Instant;

/** Time windows as the vault's contract wants them: closed, short, and for payments within one half of the cap's window. */
final class TimeWindows {
    /** How far the notary's clock may be behind ours, in seconds. */
    private static final long BEHIND_SECONDS = 30;
    /** How long notarisation may take, and how far the notary's clock may be ahead, in seconds. */
    private static final long AHEAD_SECONDS = 120;

    private TimeWindows() {
    }

    static TimeWindow around(Instant now) {
        return TimeWindow.between(now.minusSeconds(BEHIND_SECONDS), now.plusSeconds(AHEAD_SECONDS));
    }

    /**
     * @param notAfterSeconds of the instruction; 0 is no limit.
     * @throws FlowException EXPIRED when nothing is left of it.
     */
    static TimeWindow ofPayment(Instant now, VaultTerms terms, long notAfterSeconds) throws FlowException {
        long length = ReleaseWindow.bucketSeconds(terms);
        long bucketStart = Math.floorDiv(now.getEpochSecond(), length) * length;
        long from = Math.max(bucketStart, now.getEpochSecond() - BEHIND_SECONDS);
        long until = Math.min(bucketStart + length, now.getEpochSecond() + AHEAD_SECONDS);
        return between(from, until, notAfterSeconds, now);
    }

    /** As {@link #around}, cut at the instruction's end. @throws FlowException EXPIRED. */
    static TimeWindow ofCommand(Instant now, long notAfterSeconds) throws FlowException {
        long second = now.getEpochSecond();
        return between(second - BEHIND_SECONDS, second + AHEAD_SECONDS, notAfterSeconds, now);
    }

    private static TimeWindow between(long from, long until, long notAfterSeconds, Instant now) throws FlowException {
        long end = notAfterSeconds == 0 ? until : Math.min(until, notAfterSeconds);
        if (end <= now.getEpochSecond()) throw new FlowException("EXPIRED: the instruction may not be executed any more");
        return TimeWindow.between(Instant.ofEpochSecond(from), Instant.ofEpochSecond(end));
    }
}
