package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.contract.TokenContract;
import drawbridge.corda.contract.TokenState;
import drawbridge.corda.contract.VaultCommands;
import drawbridge.corda.contract.VaultContract;
import drawbridge.corda.contract.VaultNames;
import drawbridge.corda.contract.VaultState;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.flows.CollectSignaturesFlow;
import net.corda.core.flows.FinalityFlow;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.FlowSession;
import net.corda.core.flows.InitiatingFlow;
import net.corda.core.flows.ReceiveStateAndRefFlow;
import net.corda.core.flows.StartableByRPC;
import net.corda.core.identity.Party;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.TransactionBuilder;
import net.corda.finance.contracts.asset.Cash;

import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Locks cash in an escrow vault, or burns tokens of an issue vault. Runs at the depositor; answers the lock's id in hex. */
@InitiatingFlow
@StartableByRPC
public final class LockValue extends FlowLogic<String> {
    private final Party vaultParty;
    private final byte[] vaultId;
    private final byte[] reference;
    private final long amount;

    /**
     * @param reference 32 bytes, from the core's answer.
     * @param amount    minor units.
     */
    public LockValue(Party vaultParty, byte[] vaultId, byte[] reference, long amount) {
        this.vaultParty = vaultParty;
        this.vaultId = vaultId.clone();
        this.reference = reference.clone();
        this.amount = amount;
    }

    @Suspendable
    @Override
    public String call() throws FlowException {
        FlowSession session = initiateFlow(vaultParty);
        session.send(vaultId);
        StateAndRef<VaultState> vault = receiveVault(session);
        boolean escrow = vault.getState().getData().getTerms().getMode() == Kind.MODE_ESCROW;
        TransactionBuilder builder = new TransactionBuilder(vault.getState().getNotary());
        builder.setTimeWindow(TimeWindows.around(getServiceHub().getClock().instant()));
        builder.addReferenceState(vault.referenced());
        Set<PublicKey> keys = new LinkedHashSet<>(Collections.singletonList(getOurIdentity().getOwningKey()));
        LockState lock = escrow ? lockCash(builder, vault.getState().getData(), keys)
                : burnTokens(builder, vault.getState().getData(), keys);
        Verification.check(builder, getServiceHub());
        SignedTransaction mine = getServiceHub().signInitialTransaction(builder, keys);
        SignedTransaction both = subFlow(new CollectSignaturesFlow(mine, Collections.singletonList(session), keys));
        subFlow(new FinalityFlow(both, Collections.singletonList(session)));
        return Bytes.hex(lock.getLockId());
    }

    @Suspendable
    private StateAndRef<VaultState> receiveVault(FlowSession session) throws FlowException {
        List<StateAndRef<ContractState>> received = subFlow(new ReceiveStateAndRefFlow<>(session));
        boolean one = received.size() == 1 && received.get(0).getState().getData() instanceof VaultState;
        if (!one) throw new FlowException("VAULT_UNKNOWN: the vault party answered with something else");
        StateAndRef<VaultState> vault = cast(received.get(0));
        VaultState state = vault.getState().getData();
        boolean asked = Arrays.equals(state.getVaultId(), vaultId) && state.getVaultParty().equals(vaultParty);
        if (!asked) throw new FlowException("VAULT_UNKNOWN: the vault party answered with another vault");
        return vault;
    }

    @SuppressWarnings("unchecked")
    private static StateAndRef<VaultState> cast(StateAndRef<? extends ContractState> state) {
        return (StateAndRef<VaultState>) state;
    }

    @Suspendable
    private LockState lockCash(TransactionBuilder builder, VaultState vault, Set<PublicKey> keys) throws FlowException {
        List<StateAndRef<Cash.State>> coins = CashSelection.of(getServiceHub(), vault.getTerms(), amount, builder);
        long held = 0;
        for (StateAndRef<Cash.State> coin : coins) {
            builder.addInputState(coin);
            held += coin.getState().getData().getAmount().getQuantity();
        }
        Cash.State like = coins.get(0).getState().getData();
        CashStates.addCoin(builder, CashStates.of(like, amount, vaultParty), new CoinState(amount, vaultId, vaultParty));
        LockState lock = record(builder, vault);
        if (held > amount) builder.addOutputState(CashStates.of(like, held - amount, getOurIdentity()), Cash.PROGRAM_ID);
        Set<PublicKey> owners = new LinkedHashSet<>();
        for (StateAndRef<Cash.State> coin : coins) owners.add(coin.getState().getData().getOwner().getOwningKey());
        builder.addCommand(new Cash.Commands.Move(), new ArrayList<>(owners));
        builder.addCommand(new VaultCommands.Lock(), vaultParty.getOwningKey(), getOurIdentity().getOwningKey());
        keys.addAll(owners);
        return lock;
    }

    @Suspendable
    private LockState burnTokens(TransactionBuilder builder, VaultState vault, Set<PublicKey> keys) throws FlowException {
        List<StateAndRef<TokenState>> tokens = TokenSelection.of(getServiceHub(), vaultId, amount, getRunId().getUuid());
        long held = 0;
        Set<PublicKey> signers = new LinkedHashSet<>();
        signers.add(vaultParty.getOwningKey());
        for (StateAndRef<TokenState> token : tokens) {
            builder.addInputState(token);
            held += token.getState().getData().getAmount();
            keys.add(token.getState().getData().getOwner().getOwningKey());
        }
        LockState lock = record(builder, vault);
        String currency = vault.getTerms().getCurrency();
        if (held > amount) {
            builder.addOutputState(new TokenState(held - amount, currency, getOurIdentity(), vaultId), TokenContract.ID);
        }
        signers.addAll(keys);
        builder.addCommand(new VaultCommands.Lock(), new ArrayList<>(signers));
        return lock;
    }

    private LockState record(TransactionBuilder builder, VaultState vault) {
        List<StateRef> refs = builder.inputStates();
        LockState lock = LockState.of(vault, amount, getOurIdentity(), reference, VaultNames.inputsHash(refs));
        builder.addOutputState(lock, VaultContract.ID);
        return lock;
    }
}
