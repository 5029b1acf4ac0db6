package drawbridge.corda.contract;

import net.corda.core.contracts.TimeWindow;

import java.time.Instant;

/**
 * The cap on what passes a permit: at most {@code permitCap} minor units in any {@code capWindowSeconds}, wherever they begin.
 * Time is cut into buckets of half a window, rounded up; a span of one window touches at most three neighbours, whose sum is
 * kept at or below the cap. The notary vouches for a time window only, so the whole of it must lie in one bucket.
 */
public final class ReleaseWindow {
    private ReleaseWindow() {
    }

    /** Seconds of one bucket. */
    public static long bucketSeconds(VaultTerms terms) {
        long window = terms.getCapWindowSeconds();
        return window - window / 2;
    }

    /** @throws Refusal BUCKET when the ends of the time window lie in two buckets. */
    private static long bucketOf(TimeWindow window, VaultTerms terms) {
        long length = bucketSeconds(terms);
        Instant last = window.getUntilTime().minusNanos(1);
        long bucket = Math.floorDiv(window.getFromTime().getEpochSecond(), length);
        Refusal.unless(bucket == Math.floorDiv(last.getEpochSecond(), length), "BUCKET",
                "the time window lies across two halves of the cap's window");
        return bucket;
    }

    /**
     * The permit after a payment.
     *
     * @throws Refusal BUCKET, TIME_BACKWARDS, CAP.
     */
    public static PermitState booked(PermitState permit, Instruct payment, VaultTerms terms, TimeWindow window) {
        long bucket = bucketOf(window, terms);
        long passed = bucket - permit.getBucket();
        Refusal.unless(passed >= 0, "TIME_BACKWARDS", "the permit was used in a later half window");
        long current = passed == 0 ? permit.getCurrent() : 0;
        long previous = passed == 0 ? permit.getPrevious() : passed == 1 ? permit.getCurrent() : 0;
        long oldest = passed == 0 ? permit.getOldest() : passed == 1 ? permit.getPrevious()
                : passed == 2 ? permit.getCurrent() : 0;
        long headroom = terms.getPermitCap() - current - previous - oldest;
        Refusal.unless(payment.getAmount() <= headroom, "CAP", "more than may pass this permit in its window");
        return new PermitState(bucket, current + payment.getAmount(), permit.getIndex(), payment.getId(), oldest, previous,
                permit.getVaultId(), permit.getVaultParty());
    }
}
