package drawbridge.corda.contract;

import net.corda.core.contracts.Amount;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.Issued;
import net.corda.core.contracts.PartyAndReference;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.identity.AbstractParty;
import net.corda.core.identity.Party;
import net.corda.core.transactions.WireTransaction;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.finance.contracts.asset.Cash;
import net.corda.testing.core.TestIdentity;

import java.security.PublicKey;
import java.util.Collections;
import java.util.Currency;
import java.util.List;

/** A vault on a ledger in memory, with drafts of what is right; tests then make them wrong. */
final class Scenario {
    static final long PERMIT_CAP = 1_000_000;
    static final byte[] REFERENCE = Bytes.keccak256(Bytes.utf8("reference"));
    static final byte[] ASSET = Bytes.keccak256(Bytes.utf8("GBP"));

    final TestLedger ledger = new TestLedger();
    final TestIdentity vaultParty = TestLedger.identity("Vault", 3);
    final TestIdentity alice = TestLedger.identity("Alice", 4);
    final TestIdentity bob = TestLedger.identity("Bob", 5);
    final TestIdentity issuer = TestLedger.identity("Issuer", 6);
    final Signer authority = new Signer("authority");
    final Signer[] guardians = {new Signer("guardian 1"), new Signer("guardian 2"), new Signer("guardian 3")};
    final WireTransaction seed;
    final WireTransaction creation;
    StateAndRef<?> vault;
    final boolean escrow;

    Scenario(int mode) throws Exception {
        escrow = mode == Kind.MODE_ESCROW;
        seed = ledger.commit(seedDraft());
        creation = ledger.commit(creationDraft(seed.outRef(0), terms(mode)));
        vault = creation.outRef(0);
    }

    Draft seedDraft() {
        return own(ledger.draft(), new SeedState(party(vaultParty))).command(new VaultCommands.Seed(), key(vaultParty));
    }

    Draft creationDraft(StateAndRef<?> seedState, VaultTerms terms) {
        byte[] vaultId = VaultNames.vaultId(seedState.getRef());
        Draft draft = ledger.draft().input(seedState).command(new VaultCommands.Create(), key(vaultParty));
        own(draft, new VaultState(VaultControl.first(authority.address()), terms, vaultId, party(vaultParty)));
        for (int i = 0; i < terms.getPermits(); i++) own(draft, PermitState.first(i, vaultId, party(vaultParty)));
        return draft;
    }

    VaultTerms terms(int mode) {
        boolean cash = mode == Kind.MODE_ESCROW;
        byte[] none = new byte[0];
        byte[] all = new byte[60];
        for (int i = 0; i < 3; i++) System.arraycopy(guardians[i].address(), 0, all, 20 * i, 20);
        return new VaultTerms(ASSET, 7200, cash ? Constraints.name(ledger.cashJar) : none, "GBP", word("genesis"), 3600, 2,
                all, cash ? key(issuer).getEncoded() : none, cash ? new byte[]{1} : none, mode, word("network"), PERMIT_CAP, 2,
                word("service"));
    }

    static byte[] word(String name) {
        return Bytes.keccak256(Bytes.utf8(name));
    }

    static PublicKey key(TestIdentity identity) {
        return identity.getPublicKey();
    }

    static Party party(TestIdentity identity) {
        return identity.getParty();
    }

    VaultState vaultState() {
        return (VaultState) vault.getState().getData();
    }

    byte[] vaultId() {
        return vaultState().getVaultId();
    }

    /** Adds a free state of ours under the vault's jar. */
    Draft own(Draft draft, ContractState data) {
        String contract = data instanceof TokenState ? TokenContract.ID : VaultContract.ID;
        return draft.output(data, contract, ledger.vaultJar, null);
    }

    Cash.State cashState(TestIdentity from, int reference, long amount, AbstractParty owner) {
        PartyAndReference by = new PartyAndReference(party(from), OpaqueBytes.of((byte) reference));
        return new Cash.State(new Amount<>(amount, new Issued<>(by, Currency.getInstance("GBP"))), owner);
    }

    Draft cash(Draft draft, long amount, AbstractParty owner, Integer encumbrance) {
        return draft.output(cashState(issuer, 1, amount, owner), Cash.PROGRAM_ID, ledger.cashJar, encumbrance);
    }

    /** Cash guarded for the vault at the next two outputs. */
    Draft coin(Draft draft, long amount) {
        int at = draft.outputs.size();
        cash(draft, amount, party(vaultParty), at + 1);
        return draft.output(new CoinState(amount, vaultId(), party(vaultParty)), VaultContract.ID, ledger.vaultJar, at);
    }

    StateAndRef<?> issueCash(TestIdentity from, int reference, long amount, TestIdentity owner) throws Exception {
        Draft draft = ledger.draft().output(cashState(from, reference, amount, party(owner)), Cash.PROGRAM_ID, ledger.cashJar, null);
        return ledger.commit(draft.command(new Cash.Commands.Issue(), key(from))).outRef(0);
    }

    /** Alice locks {@code amount} out of cash of that much or more. */
    Draft lockDraft(StateAndRef<?> cash, long amount) {
        Draft draft = ledger.draft().input(cash).reference(vault);
        coin(draft, amount);
        List<StateRef> refs = Collections.singletonList(cash.getRef());
        own(draft, LockState.of(vaultState(), amount, party(alice), REFERENCE, VaultNames.inputsHash(refs)));
        long rest = ((Cash.State) cash.getState().getData()).getAmount().getQuantity() - amount;
        if (rest > 0) cash(draft, rest, party(alice), null);
        return draft.command(new VaultCommands.Lock(), key(vaultParty), key(alice))
                .command(new Cash.Commands.Move(), key(alice));
    }

