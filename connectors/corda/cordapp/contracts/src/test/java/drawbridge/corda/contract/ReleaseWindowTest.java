package drawbridge.corda.contract;

import net.corda.core.contracts.TimeWindow;
import net.corda.core.identity.Party;
import org.junit.Test;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

/** What a permit remembers after a payment, field by field: tests on a ledger compare with this very method. */
public class ReleaseWindowTest {
    private static final byte[] VAULT = Bytes.keccak256(Bytes.utf8("vault"));
    private static final byte[] LAST = Bytes.keccak256(Bytes.utf8("last"));
    private static final byte[] WORD = Bytes.keccak256(Bytes.utf8("word"));
    private static final Party PARTY = TestLedger.identity("Vault", 3).getParty();
    private static final long CAP = 1_000;

    private static VaultTerms terms(long window) {
        byte[] none = new byte[0];
        return new VaultTerms(WORD, window, none, "GBP", WORD, 1, 1, new byte[20], none, none, Kind.MODE_ISSUE, WORD, CAP, 1, WORD);
    }

    private static Instruct payment(long amount) {
        return new Instruct(WORD, Kind.ISSUE, WORD, WORD, amount, WORD, WORD, 0, 1, new byte[0], new byte[65]);
    }

    private static TimeWindow seconds(long from, long until) {
        return TestLedger.window(from, until);
    }

    /** Used in bucket 10 of 30 s, after a window of 60 s. */
    private static PermitState used() {
        return new PermitState(10, 300, 4, LAST, 20, 100, VAULT, PARTY);
    }

    private static void booked(long bucket, long amount, long current, long previous, long oldest) {
        PermitState after = ReleaseWindow.booked(used(), payment(amount), terms(60), seconds(30 * bucket, 30 * bucket + 30));
        assertEquals(bucket, after.getBucket());
        assertEquals(current, after.getCurrent());
        assertEquals(previous, after.getPrevious());
        assertEquals(oldest, after.getOldest());
        assertEquals(4, after.getIndex());
        assertArrayEquals(WORD, after.getLastInstruction());
        assertArrayEquals(VAULT, after.getVaultId());
        assertEquals(PARTY, after.getVaultParty());
    }

    private static void refused(String code, long bucket, long amount) {
        TestLedger.refusedAs(code, () -> ReleaseWindow.booked(used(), payment(amount), terms(60),
                seconds(30 * bucket, 30 * bucket + 30)));
    }

    @Test
    public void sumsMoveOnWithTime() {
        booked(10, 7, 307, 100, 20);
        booked(11, 7, 7, 300, 100);
        booked(12, 7, 7, 0, 300);
        booked(13, 7, 7, 0, 0);
        booked(99, 7, 7, 0, 0);
    }

    @Test
    public void theCapIsOverThreeOfThem() {
        booked(10, 580, 880, 100, 20);
        refused("CAP", 10, 581);
        booked(11, 600, 600, 300, 100);
        refused("CAP", 11, 601);
        booked(12, 700, 700, 0, 300);
        refused("CAP", 12, 701);
        booked(13, 1_000, 1_000, 0, 0);
        refused("CAP", 13, 1_001);
        refused("TIME_BACKWARDS", 9, 1);
    }

    @Test
    public void aBucketIsHalfAWindowRoundedUp() {
        assertEquals(30, ReleaseWindow.bucketSeconds(terms(60)));
        assertEquals(31, ReleaseWindow.bucketSeconds(terms(61)));
        VaultTerms odd = terms(61);
        TestLedger.refusedAs("BUCKET", () -> ReleaseWindow.booked(used(), payment(1), odd, seconds(310, 342)));
        assertEquals(11, ReleaseWindow.booked(used(), payment(1), odd, seconds(341, 372)).getBucket());
    }

    @Test
    public void aVoidLeavesTheSums() {
        assertEquals(new PermitState(10, 300, 4, WORD, 20, 100, VAULT, PARTY), used().voidedBy(WORD));
        PermitState first = PermitState.first(2, VAULT, PARTY);
        assertEquals(new PermitState(0, 0, 2, new byte[32], 0, 0, VAULT, PARTY), first);
        assertEquals(2, first.getIndex());
        assertEquals(0, first.getBucket());
    }
}
