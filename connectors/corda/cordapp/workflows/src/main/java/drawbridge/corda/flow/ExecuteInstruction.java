package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.Instruct;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.VaultState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.flows.FinalityFlow;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.FlowSession;
import net.corda.core.flows.InitiatingFlow;
import net.corda.core.flows.StartableByRPC;
import net.corda.core.identity.Party;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.TransactionBuilder;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Does what the core instructs, void and changes of command included. Answers the transaction's id in hex; when this node has
 * done it before, that transaction's id. Runs at the vault party. The payee's node, if there is one, is told after the notary has
 * signed: while it is down the flow waits, the payment being final and in this node's records.
 */
@InitiatingFlow
@StartableByRPC
public final class ExecuteInstruction extends FlowLogic<String> {
    private final byte[] vaultId;
    private final Instruct instruction;
    private final List<StateRef> inputs;
    private final Party payee;

    /** Void, rotate, pause and unpause: nobody is paid. Corda starts no flow with a null among its arguments. */
    public ExecuteInstruction(byte[] vaultId, Instruct instruction, List<StateRef> inputs) {
        this(vaultId, instruction, inputs, null);
    }

    /**
     * Release, issue and refund.
     *
     * @param inputs every ref that the instruction names, in any order.
     * @param payee  whom the beneficiary word stands for.
     */
    public ExecuteInstruction(byte[] vaultId, Instruct instruction, List<StateRef> inputs, Party payee) {
        this.vaultId = vaultId.clone();
        this.instruction = instruction;
        this.inputs = new ArrayList<>(inputs);
        this.payee = payee;
    }

    @Suspendable
    @Override
    public String call() throws FlowException {
        StateAndRef<?> done = VaultBook.madeBy(getServiceHub(), vaultId, instruction.getId());
        if (done != null) return done.getRef().getTxhash().toString();
        StateAndRef<VaultState> vault = VaultBook.vault(getServiceHub(), vaultId);
        boolean pays = instruction.getKind() == Kind.RELEASE || instruction.getKind() == Kind.ISSUE
                || instruction.getKind() == Kind.REFUND;
        if (pays == (payee == null)) throw new FlowException("PAYEE: a payment has one, nothing else has");
        TransactionBuilder builder = new InstructionTransaction(getServiceHub(), vault, instruction, payee).build(inputs);
        Verification.check(builder, getServiceHub());
        SignedTransaction signed = getServiceHub().signInitialTransaction(builder);
        List<FlowSession> sessions = pays ? Collections.singletonList(initiateFlow(payee)) : Collections.emptyList();
        return subFlow(new FinalityFlow(signed, sessions)).getId().toString();
    }
}
