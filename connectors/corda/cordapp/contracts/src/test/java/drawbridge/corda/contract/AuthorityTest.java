package drawbridge.corda.contract;

import net.corda.core.contracts.AlwaysAcceptAttachmentConstraint;
import net.corda.core.contracts.WhitelistedByZoneAttachmentConstraint;
import net.corda.core.transactions.WireTransaction;
import org.junit.Test;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;

/** Who commands a vault, and how it comes to be. */
public class AuthorityTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);

    public AuthorityTest() throws Exception {
    }

    @Test
    public void aRotationEndsTheEpoch() throws Exception {
        WireTransaction lock = s.lock(500);
        Signer next = new Signer("next");
        Draft second = s.authorityDraft(Kind.ROTATE, "fork", new Signer("fork"));
        s.become(s.authorityDraft(Kind.ROTATE, "rotate", next));
        s.ledger.notaryRefuses(second);
        Draft release = s.releaseDraft("release", 500, s.permit(0), lock.outRef(0), lock.outRef(1));
        s.ledger.refuses("SIGNER", release);
        Instruct i = (Instruct) release.commands.get(0).getValue();
        s.ledger.commit(release.recommand(s.sign(i, next), key(s.vaultParty)));
    }

    @Test
    public void onlyTheAuthorityRotates() throws Exception {
        Draft draft = s.authorityDraft(Kind.ROTATE, "rotate", new Signer("next"));
        Instruct i = (Instruct) draft.commands.get(0).getValue();
        s.ledger.refuses("SIGNER", draft.recommand(s.sign(i, new Signer("next")), key(s.vaultParty)));
        Draft unsigned = s.authorityDraft(Kind.ROTATE, "rotate", new Signer("next"));
        s.ledger.refuses("NOT_SIGNED", unsigned.recommand(i, key(s.bob)));
    }

    @Test
    public void aRotationIsToAnotherAddress() throws Exception {
        s.ledger.refuses("SUBJECT", s.authorityDraft(Kind.ROTATE, "rotate", s.authority));
        Draft word = s.ledger.draft().input(s.vault);
        Instruct i = s.instruct(word, Kind.ROTATE, "rotate", 0, null, Scenario.word("no address"));
        s.ledger.refuses("SUBJECT", s.own(word, s.vaultState()).command(i, key(s.vaultParty)));
    }

    @Test
    public void aRotationIsToTheAddressThatWasSigned() throws Exception {
        Draft draft = s.authorityDraft(Kind.ROTATE, "rotate", new Signer("next"));
        byte[] thief = new Signer("thief").address();
        VaultControl taken = s.vaultState().getControl().rotated(thief, Scenario.word("rotate"));
        s.ledger.refuses("SHAPE", draft.change(0, s.vaultState().under(taken)));
    }

    @Test
    public void nothingElseOfTheVaultChanges() throws Exception {
        Draft draft = s.authorityDraft(Kind.PAUSE, "pause", null);
        Draft taken = s.authorityDraft(Kind.PAUSE, "pause", null);
        VaultControl rotated = s.vaultState().getControl().rotated(new Signer("thief").address(), Scenario.word("pause"));
        s.ledger.refuses("SHAPE", taken.change(0, s.vaultState().under(rotated)));
        s.ledger.refuses("SHAPE", s.own(draft, s.vaultState()));
    }

    @Test
    public void aSeedNamesOneVault() throws Exception {
        s.ledger.notaryRefuses(s.creationDraft(s.seed.outRef(0), s.vaultState().getTerms()));
        Draft named = s.creationDraft(s.ledger.commit(s.seedDraft()).outRef(0), s.vaultState().getTerms());
        VaultState copy = new VaultState(VaultControl.first(new Signer("thief").address()), s.vaultState().getTerms(),
                s.vaultId(), party(s.vaultParty));
        s.ledger.refuses("SHAPE", named.change(0, copy));
        Draft seedless = s.own(s.ledger.draft(), copy).command(new VaultCommands.Create(), key(s.vaultParty));
        s.ledger.refuses("SHAPE", seedless);
    }

    @Test
    public void aSeedMakesNothingElse() throws Exception {
        Draft draft = s.own(s.seedDraft(), PermitState.first(0, s.vaultId(), party(s.vaultParty)));
        s.ledger.refuses("SHAPE", draft);
        Draft permit = s.own(s.ledger.draft(), PermitState.first(0, s.vaultId(), party(s.vaultParty)));
        s.ledger.refuses("SHAPE", permit.command(new VaultCommands.Seed(), key(s.vaultParty)));
    }

    @Test
    public void aVaultBeginsWithAllItsPermitsAndNoHistory() throws Exception {
        Draft draft = s.creationDraft(s.ledger.commit(s.seedDraft()).outRef(0), s.vaultState().getTerms());
        VaultState vault = (VaultState) draft.outputs.get(0).getData();
        VaultControl late = VaultControl.first(s.authority.address()).pausedByGuardian(false);
        draft.change(0, vault.under(late));
        s.ledger.refuses("SHAPE", draft);
        draft.change(0, vault);
        draft.outputs.remove(2);
        s.ledger.refuses("SHAPE", draft);
        s.own(draft, PermitState.first(0, vault.getVaultId(), party(s.vaultParty)));
        s.ledger.refuses("SHAPE", draft);
    }

    @Test
    public void onlyTheVaultPartyMakesItsVault() throws Exception {
        Draft draft = s.creationDraft(s.ledger.commit(s.seedDraft()).outRef(0), s.vaultState().getTerms());
        s.ledger.refuses("NOT_SIGNED", draft.recommand(new VaultCommands.Create(), key(s.bob)));
    }

    @Test
    public void aVaultUnderLooserCodeIsNone() throws Exception {
        s.ledger.refuses("CONSTRAINT", s.seedDraft().constrain(0, AlwaysAcceptAttachmentConstraint.INSTANCE));
        Draft zone = s.seedDraft().constrain(0, WhitelistedByZoneAttachmentConstraint.INSTANCE);
        s.ledger.cordaRefuses(Exception.class, zone);
    }

    @Test
    public void anotherNotaryIsNone() throws Exception {
        Draft draft = new Draft(TestLedger.OTHER_NOTARY.getParty());
        Draft lock = s.lockDraft(s.issueCash(s.issuer, 1, 500, s.alice), 500);
        draft.inputs.addAll(lock.inputs);
        draft.references.addAll(lock.references);
        lock.outputs.forEach(o -> draft.output(o.getData(), o.getContract(), o.getConstraint(), o.getEncumbrance()));
        draft.commands.addAll(lock.commands);
        s.ledger.cordaRefuses(Exception.class, draft);
    }
}
