package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import net.corda.core.contracts.StateRef;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;

/** UNCONSUMED, CONSUMED, or UNKNOWN when the state is none of this node's: its own records, not proof. */
@StartableByRPC
public final class StatusOfState extends FlowLogic<String> {
    private final StateRef ref;

    public StatusOfState(StateRef ref) {
        this.ref = ref;
    }

    @Suspendable
    @Override
    public String call() {
        return VaultBook.status(getServiceHub(), ref);
    }
}
