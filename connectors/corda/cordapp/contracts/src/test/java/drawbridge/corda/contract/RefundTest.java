package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import net.corda.core.transactions.WireTransaction;
import org.junit.Test;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;

/** A lock goes back to its depositor, whole and once, out of whichever coins there are. */
public class RefundTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final WireTransaction lock = s.lock(500);
    private final LockState record = (LockState) lock.outRef(2).getState().getData();

    public RefundTest() throws Exception {
    }

    private Draft refund() {
        return s.refundDraft("refund", record, s.permit(0), lock.outRef(2), lock.outRef(0), lock.outRef(1));
    }

    private Draft signed(Draft draft, byte[] subject, long amount, byte[] beneficiary, long notAfter) {
        Instruct i = (Instruct) draft.commands.get(0).getValue();
        return draft.recommand(s.sign(new Instruct(i.getId(), i.getKind(), subject, i.getAsset(), amount, beneficiary,
                i.getInputs(), notAfter, i.getEpoch(), i.getTrail(), new byte[65])), key(s.vaultParty));
    }

    private static byte[] alice(Scenario s) {
        return VaultNames.accountWord(key(s.alice));
    }

    @Test
    public void outOfItsOwnCoinAlsoWhilePaused() throws Exception {
        s.become(s.authorityDraft(Kind.PAUSE, "pause", null));
        s.ledger.commit(refund());
    }

    @Test
    public void outOfAnotherCoin() throws Exception {
        WireTransaction other = s.lock(800);
        s.ledger.commit(s.refundDraft("refund", record, s.permit(0), lock.outRef(2), other.outRef(0), other.outRef(1)));
    }

    @Test
    public void notTwice() throws Exception {
        WireTransaction other = s.lock(800);
        WireTransaction first = s.ledger.commit(refund());
        StateAndRef<?> permit = first.outRef(0);
        s.ledger.notaryRefuses(s.refundDraft("again", record, permit, lock.outRef(2), other.outRef(0), other.outRef(1)));
        s.ledger.refuses("LOCK", s.refundDraft("again", record, permit, other.outRef(0), other.outRef(1)));
    }

    @Test
    public void notAnotherLockAmountOrDepositor() throws Exception {
        s.ledger.refuses("LOCK", signed(refund(), Scenario.word("lock"), 500, alice(s), 0));
        s.ledger.refuses("REFUND", signed(refund(), record.getLockId(), 400, alice(s), 0));
        byte[] bob = VaultNames.accountWord(key(s.bob));
        Draft taken = signed(refund(), record.getLockId(), 500, bob, 0);
        s.ledger.refuses("REFUND", taken.change(1, s.cashState(s.issuer, 1, 500, party(s.bob))));
    }

    @Test
    public void itNeverExpires() throws Exception {
        s.ledger.refuses("EXPIRY", signed(refund(), record.getLockId(), 500, alice(s), TestLedger.START + 9000));
    }

    @Test
    public void aReleaseDoesNotConsumeTheRecord() throws Exception {
        Draft draft = s.releaseDraft("release", 500, s.permit(0), lock.outRef(0), lock.outRef(1), lock.outRef(2));
        s.ledger.refuses("SHAPE", draft);
    }
}
