package drawbridge.corda.agent.operations;

import drawbridge.corda.agent.AgentException;
import net.corda.core.messaging.CordaRPCOps;

import java.util.function.Function;

/** Bounded calls of the node. */
public interface NodeCalls {
    /** @throws AgentException NODE_UNAVAILABLE where the node does not answer. */
    <T> T call(Function<CordaRPCOps, T> call) throws AgentException;
}
