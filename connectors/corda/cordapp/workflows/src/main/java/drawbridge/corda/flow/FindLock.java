package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.LockState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;

import java.util.List;

/** The record of a lock, refunded or not; null when this node knows none. */
@StartableByRPC
public final class FindLock extends FlowLogic<StateAndRef<LockState>> {
    private final byte[] lockId;

    public FindLock(byte[] lockId) {
        this.lockId = lockId.clone();
    }

    @Suspendable
    @Override
    public StateAndRef<LockState> call() {
        List<StateAndRef<LockState>> found = VaultBook.locks(getServiceHub(), lockId);
        return found.isEmpty() ? null : found.get(0);
    }
}
