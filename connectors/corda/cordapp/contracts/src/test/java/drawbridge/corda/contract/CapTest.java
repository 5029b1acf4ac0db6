package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.transactions.WireTransaction;
import net.corda.finance.contracts.asset.Cash;
import org.junit.Test;

import static drawbridge.corda.contract.Scenario.PERMIT_CAP;
import static drawbridge.corda.contract.Scenario.key;
import static org.junit.Assert.assertEquals;

/** What passes a permit in a window. The window is 7,200 s, so a bucket is 3,600 s. */
public class CapTest extends LedgerTest {
    private static final long BUCKET = 3600;
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private StateAndRef<?> permit = s.permit(0);

    public CapTest() throws Exception {
    }

    private static TimeWindow bucket(long number) {
        long from = TestLedger.START + number * BUCKET;
        return TestLedger.window(from, from + 60);
    }

    /** A release of a fresh coin in some bucket, claiming what the permit then has. */
    private Draft release(String id, long amount, TimeWindow window, PermitState after) throws Exception {
        WireTransaction coin = s.lock(PERMIT_CAP);
        Draft asked = s.ledger.draft().reference(s.vault).input(permit).input(coin.outRef(0), coin.outRef(1));
        Instruct i = s.instruct(asked, Kind.RELEASE, id, amount, Scenario.party(s.bob), Scenario.word("subject"));
        asked.timeWindow = window;
        s.own(asked, after == null ? ReleaseWindow.booked((PermitState) permit.getState().getData(), i,
                s.vaultState().getTerms(), window) : after);
        s.cash(asked, amount, Scenario.party(s.bob), null);
        if (amount < PERMIT_CAP) s.coin(asked, PERMIT_CAP - amount);
        return asked.command(i, key(s.vaultParty)).command(new Cash.Commands.Move(), key(s.vaultParty));
    }

    private void pass(String id, long amount, long bucket) throws Exception {
        permit = s.ledger.commit(release(id, amount, bucket(bucket), null)).outRef(0);
    }

    private void refused(String code, String id, long amount, TimeWindow window) throws Exception {
        PermitState any = (PermitState) permit.getState().getData();
        s.ledger.refuses(code, release(id, amount, window, any));
    }

    @Test
    public void noMoreThanTheCapInAnyWindow() throws Exception {
        pass("a", 400_000, 0);
        pass("b", 600_000, 1);
        refused("CAP", "c", 1, bucket(1));
        refused("CAP", "d", 1, bucket(2));
        pass("e", 400_000, 3);
        refused("CAP", "f", 1, bucket(3));
        pass("g", 600_000, 4);
        PermitState after = (PermitState) permit.getState().getData();
        assertEquals(600_000, after.getCurrent());
        assertEquals(400_000, after.getPrevious());
        assertEquals(0, after.getOldest());
    }

    @Test
    public void whatIsLongPastCountsNoMore() throws Exception {
        pass("a", PERMIT_CAP, 0);
        pass("b", PERMIT_CAP, 3);
        pass("c", PERMIT_CAP, 9);
    }

    @Test
    public void permitsDoNotShareIt() throws Exception {
        pass("a", PERMIT_CAP, 0);
        permit = s.permit(1);
        pass("b", PERMIT_CAP, 0);
    }

    @Test
    public void theTimeWindowLiesInOneBucket() throws Exception {
        long edge = TestLedger.START + BUCKET;
        refused("BUCKET", "a", 1, TestLedger.window(edge - 30, edge + 30));
        permit = s.ledger.commit(release("b", 1, TestLedger.window(edge - 30, edge), null)).outRef(0);
    }

    @Test
    public void timeDoesNotRunBack() throws Exception {
        pass("a", 1, 3);
        refused("TIME_BACKWARDS", "b", 1, bucket(2));
    }

    @Test
    public void thePermitRemembersWhatPassed() throws Exception {
        PermitState forgot = PermitState.first(0, s.vaultId(), Scenario.party(s.vaultParty));
        s.ledger.refuses("SHAPE", release("a", 500, bucket(0), forgot));
    }
}
