package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;

/** Id in hex of the transaction by which an instruction, a void included, took effect here; null when none did. */
@StartableByRPC
public final class FindInstruction extends FlowLogic<String> {
    private final byte[] vaultId;
    private final byte[] instructionId;

    public FindInstruction(byte[] vaultId, byte[] instructionId) {
        this.vaultId = vaultId.clone();
        this.instructionId = instructionId.clone();
    }

    @Suspendable
    @Override
    public String call() {
        StateAndRef<?> made = VaultBook.madeBy(getServiceHub(), vaultId, instructionId);
        return made == null ? null : made.getRef().getTxhash().toString();
    }
}
