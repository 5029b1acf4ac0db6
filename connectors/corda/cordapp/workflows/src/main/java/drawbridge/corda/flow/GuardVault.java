package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.Guard;
import drawbridge.corda.contract.GuardianAction;
import drawbridge.corda.contract.VaultContract;
import drawbridge.corda.contract.VaultControl;
import drawbridge.corda.contract.VaultState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.flows.FinalityFlow;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;
import net.corda.core.transactions.TransactionBuilder;

import java.time.Instant;
import java.util.Collections;

/** Submits what the guardians signed, or completes their proposal once its delay is over. Answers the transaction's id in hex. */
@StartableByRPC
public final class GuardVault extends FlowLogic<String> {
    private final byte[] vaultId;
    private final Guard guard;

    public GuardVault(byte[] vaultId, Guard guard) {
        this.vaultId = vaultId.clone();
        this.guard = guard;
    }

    @Suspendable
    @Override
    public String call() throws FlowException {
        StateAndRef<VaultState> vault = VaultBook.vault(getServiceHub(), vaultId);
        TimeWindow window = window(vault.getState().getData().getControl());
        TransactionBuilder builder = new TransactionBuilder(vault.getState().getNotary()).setTimeWindow(window);
        builder.addInputState(vault);
        builder.addOutputState(next(vault.getState().getData(), window), VaultContract.ID);
        builder.addCommand(guard, getOurIdentity().getOwningKey());
        Verification.check(builder, getServiceHub());
        return subFlow(new FinalityFlow(getServiceHub().signInitialTransaction(builder), Collections.emptyList()))
                .getId().toString();
    }

    /** A completion begins when the delay is over by this node's clock, and not before it is by the notary's. */
    private TimeWindow window(VaultControl control) throws FlowException {
        Instant now = getServiceHub().getClock().instant();
        TimeWindow around = TimeWindows.around(now);
        if (guard.getAction() != GuardianAction.COMPLETE) return around;
        Instant due = Instant.ofEpochSecond(control.getProposalNotBefore());
        if (due.isAfter(now)) throw new FlowException("TOO_EARLY: the delay is not over");
        return due.isAfter(around.getFromTime()) ? TimeWindow.between(due, around.getUntilTime()) : around;
    }

    private VaultState next(VaultState vault, TimeWindow window) throws FlowException {
        try {
            return vault.under(GuardianAction.after(vault, guard, window));
        } catch (IllegalArgumentException refused) {
            throw new FlowException("REFUSED: " + refused.getMessage(), refused);
        }
    }
}
