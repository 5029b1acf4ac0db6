package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TransactionState;
import net.corda.core.transactions.WireTransaction;
import net.corda.finance.contracts.asset.Cash;
import org.junit.Test;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;
import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

/** What a payment or a void is made of and nothing else: by the vault's rules alone, whatever other contracts would say. */
public class PaymentShapeTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final WireTransaction lock = s.lock(500);
    private final StateAndRef<?> cash = lock.outRef(0);
    private final StateAndRef<?> guard = lock.outRef(1);
    private final StateAndRef<?> record = lock.outRef(2);

    public PaymentShapeTest() throws Exception {
    }

    private Draft release(long amount) {
        return s.releaseDraft("release", amount, s.permit(0), cash, guard);
    }

    private LockState lockState() {
        return (LockState) record.getState().getData();
    }

    private Cash.State held(long amount) {
        return s.cashState(s.issuer, 1, amount, party(s.vaultParty));
    }

    /** A coin that nobody locked. */
    private WireTransaction forgedCoin(long amount) throws Exception {
        return s.ledger.forge(s.coin(s.ledger.draft(), amount).command(new VaultCommands.Seed(), key(s.vaultParty)));
    }

    @Test
    public void onePermit() throws Exception {
        s.ledger.rulesRefuse("PERMIT", s.releaseDraft("release", 500, s.permit(0), s.permit(1), cash, guard));
        Draft none = s.ledger.draft().reference(s.vault).input(cash, guard);
        Instruct i = s.instruct(none, Kind.RELEASE, "release", 500, party(s.bob), Scenario.word("subject"));
        s.own(none, PermitState.first(0, s.vaultId(), party(s.vaultParty)));
        s.ledger.rulesRefuse("PERMIT", s.cash(none, 500, party(s.bob), null).command(i, key(s.vaultParty)));
    }

    @Test
    public void thePermitKeepsItsPlaceAndIsFree() throws Exception {
        WireTransaction paid = s.ledger.commit(s.releaseDraft("release", 200, s.permit(1), cash, guard));
        PermitState after = (PermitState) paid.outRef(0).getState().getData();
        assertEquals(1, after.getIndex());
        assertEquals(200, after.getCurrent());
        assertArrayEquals(Scenario.word("release"), after.getLastInstruction());
        Draft bound = s.releaseDraft("next", 100, paid.outRef(0), paid.outRef(2), paid.outRef(3));
        s.ledger.rulesRefuse("SHAPE", bound.encumber(0, 1));
    }

    @Test
    public void whatIsPaidIsWhatTheInstructionSays() throws Exception {
        s.ledger.rulesRefuse("AMOUNT", release(500).change(1, s.cashState(s.issuer, 1, 400, party(s.bob))));
        s.ledger.rulesRefuse("AMOUNT", release(200).change(1, s.cashState(s.issuer, 1, 300, party(s.bob))));
        s.ledger.rulesRefuse("AMOUNT", release(200).change(2, held(200))
                .change(3, new CoinState(200, s.vaultId(), party(s.vaultParty))));
    }

    @Test
    public void whatIsPaidIsFreeCash() throws Exception {
        s.ledger.rulesRefuse("ENCUMBRANCE", release(500).encumber(1, 0));
        LookAlikeContract.Guard other = new LookAlikeContract.Guard(500, s.vaultId(), party(s.bob));
        s.ledger.rulesRefuse("NOT_CASH", release(500).replace(1,
                new TransactionState<>(other, LookAlikeContract.ID, s.ledger.notaryParty(), null, s.ledger.cashJar)));
        s.ledger.rulesRefuse("ISSUER", release(500).change(1, s.cashState(s.alice, 1, 500, party(s.bob))));
    }

    @Test
    public void nothingIsMadeBesides() throws Exception {
        s.ledger.rulesRefuse("SHAPE", s.own(release(500), new SeedState(party(s.vaultParty))));
        s.ledger.rulesRefuse("SHAPE", s.coin(release(500), 1));
        s.ledger.rulesRefuse("SHAPE", s.own(release(200), new SeedState(party(s.vaultParty))));
        s.ledger.rulesRefuse("SHAPE", s.coin(release(200), 1));
    }

    @Test
    public void coinsAreWholeAndWorthSomething() throws Exception {
        WireTransaction empty = forgedCoin(0);
        Draft worthless = s.releaseDraft("release", 500, s.permit(0), cash, guard, empty.outRef(0), empty.outRef(1));
        s.ledger.rulesRefuse("AMOUNT", worthless);
        WireTransaction other = s.lock(500);
        // Another coin's cash at the same index, and its guard left alone.
        s.ledger.rulesRefuse("SHAPE", s.releaseDraft("release", 500, s.permit(0), guard, other.outRef(0)));
    }

    @Test
    public void aRefundConsumesOneRecordOfThisVault() throws Exception {
        WireTransaction other = s.lock(300);
        s.ledger.rulesTake(s.refundDraft("refund", lockState(), s.permit(0), record, cash, guard));
        s.ledger.rulesRefuse("LOCK", s.refundDraft("refund", lockState(), s.permit(0), record, other.outRef(2), cash, guard));
        Scenario foreign = new Scenario(Kind.MODE_ESCROW);
        WireTransaction elsewhere = foreign.lock(500);
        LockState theirs = (LockState) elsewhere.outRef(2).getState().getData();
        s.ledger.rulesRefuse("LOCK", s.refundDraft("refund", theirs, s.permit(0), elsewhere.outRef(2), cash, guard));
    }

    private Draft voided(StateAndRef<?>... coins) {
        return s.voidDraft("void", s.releaseDraft("release", 500, s.permit(0), coins), "release");
    }

    @Test
    public void aVoidMakesNothingBesides() throws Exception {
        s.ledger.rulesTake(voided(cash, guard));
        s.ledger.rulesRefuse("SHAPE", s.own(voided(cash, guard), new SeedState(party(s.vaultParty))));
        s.ledger.rulesRefuse("SHAPE", s.coin(voided(cash, guard), 500));
        s.ledger.rulesRefuse("SHAPE", s.voidDraft("void",
                s.releaseDraft("release", 500, s.permit(0), cash, guard, record), "release"));
    }

    /** The coins made anew stand in the order of the refs of the old, whatever the order of the inputs. */
    @Test
    public void aVoidsCoinsHaveTheirOrder() throws Exception {
        WireTransaction other = s.lock(300);
        s.ledger.rulesTake(voided(cash, guard, other.outRef(0), other.outRef(1)));
        s.ledger.rulesTake(voided(other.outRef(0), other.outRef(1), cash, guard));
    }

    @Test
    public void anIssueTakesAPermitAloneAndMakesATokenAlone() throws Exception {
        Scenario issues = new Scenario(Kind.MODE_ISSUE);
        Draft issue = issues.releaseDraft("issue", 500, issues.permit(0));
        issues.ledger.rulesTake(issue);
        issues.ledger.rulesRefuse("SHAPE", issues.releaseDraft("issue", 500, issues.permit(0))
                .replace(1, issues.seedDraft().outputs.get(0)));
        issues.ledger.rulesRefuse("SHAPE", issues.releaseDraft("issue", 500, issues.permit(0)).encumber(1, 0));
        Draft target = issues.releaseDraft("issue", 500, issues.permit(0));
        issues.ledger.rulesRefuse("SHAPE", issues.own(issues.voidDraft("void", target, "issue"),
                new TokenState(500, "GBP", party(issues.bob), issues.vaultId())));
        StateAndRef<?> token = issues.ledger.commit(issues.releaseDraft("made", 1, issues.permit(1))).outRef(1);
        Draft more = issues.releaseDraft("issue", 500, issues.permit(0), token);
        issues.ledger.rulesRefuse("SHAPE", issues.voidDraft("void", more, "issue"));
    }

    @Test
    public void anIssueIsOfSomething() throws Exception {
        Scenario issues = new Scenario(Kind.MODE_ISSUE);
        issues.ledger.rulesRefuse("AMOUNT", issues.releaseDraft("issue", 0, issues.permit(0)));
    }

    @Test
    public void aTokenIsOfThePermitsVaultAndTheVaultsCurrency() throws Exception {
        Scenario issues = new Scenario(Kind.MODE_ISSUE);
        TokenState[] wrong = {new TokenState(500, "EUR", party(issues.bob), issues.vaultId()),
            new TokenState(500, "GBP", party(issues.bob), Scenario.word("another"))};
        for (TokenState token : wrong) {
            issues.ledger.rulesRefuse("SHAPE", issues.releaseDraft("issue", 500, issues.permit(0)).change(1, token));
        }
        Draft foreign = issues.releaseDraft("issue", 500, issues.permit(0)).change(1, wrong[1]);
        issues.ledger.rulesRefuse(new TokenContract(), "PERMIT", foreign);
    }

    @Test
    public void upToThirtyTwoCoins() throws Exception {
        StateAndRef<?>[] coins = new StateAndRef<?>[2 * Coins.MAX_CONSUMED];
        for (int i = 0; i < coins.length; i += 2) {
            WireTransaction one = s.lock(10);
            coins[i] = one.outRef(0);
            coins[i + 1] = one.outRef(1);
        }
        s.ledger.rulesTake(s.releaseDraft("release", 320, s.permit(0), coins));
    }
}
