package drawbridge.corda.flow;

import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.contract.VaultCommands;
import drawbridge.corda.contract.VaultContract;
import drawbridge.corda.contract.VaultNames;
import drawbridge.corda.contract.VaultState;
import drawbridge.corda.liar.AskToSign;
import drawbridge.corda.liar.ShowAnother;
import net.corda.core.contracts.Amount;
import net.corda.core.contracts.Issued;
import net.corda.core.contracts.PartyAndReference;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.flows.FlowException;
import net.corda.core.identity.Party;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.TransactionBuilder;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.finance.contracts.asset.Cash;
import net.corda.testing.node.StartedMockNode;
import org.junit.Before;
import org.junit.Test;

import java.security.PublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Currency;
import java.util.List;

import static drawbridge.corda.flow.FlowNetwork.party;
import static org.junit.Assert.assertEquals;

/** A depositor or a vault party that runs flows of its own making. */
public class FalsePartnersTest {
    private static byte[] vault;
    private final FlowNetwork n = FlowNetwork.shared();

    /** Alice's node knows the vault by a lock. */
    @Before
    public void oneVault() throws Exception {
        if (vault != null) return;
        n.bank.registerInitiatedFlow(AskToSign.class, AcceptLock.class);
        vault = n.vault(Kind.MODE_ESCROW);
        n.issueCash(n.alice, 1_000);
        n.lock(vault, 100);
    }

    private static PublicKey key(StartedMockNode node) {
        return party(node).getOwningKey();
    }

    private StateAndRef<VaultState> stateOf(byte[] vaultId) {
        return stateOf(n.bank, vaultId);
    }

    private static StateAndRef<VaultState> stateOf(StartedMockNode node, byte[] vaultId) {
        return node.transaction(() -> {
            try {
                return VaultBook.vault(node.getServices(), vaultId);
            } catch (FlowException unknown) {
                throw new IllegalStateException(unknown);
            }
        });
    }

    private StateAndRef<Cash.State> cashOf(StartedMockNode node) {
        return node.transaction(() -> node.getServices().getVaultService().queryBy(Cash.State.class).getStates().stream()
                .filter(coin -> coin.getState().getEncumbrance() == null).findFirst().orElseThrow(IllegalStateException::new));
    }

    /** A lock of all that the inputs are worth, for a depositor that is not asked. */
    private TransactionBuilder lock(StateAndRef<VaultState> into, Party depositor, List<StateAndRef<Cash.State>> coins) {
        TransactionBuilder builder = new TransactionBuilder(n.notary()).setTimeWindow(TimeWindows.around(Instant.now()));
        builder.addReferenceState(into.referenced());
        coins.forEach(builder::addInputState);
        long amount = coins.stream().mapToLong(coin -> coin.getState().getData().getAmount().getQuantity()).sum();
        VaultState state = into.getState().getData();
        CashStates.addCoin(builder, CashStates.of(coins.get(0).getState().getData(), amount, state.getVaultParty()),
                new CoinState(amount, state.getVaultId(), state.getVaultParty()));
        builder.addOutputState(LockState.of(state, amount, depositor, n.draw(), VaultNames.inputsHash(builder.inputStates())),
                VaultContract.ID);
        List<PublicKey> owners = new ArrayList<>();
        for (StateAndRef<Cash.State> coin : coins) owners.add(coin.getState().getData().getOwner().getOwningKey());
        builder.addCommand(new Cash.Commands.Move(), owners);
        return builder.addCommand(new VaultCommands.Lock(), Arrays.asList(key(n.bank), key(n.alice)));
    }

    private SignedTransaction signed(TransactionBuilder builder) {
        return n.alice.transaction(() -> n.alice.getServices().signInitialTransaction(builder, key(n.alice)));
    }

    private void refused(String words, TransactionBuilder builder) throws Exception {
        n.refused(words, n.alice, new AskToSign(party(n.bank), vault, signed(builder)));
    }

    @Test
    public void aLockOfOnesOwnIsSigned() throws Exception {
        TransactionBuilder honest = lock(stateOf(vault), party(n.alice), Collections.singletonList(cashOf(n.alice)));
        SignedTransaction both = n.run(n.alice, new AskToSign(party(n.bank), vault, signed(honest)));
        assertEquals(2, both.getSigs().size());
    }

