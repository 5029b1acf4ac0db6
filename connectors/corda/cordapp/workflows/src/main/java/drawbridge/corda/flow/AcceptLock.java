package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.contract.VaultCommands;
import drawbridge.corda.contract.VaultState;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TransactionResolutionException;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.FlowSession;
import net.corda.core.flows.InitiatedBy;
import net.corda.core.flows.ReceiveFinalityFlow;
import net.corda.core.flows.SendStateAndRefFlow;
import net.corda.core.flows.SignTransactionFlow;
import net.corda.core.identity.AbstractParty;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.WireTransaction;

import java.security.PublicKey;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/** The vault party's side of a lock: shows the vault, runs the contract over the lock, signs, records. */
@InitiatedBy(LockValue.class)
public final class AcceptLock extends FlowLogic<SignedTransaction> {
    private final FlowSession session;

    public AcceptLock(FlowSession session) {
        this.session = session;
    }

    @Suspendable
    @Override
    public SignedTransaction call() throws FlowException {
        byte[] vaultId = session.receive(byte[].class).unwrap(id -> id);
        StateAndRef<VaultState> vault = VaultBook.vault(getServiceHub(), vaultId);
        subFlow(new SendStateAndRefFlow(session, Collections.singletonList(vault)));
        SignedTransaction signed = subFlow(new Sign(session, vault.getRef()));
        return subFlow(new ReceiveFinalityFlow(session, signed.getId()));
    }

    /** Corda resolves and verifies the transaction before it asks. */
    private static final class Sign extends SignTransactionFlow {
        private final StateRef vault;

        Sign(FlowSession session, StateRef vault) {
            super(session, SignTransactionFlow.tracker());
            this.vault = vault;
        }

        /** Nothing but a lock into the vault that was shown, by whoever asks, out of nothing of ours. */
        @Override
        protected void checkTransaction(SignedTransaction signed) throws FlowException {
            WireTransaction tx = signed.getTx();
            boolean lock = tx.getCommands().stream().anyMatch(c -> c.getValue() instanceof VaultCommands.Lock);
            require(lock, "NOT_A_LOCK: only locks are signed here");
            require(tx.getReferences().equals(Collections.singletonList(vault)), "VAULT_CHANGED: the vault's state is another");
            List<LockState> records = tx.outputsOfType(LockState.class);
            boolean own = records.size() == 1 && records.get(0).getDepositor().equals(getOtherSideSession().getCounterparty());
            require(own, "DEPOSITOR: a lock is asked for by its depositor");
            for (StateRef ref : tx.getInputs()) require(!ours(ref), "INPUT: a lock spends nothing of the vault party's");
        }

        private boolean ours(StateRef ref) throws FlowException {
            try {
                ContractState state = getServiceHub().loadState(ref).getData();
                List<PublicKey> keys = state.getParticipants().stream().map(AbstractParty::getOwningKey)
                        .collect(Collectors.toList());
                return getServiceHub().getKeyManagementService().filterMyKeys(keys).iterator().hasNext();
            } catch (TransactionResolutionException unknown) {
                throw new FlowException("INPUT_UNKNOWN: an input cannot be resolved", unknown);
            }
        }

        private static void require(boolean ok, String words) throws FlowException {
            if (!ok) throw new FlowException(words);
        }
    }
}