    /** A committed lock: coin at outputs 0 and 1, record at 2. */
    WireTransaction lock(long amount) throws Exception {
        return ledger.commit(lockDraft(issueCash(issuer, 1, amount, alice), amount));
    }

    StateAndRef<?> permit(int index) {
        return creation.outRef(1 + index);
    }

    /** An instruction over the draft's inputs, signed by the authority. */
    Instruct instruct(Draft draft, int kind, String id, long amount, AbstractParty beneficiary, byte[] subject) {
        byte[] payee = beneficiary == null ? new byte[32] : VaultNames.accountWord(beneficiary.getOwningKey());
        return sign(new Instruct(word(id), kind, subject, ASSET, amount, payee, VaultNames.inputsHash(draft.inputRefs()), 0,
                vaultState().getControl().getEpoch(), new byte[80], new byte[65]));
    }

    Instruct sign(Instruct i) {
        return sign(i, authority);
    }

    Instruct sign(Instruct i, Signer signer) {
        byte[] salt = vaultState().getTerms().salt(vaultId());
        return i.signedBy(signer.sign(InstructionDigest.digest(salt, InstructionDigest.structHash(i))));
    }

    /** Pays Bob out of a permit and coins (each named by its cash). */
    Draft releaseDraft(String id, long amount, StateAndRef<?> permit, StateAndRef<?>... coins) {
        Draft draft = ledger.draft().reference(vault).input(permit).input(coins);
        Instruct i = instruct(draft, escrow ? Kind.RELEASE : Kind.ISSUE, id, amount, party(bob), word("subject"));
        return pay(draft, i, (PermitState) permit.getState().getData(), party(bob));
    }

    Draft refundDraft(String id, LockState lock, StateAndRef<?> permit, StateAndRef<?>... others) {
        Draft draft = ledger.draft().reference(vault).input(permit).input(others);
        Instruct i = instruct(draft, Kind.REFUND, id, lock.getAmount(), lock.getDepositor(), lock.getLockId());
        return pay(draft, i, (PermitState) permit.getState().getData(), lock.getDepositor());
    }

    private Draft pay(Draft draft, Instruct i, PermitState permit, Party payee) {
        own(draft, ReleaseWindow.booked(permit, i, vaultState().getTerms(), draft.timeWindow));
        if (!escrow) {
            own(draft, new TokenState(i.getAmount(), "GBP", payee, vaultId()));
            return draft.command(i, key(vaultParty));
        }
        cash(draft, i.getAmount(), payee, null);
        long consumed = draft.inputs.stream().map(input -> input.getState().getData()).filter(CoinState.class::isInstance)
                .mapToLong(coin -> ((CoinState) coin).getAmount()).sum();
        if (consumed > i.getAmount()) coin(draft, consumed - i.getAmount());
        return draft.command(i, key(vaultParty)).command(new Cash.Commands.Move(), key(vaultParty));
    }

    /** Voids what {@code target} would have done, over the same inputs. */
    Draft voidDraft(String id, Draft target, String targetId) {
        Draft draft = ledger.draft().reference(vault);
        draft.inputs.addAll(target.inputs);
        Instruct i = instruct(draft, Kind.VOID, id, 0, null, word(targetId));
        own(draft, ((PermitState) draft.inputs.get(0).getState().getData()).voidedBy(i.getId()));
        List<StateRef> sorted = VaultNames.sorted(draft.inputRefs());
        draft.inputs.stream().filter(input -> input.getState().getData() instanceof CoinState)
                .sorted((a, b) -> Integer.compare(sorted.indexOf(a.getRef()), sorted.indexOf(b.getRef())))
                .forEach(guard -> coin(draft, ((CoinState) guard.getState().getData()).getAmount()));
        draft.command(i, key(vaultParty));
        return escrow ? draft.command(new Cash.Commands.Move(), key(vaultParty)) : draft;
    }

    /** Rotate, pause or unpause over the vault's present state. */
    Draft authorityDraft(int kind, String id, Signer next) {
        Draft draft = ledger.draft().input(vault);
        byte[] subject = next == null ? new byte[32] : Bytes.addressWord(next.address());
        Instruct i = instruct(draft, kind, id, 0, null, subject);
        VaultControl control = vaultState().getControl();
        VaultControl after = kind == Kind.ROTATE ? control.rotated(next.address(), i.getId())
                : control.pausedByAuthority(kind == Kind.PAUSE, i.getId());
        return own(draft, vaultState().under(after)).command(i, key(vaultParty));
    }

    /** Commits a change of command and goes on with the vault's new state. */
    void become(Draft draft) throws Exception {
        vault = ledger.commit(draft).outRef(0);
    }

    Draft guardDraft(Guard guard, VaultControl after) {
        return own(ledger.draft().input(vault), vaultState().under(after)).command(guard, key(bob));
    }

    /** Signatures of guardians over an action on the vault's present state. */
    Guard guard(int action, byte[] argument, Signer... signers) {
        byte[] digest = GuardianAction.digest(vaultState(), action, argument);
        byte[] all = new byte[65 * signers.length];
        for (int i = 0; i < signers.length; i++) System.arraycopy(signers[i].sign(digest), 0, all, 65 * i, 65);
        return new Guard(action, argument, all);
    }
}
