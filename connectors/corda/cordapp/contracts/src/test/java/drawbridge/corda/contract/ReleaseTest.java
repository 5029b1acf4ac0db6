package drawbridge.corda.contract;

import net.corda.core.contracts.AlwaysAcceptAttachmentConstraint;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TransactionVerificationException;
import net.corda.core.transactions.WireTransaction;
import net.corda.finance.contracts.asset.Cash;
import org.junit.Test;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;
import static drawbridge.corda.contract.Scenario.word;

/** What leaves an escrow vault, and what does not. */
public class ReleaseTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final WireTransaction lock = s.lock(500);
    private final StateAndRef<?> cash = lock.outRef(0);
    private final StateAndRef<?> guard = lock.outRef(1);

    public ReleaseTest() throws Exception {
    }

    private Draft release(long amount) {
        return s.releaseDraft("release", amount, s.permit(0), cash, guard);
    }

    private static Instruct of(Draft draft) {
        return (Instruct) draft.commands.stream().map(command -> command.getValue()).filter(Instruct.class::isInstance)
                .findFirst().orElseThrow(IllegalStateException::new);
    }

    private Draft with(Draft draft, Instruct i) {
        return draft.recommand(i, key(s.vaultParty));
    }

    /** An instruction like the draft's with other numbers, signed by the authority. */
    private Instruct altered(Instruct i, int kind, byte[] asset, long notAfter, long epoch, byte[] inputs) {
        return s.sign(new Instruct(i.getId(), kind, i.getSubject(), asset, i.getAmount(), i.getBeneficiary(), inputs, notAfter,
                epoch, i.getTrail(), new byte[65]));
    }

    @Test
    public void theWholeCoin() throws Exception {
        s.ledger.commit(release(500));
    }

    @Test
    public void aPartAndThenTheChange() throws Exception {
        WireTransaction first = s.ledger.commit(release(200));
        s.ledger.commit(s.releaseDraft("second", 300, first.outRef(0), first.outRef(2), first.outRef(3)));
    }

    @Test
    public void manyCoinsIntoOne() throws Exception {
        WireTransaction other = s.lock(300);
        s.ledger.commit(s.releaseDraft("release", 600, s.permit(0), cash, guard, other.outRef(0), other.outRef(1)));
    }

    @Test
    public void notWithoutSignature() throws Exception {
        s.ledger.refuses("SIGNATURE_MALFORMED", with(release(200), of(release(200)).signedBy(new byte[65])));
        s.ledger.refuses("SIGNATURE_MALFORMED", with(release(200), of(release(200)).signedBy(new byte[0])));
    }

    @Test
    public void notWithoutInstruction() throws Exception {
        Draft draft = release(200);
        draft.commands.removeIf(command -> command.getValue() instanceof Instruct);
        s.ledger.refuses("COMMAND", draft);
        s.ledger.refuses("COMMAND", release(200).command(new VaultCommands.Lock(), key(s.vaultParty)));
    }

    @Test
    public void notWithAnotherKeysSignature() throws Exception {
        Draft draft = release(200);
        s.ledger.refuses("SIGNER", with(draft, s.sign(of(draft), new Signer("thief"))));
    }

    @Test
    public void notWithTheOtherFormOfASignature() throws Exception {
        Draft draft = release(200);
        s.ledger.refuses("SIGNATURE_HIGH_S", with(draft, of(draft).signedBy(Signer.withHighS(of(draft).getSignature()))));
    }

    @Test
    public void notForAnotherNetworkServiceOrVault() throws Exception {
        Draft draft = release(200);
        byte[] hash = InstructionDigest.structHash(of(draft));
        byte[][] salts = {
            InstructionDigest.salt(word("service"), word("another network"), word("genesis"), s.vaultId()),
            InstructionDigest.salt(word("another service"), word("network"), word("genesis"), s.vaultId()),
            InstructionDigest.salt(word("service"), word("network"), word("another genesis"), s.vaultId()),
            InstructionDigest.salt(word("service"), word("network"), word("genesis"), word("another vault"))};
        for (byte[] salt : salts) {
            byte[] signature = s.authority.sign(InstructionDigest.digest(salt, hash));
            s.ledger.refuses("SIGNER", with(draft, of(draft).signedBy(signature)));
        }
    }

    @Test
    public void notPastItsTime() throws Exception {
        Draft draft = release(200);
        Instruct i = of(draft);
        long until = TestLedger.START + 120;
        Instruct expired = altered(i, Kind.RELEASE, i.getAsset(), until - 1, 1, i.getInputs());
        s.ledger.refuses("EXPIRED", with(draft, expired));
        s.ledger.commit(with(draft, altered(i, Kind.RELEASE, i.getAsset(), until, 1, i.getInputs())));
    }

    @Test
    public void notTwice() throws Exception {
        Draft draft = release(200);
        WireTransaction first = s.ledger.commit(draft);
        s.ledger.notaryRefuses(draft);
        Draft again = s.releaseDraft("again", 200, first.outRef(0), first.outRef(2), first.outRef(3));
        PermitState next = (PermitState) again.outputs.get(0).getData();
        again.change(0, new PermitState(next.getBucket(), next.getCurrent(), 0, word("release"), next.getOldest(),
                next.getPrevious(), next.getVaultId(), next.getVaultParty()));
        s.ledger.refuses("INPUTS", with(again, of(draft)));
    }

    @Test
    public void notOverOtherStatesThanItNames() throws Exception {
        WireTransaction other = s.lock(500);
        Draft draft = release(500);
        Draft moved = s.releaseDraft("release", 500, s.permit(0), other.outRef(0), other.outRef(1));
        s.ledger.refuses("INPUTS", with(moved, of(draft)));
        Draft permit = s.releaseDraft("release", 500, s.permit(1), cash, guard);
        s.ledger.refuses("INPUTS", with(permit, of(draft)));
    }

    @Test
    public void notUnderAnotherEpochAssetOrKind() throws Exception {
        Draft draft = release(200);
        Instruct i = of(draft);
        s.ledger.refuses("EPOCH", with(draft, altered(i, Kind.RELEASE, i.getAsset(), 0, 2, i.getInputs())));
        s.ledger.refuses("ASSET", with(draft, altered(i, Kind.RELEASE, word("EUR"), 0, 1, i.getInputs())));
        s.ledger.refuses("KIND", with(draft, altered(i, Kind.ISSUE, i.getAsset(), 0, 1, i.getInputs())));
        s.ledger.refuses("KIND", s.authorityDraft(8, "migrate", null));
    }

    @Test
    public void notWithFieldsOutOfRange() throws Exception {
        Draft draft = release(200);
        Instruct i = of(draft);
        Instruct nobody = new Instruct(new byte[32], i.getKind(), i.getSubject(), i.getAsset(), 200, i.getBeneficiary(),
                i.getInputs(), 0, 1, i.getTrail(), new byte[65]);
        s.ledger.refuses("ID", with(draft, s.sign(nobody)));
        Instruct trail = new Instruct(i.getId(), i.getKind(), i.getSubject(), i.getAsset(), 200, i.getBeneficiary(),
                i.getInputs(), 0, 1, new byte[257], new byte[65]);
        s.ledger.refuses("TRAIL", with(draft, s.sign(trail)));
        Instruct subject = new Instruct(i.getId(), i.getKind(), new byte[31], i.getAsset(), 200, i.getBeneficiary(),
                i.getInputs(), 0, 1, i.getTrail(), new byte[65]);
        s.ledger.refuses("FIELD", with(draft, s.sign(subject)));
    }

    @Test
    public void notToAnother() throws Exception {
        s.ledger.refuses("BENEFICIARY", release(200).change(1, s.cashState(s.issuer, 1, 200, party(s.alice))));
        Draft own = s.ledger.draft().reference(s.vault).input(s.permit(0), cash, guard);
        Instruct i = s.instruct(own, Kind.RELEASE, "release", 500, party(s.vaultParty), word("subject"));
        s.own(own, ReleaseWindow.booked((PermitState) s.permit(0).getState().getData(), i, s.vaultState().getTerms(),
                own.timeWindow));
        s.cash(own, 500, party(s.vaultParty), null).command(i, key(s.vaultParty))
                .command(new Cash.Commands.Move(), key(s.vaultParty));
        s.ledger.refuses("BENEFICIARY", own);
    }

    @Test
    public void notAnotherAmount() throws Exception {
        Draft more = release(200).change(1, s.cashState(s.issuer, 1, 300, party(s.bob)))
                .change(2, s.cashState(s.issuer, 1, 200, party(s.vaultParty)))
                .change(3, new CoinState(200, s.vaultId(), party(s.vaultParty)));
        s.ledger.refuses("AMOUNT", more);
        s.ledger.refuses("AMOUNT", release(0));
        s.ledger.refuses("AMOUNT", release(501));
    }

    @Test
    public void theChangeStaysGuarded() throws Exception {
        Draft bare = release(200);
        bare.outputs.remove(3);
        s.ledger.refuses("SHAPE", bare.encumber(2, null));
        Draft lied = release(200).change(3, new CoinState(100, s.vaultId(), party(s.vaultParty)));
        s.ledger.refuses("SHAPE", lied);
        Draft taken = release(200).change(2, s.cashState(s.issuer, 1, 300, party(s.alice)));
        s.ledger.refuses("OWNER", taken);
        Draft wrong = release(200).encumber(1, 2).encumber(2, 3).encumber(3, 1);
        s.ledger.refuses("ENCUMBRANCE", wrong);
    }

    @Test
    public void cashDoesNotMoveWithoutItsGuardNorGuardWithoutCash() throws Exception {
        Draft alone = s.ledger.draft().input(cash).command(new Cash.Commands.Move(), key(s.vaultParty));
        s.ledger.cordaRefuses(TransactionVerificationException.class, s.cash(alone, 500, party(s.bob), null));
        Draft guarded = s.ledger.draft().input(guard).reference(s.vault).input(s.permit(0));
        guarded.command(s.instruct(guarded, Kind.VOID, "void", 0, null, word("x")), key(s.vaultParty));
        s.ledger.cordaRefuses(TransactionVerificationException.class, guarded);
    }

    @Test
    public void notWithAnInputBesides() throws Exception {
        StateAndRef<?> more = s.issueCash(s.issuer, 1, 100, s.alice);
        Draft draft = s.releaseDraft("release", 200, s.permit(0), cash, guard, more);
        draft.commands.removeIf(command -> command.getValue() instanceof Cash.Commands.Move);
        s.cash(draft, 100, party(s.alice), null).command(new Cash.Commands.Move(), key(s.vaultParty), key(s.alice));
        s.ledger.refuses("SHAPE", draft);
    }

    @Test
    public void notTheCoinsOrPermitsOfAnotherVault() throws Exception {
        Scenario other = new Scenario(Kind.MODE_ESCROW);
        WireTransaction foreign = other.lock(500);
        s.ledger.refuses("SHAPE", s.releaseDraft("release", 200, s.permit(0), foreign.outRef(0), foreign.outRef(1)));
        s.ledger.refuses("PERMIT", s.releaseDraft("release", 200, other.permit(0), cash, guard));
    }

    @Test
    public void notWithoutTheVaultPartysSignature() throws Exception {
        Draft draft = release(200);
        s.ledger.refuses("NOT_SIGNED", draft.recommand(of(draft), key(s.bob)));
    }

    @Test
    public void notWithoutTheVaultOrBesideAnother() throws Exception {
        Draft none = release(200);
        none.references.clear();
        s.ledger.refuses("REFERENCE", none);
        s.ledger.refuses("REFERENCE", release(200).reference(new Scenario(Kind.MODE_ESCROW).vault));
    }

    /** A thief's vault of the same name, made by a jar that allows everything. */
    @Test
    public void notByALookAlikeVault() throws Exception {
        Signer thief = new Signer("thief");
        VaultState fake = s.vaultState().under(VaultControl.first(thief.address()));
        Draft made = s.own(s.ledger.draft(), fake).constrain(0, AlwaysAcceptAttachmentConstraint.INSTANCE)
                .command(new VaultCommands.Seed(), key(s.vaultParty));
        StateAndRef<?> forged = s.ledger.forge(made).outRef(0);
        Draft draft = release(200);
        draft.references.clear();
        s.ledger.refuses("CONSTRAINT", with(draft.reference(forged), s.sign(of(draft), thief)));
    }

    @Test
    public void notWhilePaused() throws Exception {
        s.become(s.authorityDraft(Kind.PAUSE, "pause", null));
        s.ledger.refuses("PAUSED", release(200));
        s.become(s.authorityDraft(Kind.UNPAUSE, "unpause", null));
        s.ledger.commit(release(200));
    }

    @Test
    public void notUnderAVaultStateThatIsSpent() throws Exception {
        Draft draft = release(200);
        s.become(s.authorityDraft(Kind.ROTATE, "rotate", new Signer("next")));
        s.ledger.notaryRefuses(draft);
    }

    @Test
    public void notMoreThanTheCoinsOfATransaction() throws Exception {
        StateAndRef<?>[] coins = new StateAndRef<?>[2 * (Coins.MAX_CONSUMED + 1)];
        for (int i = 0; i < coins.length; i += 2) {
            WireTransaction one = s.lock(10);
            coins[i] = one.outRef(0);
            coins[i + 1] = one.outRef(1);
        }
        s.ledger.refuses("TOO_MANY", s.releaseDraft("release", 10, s.permit(0), coins));
    }
}
