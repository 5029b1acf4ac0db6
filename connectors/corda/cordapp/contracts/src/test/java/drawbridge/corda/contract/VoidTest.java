package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import net.corda.core.transactions.WireTransaction;
import org.junit.Test;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;
import static drawbridge.corda.contract.Scenario.word;

/** An instruction is executed or made impossible for ever: what the notary sees first. */
public class VoidTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final WireTransaction lock = s.lock(500);
    private final WireTransaction other = s.lock(300);

    public VoidTest() throws Exception {
    }

    private Draft release() {
        return s.releaseDraft("release", 600, s.permit(0), lock.outRef(0), lock.outRef(1), other.outRef(0), other.outRef(1));
    }

    private Draft voided() {
        return s.voidDraft("void", release(), "release");
    }

    private Draft signed(Draft draft, byte[] subject, long notAfter) {
        Instruct i = (Instruct) draft.commands.get(0).getValue();
        return draft.recommand(s.sign(new Instruct(i.getId(), i.getKind(), subject, i.getAsset(), 0, i.getBeneficiary(),
                i.getInputs(), notAfter, i.getEpoch(), i.getTrail(), new byte[65])), key(s.vaultParty));
    }

    @Test
    public void executeAfterVoid() throws Exception {
        s.ledger.commit(voided());
        s.ledger.notaryRefuses(release());
    }

    @Test
    public void voidAfterExecute() throws Exception {
        Draft late = voided();
        s.ledger.commit(release());
        s.ledger.notaryRefuses(late);
    }

    @Test
    public void theSignatureDoesNotFitTheStatesMadeAgain() throws Exception {
        WireTransaction again = s.ledger.commit(voided());
        Draft draft = s.releaseDraft("release", 600, again.outRef(0), again.outRef(1), again.outRef(2), again.outRef(3),
                again.outRef(4));
        s.ledger.refuses("INPUTS", draft.recommand((Instruct) release().commands.get(0).getValue(), key(s.vaultParty)));
    }

    @Test
    public void whatIsMadeAgainIsWorthTheSame() throws Exception {
        WireTransaction again = s.ledger.commit(voided());
        StateAndRef<?>[] coins = {again.outRef(1), again.outRef(2), again.outRef(3), again.outRef(4)};
        s.ledger.commit(s.releaseDraft("next", 800, again.outRef(0), coins));
    }

    @Test
    public void itMovesNoValue() throws Exception {
        Draft swapped = voided();
        long first = ((CoinState) swapped.outputs.get(2).getData()).getAmount();
        long second = 800 - first;
        swapped.change(1, s.cashState(s.issuer, 1, second, party(s.vaultParty)))
                .change(2, new CoinState(second, s.vaultId(), party(s.vaultParty)))
                .change(3, s.cashState(s.issuer, 1, first, party(s.vaultParty)))
                .change(4, new CoinState(first, s.vaultId(), party(s.vaultParty)));
        s.ledger.refuses("AMOUNT", swapped);
        s.ledger.refuses("OWNER", voided().change(1, s.cashState(s.issuer, 1, first, party(s.alice))));
        Draft missing = voided();
        missing.outputs.remove(4);
        missing.outputs.remove(3);
        s.ledger.refuses("SHAPE", missing);
    }

    @Test
    public void itBooksNothing() throws Exception {
        Draft draft = voided();
        PermitState permit = (PermitState) draft.outputs.get(0).getData();
        draft.change(0, new PermitState(permit.getBucket(), 1, 0, permit.getLastInstruction(), 0, 0, s.vaultId(),
                party(s.vaultParty)));
        s.ledger.refuses("SHAPE", draft);
    }

    @Test
    public void itWorksWhilePausedAndNeverExpires() throws Exception {
        s.become(s.authorityDraft(Kind.PAUSE, "pause", null));
        s.ledger.refuses("EXPIRY", signed(voided(), word("release"), TestLedger.START + 9000));
        s.ledger.commit(voided());
    }

    @Test
    public void itNamesAnother() throws Exception {
        s.ledger.refuses("SUBJECT", signed(voided(), new byte[32], 0));
        s.ledger.refuses("SUBJECT", signed(voided(), word("void"), 0));
    }
}
