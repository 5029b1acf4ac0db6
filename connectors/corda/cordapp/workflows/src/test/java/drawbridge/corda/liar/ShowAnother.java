package drawbridge.corda.liar;

import co.paralleluniverse.fibers.Suspendable;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowSession;
import net.corda.core.flows.SendStateAndRefFlow;

import java.util.List;

/** As a liar would write the vault party's side of a lock: shows what the test put here, whatever was asked for. */
public final class ShowAnother extends Preferred {
    public static volatile List<StateAndRef<?>> shown;
    public static volatile int answers;
    private final FlowSession session;

    public ShowAnother(FlowSession session) {
        this.session = session;
    }

    @Suspendable
    @Override
    public Void call() throws FlowException {
        session.receive(byte[].class).unwrap(any -> any);
        answers++;
        subFlow(new SendStateAndRefFlow(session, shown));
        return null;
    }
}
