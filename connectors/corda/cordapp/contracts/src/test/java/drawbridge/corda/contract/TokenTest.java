package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.transactions.WireTransaction;
import net.corda.testing.core.TestIdentity;
import org.junit.Test;

import java.util.List;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;

/** A vault that issues: tokens come by a permit and an instruction, move freely, and go by a lock. */
public class TokenTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ISSUE);

    public TokenTest() throws Exception {
    }

    private Draft issue(long amount) {
        return s.releaseDraft("issue", amount, s.permit(0));
    }

    private TokenState token(long amount, TestIdentity owner) {
        return new TokenState(amount, "GBP", party(owner), s.vaultId());
    }

    private Draft burn(StateAndRef<?> held, long recorded, TokenState change) {
        Draft draft = s.ledger.draft().input(held).reference(s.vault);
        List<StateRef> refs = draft.inputRefs();
        s.own(draft, LockState.of(s.vaultState(), recorded, party(s.bob), Scenario.REFERENCE, VaultNames.inputsHash(refs)));
        if (change != null) s.own(draft, change);
        return draft.command(new VaultCommands.Lock(), key(s.vaultParty), key(s.bob));
    }

    @Test
    public void issuedMovedAndBurned() throws Exception {
        WireTransaction made = s.ledger.commit(issue(500));
        Draft move = s.own(s.own(s.ledger.draft().input(made.outRef(1)), token(200, s.alice)), token(300, s.bob));
        WireTransaction moved = s.ledger.commit(move.command(new VaultCommands.Move(), key(s.bob)));
        s.ledger.commit(burn(moved.outRef(1), 250, token(50, s.bob)));
    }

    @Test
    public void theEitherOrIsThePermit() throws Exception {
        Draft draft = issue(500);
        WireTransaction done = s.ledger.commit(s.voidDraft("void", draft, "issue"));
        s.ledger.notaryRefuses(draft);
        Draft later = s.releaseDraft("issue", 500, done.outRef(0));
        s.ledger.refuses("INPUTS", later.recommand((Instruct) draft.commands.get(0).getValue(), key(s.vaultParty)));
    }

    @Test
    public void notWithoutPermitOrInstruction() throws Exception {
        Draft bare = s.own(s.ledger.draft(), token(500, s.bob)).reference(s.vault);
        Instruct i = s.instruct(bare, Kind.ISSUE, "issue", 500, party(s.bob), Scenario.word("subject"));
        s.ledger.refuses("PERMIT", bare.command(i, key(s.vaultParty)));
        s.ledger.refuses("COMMAND", s.own(s.ledger.draft(), token(5, s.bob)).command(new VaultCommands.Move(), key(s.bob)));
    }

    @Test
    public void notMoreOrForAnother() throws Exception {
        s.ledger.refuses("SHAPE", issue(500).change(1, token(600, s.bob)));
        s.ledger.refuses("BENEFICIARY", issue(500).change(1, token(500, s.alice)));
        s.ledger.refuses("SHAPE", s.own(issue(500), token(1, s.bob)));
        Draft release = issue(500);
        Instruct i = (Instruct) release.commands.get(0).getValue();
        Instruct kind = new Instruct(i.getId(), Kind.RELEASE, i.getSubject(), i.getAsset(), 500, i.getBeneficiary(),
                i.getInputs(), 0, 1, i.getTrail(), new byte[65]);
        s.ledger.refuses("KIND", release.recommand(s.sign(kind), key(s.vaultParty)));
    }

    @Test
    public void aMoveMakesNothingAndIsTheOwners() throws Exception {
        WireTransaction made = s.ledger.commit(issue(500));
        Draft more = s.own(s.ledger.draft().input(made.outRef(1)), token(501, s.alice));
        s.ledger.refuses("CONSERVATION", more.command(new VaultCommands.Move(), key(s.bob)));
        Draft less = s.own(s.ledger.draft().input(made.outRef(1)), token(499, s.alice));
        s.ledger.refuses("CONSERVATION", less.command(new VaultCommands.Move(), key(s.bob)));
        Draft taken = s.own(s.ledger.draft().input(made.outRef(1)), token(500, s.alice));
        s.ledger.refuses("NOT_SIGNED", taken.command(new VaultCommands.Move(), key(s.alice)));
        TokenState foreign = new TokenState(500, "GBP", party(s.alice), Scenario.word("another vault"));
        Draft renamed = s.own(s.ledger.draft().input(made.outRef(1)), foreign);
        s.ledger.refuses("TOKEN", renamed.command(new VaultCommands.Move(), key(s.bob)));
        Draft owed = s.own(s.own(s.ledger.draft().input(made.outRef(1)), token(600, s.alice)), token(-100, s.bob));
        s.ledger.refuses("TOKEN", owed.command(new VaultCommands.Move(), key(s.bob)));
    }

    @Test
    public void aBurnIsWhatTheRecordSays() throws Exception {
        WireTransaction made = s.ledger.commit(issue(500));
        s.ledger.refuses("CONSERVATION", burn(made.outRef(1), 400, token(200, s.bob)));
        s.ledger.refuses("CONSERVATION", burn(made.outRef(1), 400, null));
        Draft taken = burn(made.outRef(1), 500, null);
        s.ledger.refuses("NOT_SIGNED", taken.recommand(new VaultCommands.Lock(), key(s.vaultParty), key(s.alice)));
    }

    @Test
    public void aBurnIsRefundedOnce() throws Exception {
        WireTransaction made = s.ledger.commit(issue(500));
        WireTransaction burned = s.ledger.commit(burn(made.outRef(1), 500, null));
        LockState record = (LockState) burned.outRef(0).getState().getData();
        WireTransaction back = s.ledger.commit(s.refundDraft("refund", record, made.outRef(0), burned.outRef(0)));
        s.ledger.notaryRefuses(s.refundDraft("again", record, back.outRef(0), burned.outRef(0)));
    }

    @Test
    public void anIssueConsumesNoTokens() throws Exception {
        WireTransaction made = s.ledger.commit(issue(500));
        Draft draft = s.releaseDraft("second", 500, made.outRef(0), made.outRef(1));
        s.ledger.refuses("SHAPE", draft);
    }
}
