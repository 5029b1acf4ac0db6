package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.FlowSession;
import net.corda.core.flows.InitiatedBy;
import net.corda.core.flows.ReceiveFinalityFlow;
import net.corda.core.transactions.SignedTransaction;

/** The payee's side: verifies the chain behind the payment, and records it. */
@InitiatedBy(ExecuteInstruction.class)
public final class RecordPayment extends FlowLogic<SignedTransaction> {
    private final FlowSession session;

    public RecordPayment(FlowSession session) {
        this.session = session;
    }

    @Suspendable
    @Override
    public SignedTransaction call() throws FlowException {
        return subFlow(new ReceiveFinalityFlow(session));
    }
}
