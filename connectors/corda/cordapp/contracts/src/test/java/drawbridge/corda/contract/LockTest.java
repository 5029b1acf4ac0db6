package drawbridge.corda.contract;

import net.corda.core.contracts.AlwaysAcceptAttachmentConstraint;
import net.corda.core.contracts.Amount;
import net.corda.core.contracts.Issued;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.contracts.TransactionVerificationException;
import net.corda.finance.contracts.asset.Cash;
import net.corda.testing.core.TestIdentity;
import org.junit.Test;

import java.time.Instant;
import java.util.Currency;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;

/** What an escrow vault takes in. */
public class LockTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final StateAndRef<?> cash = s.issueCash(s.issuer, 1, 500, s.alice);

    public LockTest() throws Exception {
    }

    private Draft lock() {
        return s.lockDraft(cash, 200);
    }

    /** The lock of all of another's cash. */
    private Draft lockOf(TestIdentity issuer, int reference, String currency) throws Exception {
        Cash.State like = s.cashState(issuer, reference, 200, party(s.alice));
        Issued<Currency> token = new Issued<>(like.getAmount().getToken().getIssuer(), Currency.getInstance(currency));
        Cash.State before = new Cash.State(new Amount<>(200, token), party(s.alice));
        Draft made = s.ledger.draft().output(before, Cash.PROGRAM_ID, s.ledger.cashJar, null);
        StateAndRef<?> other = s.ledger.commit(made.command(new Cash.Commands.Issue(), key(issuer))).outRef(0);
        return s.lockDraft(other, 200).change(0, new Cash.State(new Amount<>(200, token), party(s.vaultParty)));
    }

    @Test
    public void aPartAndTheWhole() throws Exception {
        s.ledger.commit(lock());
        s.lock(Scenario.PERMIT_CAP);
    }

    @Test
    public void notCashOfAnUnregisteredIssuer() throws Exception {
        s.ledger.refuses("ISSUER", lockOf(TestLedger.identity("Another issuer", 7), 1, "GBP"));
    }

    @Test
    public void notCashOfAnotherReferenceOrCurrency() throws Exception {
        s.ledger.refuses("ISSUER", lockOf(s.issuer, 2, "GBP"));
        s.ledger.refuses("CURRENCY", lockOf(s.issuer, 1, "EUR"));
    }

    /** Cash that any jar with a class of that name may have made. */
    @Test
    public void notCashUnderLooserCode() throws Exception {
        AlwaysAcceptAttachmentConstraint any = AlwaysAcceptAttachmentConstraint.INSTANCE;
        Draft made = s.cash(s.ledger.draft(), 200, party(s.alice), null).constrain(0, any);
        StateAndRef<?> loose = s.ledger.forge(made.command(new Cash.Commands.Issue(), key(s.issuer))).outRef(0);
        s.ledger.refuses("CASH_CONTRACT", s.lockDraft(loose, 200).constrain(0, any));
    }

    @Test
    public void notUnderALookAlikeGuard() throws Exception {
        Draft draft = lock();
        LookAlikeContract.Guard guard = new LookAlikeContract.Guard(200, s.vaultId(), party(s.vaultParty));
        draft.outputs.remove(1);
        draft.output(guard, LookAlikeContract.ID, s.ledger.vaultJar, 0);
        draft.outputs.add(1, draft.outputs.remove(draft.outputs.size() - 1));
        s.ledger.refuses("SHAPE", draft);
    }

    @Test
    public void notUnderAnotherContractOrConstraint() throws Exception {
        Draft other = lock();
        LockState record = (LockState) other.outputs.remove(2).getData();
        other.output(record, LookAlikeContract.ID, s.ledger.vaultJar, null);
        other.outputs.add(2, other.outputs.remove(other.outputs.size() - 1));
        s.ledger.cordaRefuses(TransactionVerificationException.class, other);
        s.ledger.refuses("CONSTRAINT", lock().constrain(2, AlwaysAcceptAttachmentConstraint.INSTANCE));
    }

    @Test
    public void notWithoutTheDepositorOrTheVaultParty() throws Exception {
        s.ledger.refuses("NOT_SIGNED", lock().recommand(new VaultCommands.Lock(), key(s.vaultParty)));
        s.ledger.refuses("NOT_SIGNED", lock().recommand(new VaultCommands.Lock(), key(s.alice)));
    }

    @Test
    public void theRecordSaysWhatWasLocked() throws Exception {
        LockState r = (LockState) lock().outputs.get(2).getData();
        LockState more = new LockState(300, r.getCurrency(), r.getDepositor(), r.getIssuerKey(), r.getIssuerReference(),
                r.getLockId(), r.getReference(), r.getVaultId(), r.getVaultParty());
        s.ledger.refuses("AMOUNT", lock().change(2, more));
        LockState id = new LockState(200, r.getCurrency(), r.getDepositor(), r.getIssuerKey(), r.getIssuerReference(),
                Scenario.word("chosen"), r.getReference(), r.getVaultId(), r.getVaultParty());
        s.ledger.refuses("SHAPE", lock().change(2, id));
        LockState shortened = LockState.of(s.vaultState(), 200, party(s.alice), new byte[31],
                VaultNames.inputsHash(lock().inputRefs()));
        s.ledger.refuses("REFERENCE_LENGTH", lock().change(2, shortened));
    }

    @Test
    public void theVaultHoldsTheCash() throws Exception {
        s.ledger.refuses("OWNER", lock().change(0, s.cashState(s.issuer, 1, 200, party(s.bob))));
        Draft bare = lock().encumber(0, 2).encumber(2, 1);
        s.ledger.refuses("SHAPE", bare.encumber(1, 0));
    }

    @Test
    public void notMoreThanCouldBePaidBack() throws Exception {
        StateAndRef<?> much = s.issueCash(s.issuer, 1, Scenario.PERMIT_CAP + 1, s.alice);
        s.ledger.refuses("AMOUNT", s.lockDraft(much, Scenario.PERMIT_CAP + 1));
    }

    @Test
    public void notWhilePaused() throws Exception {
        s.become(s.authorityDraft(Kind.PAUSE, "pause", null));
        s.ledger.refuses("PAUSED", lock());
    }

    @Test
    public void notWithoutABoundedTimeWindow() throws Exception {
        Draft none = lock();
        none.timeWindow = null;
        s.ledger.refuses("TIME_WINDOW", none);
        Draft open = lock();
        open.timeWindow = TimeWindow.untilOnly(Instant.ofEpochSecond(TestLedger.START));
        s.ledger.refuses("TIME_WINDOW", open);
        Draft wide = lock();
        wide.timeWindow = TestLedger.window(TestLedger.START, TestLedger.START + 601);
        s.ledger.refuses("TIME_WINDOW", wide);
    }

    @Test
    public void notWithSomethingBesides() throws Exception {
        Draft more = s.own(lock(), new SeedState(party(s.vaultParty)));
        s.ledger.refuses("SHAPE", more);
        StateAndRef<?> seed = s.ledger.commit(s.seedDraft()).outRef(0);
        Draft taken = s.lockDraft(cash, 200).input(seed);
        LockState record = LockState.of(s.vaultState(), 200, party(s.alice), Scenario.REFERENCE,
                VaultNames.inputsHash(taken.inputRefs()));
        s.ledger.refuses("SHAPE", taken.change(2, record));
    }
}