    /** With the vault party's signature, cash of its own issue. */
    @Test
    public void nothingButALockIsSigned() throws Exception {
        PartyAndReference deposit = party(n.bank).ref(OpaqueBytes.of((byte) 9));
        Cash.State minted = new Cash.State(new Amount<>(1_000, new Issued<>(deposit, Currency.getInstance("GBP"))), party(n.alice));
        TransactionBuilder builder = new TransactionBuilder(n.notary()).setTimeWindow(TimeWindows.around(Instant.now()))
                .addOutputState(minted, Cash.PROGRAM_ID)
                .addCommand(new Cash.Commands.Issue(), Arrays.asList(key(n.bank), key(n.alice)));
        refused("NOT_A_LOCK", builder);
    }

    @Test
    public void aLockIsIntoTheVaultThatWasShown() throws Exception {
        StateAndRef<VaultState> other = stateOf(n.vault(Kind.MODE_ESCROW));
        // Alice's node knows it by a lock.
        n.lock(other.getState().getData().getVaultId(), 100);
        refused("VAULT_CHANGED", lock(other, party(n.alice), Collections.singletonList(cashOf(n.alice))));
    }

    @Test
    public void aLockIsAskedForByItsDepositor() throws Exception {
        refused("DEPOSITOR", lock(stateOf(vault), party(n.bank), Collections.singletonList(cashOf(n.alice))));
    }

    /** Alice knows the bank's cash, having paid it. */
    @Test
    public void aLockSpendsNothingOfTheVaultPartys() throws Exception {
        long before = n.cashOf(n.bank);
        n.issueCash(n.bank, 50);
        StateAndRef<Cash.State> theirs = cashOf(n.bank);
        refused("INPUT:", lock(stateOf(vault), party(n.alice), Arrays.asList(cashOf(n.alice), theirs)));
        assertEquals(before + 50, n.cashOf(n.bank));
    }

    /** What the contract refuses is not signed either. */
    @Test
    public void aLockThatTheContractRefusesIsNotSigned() throws Exception {
        TransactionBuilder wrong = lock(stateOf(vault), party(n.alice), Collections.singletonList(cashOf(n.alice)));
        wrong.setTimeWindow(TimeWindow.untilOnly(Instant.now().plusSeconds(60)));
        n.refused("", n.alice, new AskToSign(party(n.bank), vault, signed(wrong)));
    }

    /** Alice's cash goes into the vault that she named, kept by whom she asked, and nowhere else. */
    @Test
    public void aDepositorLocksIntoTheVaultThatItNamed() throws Exception {
        StartedMockNode mallory = n.node("Mallory");
        mallory.registerInitiatedFlow(LockValue.class, ShowAnother.class);
        byte[] theirs = n.vault(mallory, Kind.MODE_ESCROW);
        StateAndRef<VaultState> own = stateOf(mallory, theirs);
        n.issueCash(mallory, 10);
        n.run(mallory, new LockValue(party(n.bank), vault, n.draw(), 10));
        StateAndRef<?> permit = mallory.transaction(() -> permit(mallory, theirs));
        long before = n.cashOf(n.alice);
        // That it is she who answers, and not the vault party's own flow.
        ShowAnother.answers = 0;
        shown(mallory, n.draw(), Collections.singletonList(own));
        shown(mallory, vault, Collections.singletonList(stateOf(n.bank, vault)));
        shown(mallory, theirs, Arrays.asList(own, own));
        shown(mallory, theirs, Collections.singletonList(permit));
        assertEquals(4, ShowAnother.answers);
        assertEquals(before, n.cashOf(n.alice));
    }

    private static StateAndRef<?> permit(StartedMockNode node, byte[] vaultId) {
        return VaultBook.permits(node.getServices(), vaultId).get(0);
    }

    private void shown(StartedMockNode by, byte[] asked, List<StateAndRef<?>> states) throws Exception {
        ShowAnother.shown = states;
        n.refused("VAULT_UNKNOWN", n.alice, new LockValue(party(by), asked, n.draw(), 1));
    }
}
